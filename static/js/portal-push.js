// Lets this phone show messages, when the patient asks for it. The words come from the page.
const part = document.querySelector('#push')
const state = part.querySelector('[data-push-state]')
const form = part.querySelector('[data-push-form]')
const can = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/') + '='.repeat(-text.length & 3)), (c) => c.charCodeAt(0))
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

function say (words) {
  state.textContent = words
  state.hidden = !words
}

async function draw () {
  if (!can) return say(part.dataset.none)
  if (Notification.permission === 'denied') return say(part.dataset.blocked)
  const worker = await navigator.serviceWorker.getRegistration('/me/')
  const held = await worker?.pushManager.getSubscription()
  if (held) say(part.dataset.on)
  form.hidden = Boolean(held)
}

async function subscribe () {
  if ((await Notification.requestPermission()) !== 'granted') return draw()
  await navigator.serviceWorker.register(part.dataset.worker, { scope: '/me/' })
  const worker = await navigator.serviceWorker.ready
  const held = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(part.dataset.key) })
  const body = new FormData(form)
  body.set('endpoint', held.endpoint)
  body.set('p256dh', text(held.getKey('p256dh')))
  body.set('auth', text(held.getKey('auth')))
  const answer = await fetch(part.dataset.add, { method: 'POST', body })
  const said = await answer.json()
  if (!answer.ok) {
    await held.unsubscribe()
    return say(said.said)
  }
  location.reload()
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const button = form.querySelector('button')
  button.disabled = true
  subscribe().catch(() => say(part.dataset.failed)).finally(() => { button.disabled = false })
})
draw().catch(() => say(part.dataset.failed))

// Where somebody lives is what their browser says, until they have said it themselves.
const zones = document.querySelector('[data-own-zone]')
const here = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zones && [...zones.options].some((one) => one.value === here)) zones.value = here
