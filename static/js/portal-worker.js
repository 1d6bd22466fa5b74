// Keeps the portal's shell, its last home page and today's questions for a phone without a connection. What a signed-out
// or foreign answer shows is never kept: only pages that say by a header that they may be.
const ASSETS = 'portal-shell', PAGES = 'portal-pages'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(ASSETS).then((kept) => kept.addAll(SHELL.concat(MORE))).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()))
})

async function tidy () {
  const kept = await caches.open(ASSETS)
  const wanted = SHELL.concat(MORE).map((one) => new URL(one, self.location).href)
  for (const one of await kept.keys()) if (!wanted.includes(one.url)) await kept.delete(one)
}

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (url.origin !== self.location.origin) return
  if (event.request.method === 'GET' && SHELL.concat(MORE).includes(url.pathname)) return event.respondWith(asset(event.request))
  const isForm = /^\/me\/check-in\/[^/]+\/whole\/$/.test(url.pathname)
  if (isForm && event.request.method === 'GET') return event.respondWith(page(event.request, url.pathname, 'X-Portal-Form'))
  if (event.request.mode !== 'navigate') return
  if (url.pathname === '/me/') event.respondWith(page(event.request, '/me/', 'X-Portal-Home'))
  else if (url.pathname.startsWith('/me/check-in/')) event.respondWith(checkIn(event.request, url.pathname))
})

async function asset (request) {
  return (await caches.match(request)) || fetch(request)
}

async function page (request, name, mark) {
  const began = signOuts
  try {
    const answer = await fetch(request)
    if (answer.ok && answer.headers.has(mark)) await keep(name, answer.clone(), began)
    else if (answer.redirected || answer.type === 'opaqueredirect') await forget(answer)
    return answer
  } catch (error) {
    return lastKnown(name, error)
  }
}

// A page that was asked for before a sign-out and arrives after it is not kept: the phone would show it to the next person.
let signOuts = 0

async function keep (name, answer, began) {
  if (began !== signOuts) return
  await (await caches.open(PAGES)).put(name, answer)
  if (began !== signOuts) await caches.delete(PAGES)
}

// Sent to sign in: whoever holds the phone now sees nothing of the one before.
async function forget (answer) {
  if (answer.type === 'opaqueredirect' || new URL(answer.url).pathname.startsWith('/login')) await signedOut()
}

async function signedOut () {
  signOuts += 1
  await caches.delete(PAGES)
}

self.addEventListener('message', (event) => {
  if (event.data === 'signed-out') event.waitUntil(signedOut())
})

async function lastKnown (name, error) {
  const held = await (await caches.open(PAGES)).match(name)
  if (!held) throw error
  const text = (await held.text()).replace('data-offline-note hidden', 'data-offline-note')
  return new Response(text, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': held.headers.get('Content-Security-Policy') || "default-src 'self'" } })
}

// Without a connection every page of a check-in is its page of all questions.
async function checkIn (request, path) {
  try {
    return await fetch(request)
  } catch (error) {
    return lastKnown(`/me/check-in/${path.split('/')[3]}/whole/`, error)
  }
}

// A message for this phone: it says that something waits, never what. A tap opens the page.
self.addEventListener('push', (event) => {
  const said = event.data ? event.data.json() : {}
  event.waitUntil(self.registration.showNotification(said.title || '…', { body: said.body || '', tag: said.tag, data: { url: said.url || '/me/' } }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const url = new URL(event.notification.data.url, self.location.origin)
  event.waitUntil(self.clients.openWindow(url.origin === self.location.origin ? url.href : '/me/'))
})
