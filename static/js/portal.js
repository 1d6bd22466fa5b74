// The patient's pages work without this; with it they are installable, kept for bad connections, and gentler.
import { flush, waiting } from './portal-outbox.js'

const body = document.body
const note = document.querySelector('[data-outbox-note]')

function say (words) {
  if (!note) return
  note.textContent = words
  note.hidden = !words
}

// Hand in what was answered without a connection; until then the page says how much waits.
async function handIn () {
  if (!body.dataset.who) return
  try {
    const told = await flush(body.dataset.who, token())
    const left = await waiting(body.dataset.who)
    if (told.refused && left) say(note.dataset.refused)
    else if (left) say(`${note.dataset.waiting} ${left}`)
    else if (told.held) say(note.dataset.held)
    else if (told.sent) say(note.dataset.sent)
  } catch { /* no store in this browser: nothing can wait in it */ }
}

function token () {
  return document.querySelector('[name=csrfmiddlewaretoken]')?.value || ''
}

// A second tap on a button that sends is no second sending; going back to the page makes it work again.
for (const form of document.querySelectorAll('form[data-once]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.gone) return event.preventDefault()
    form.dataset.gone = '1'
  })
}
addEventListener('pageshow', () => document.querySelectorAll('form[data-gone]').forEach((form) => { delete form.dataset.gone }))

// After signing out nothing of this person is left to look at, not even a page that is still on its way; answers not yet
// sent stay, sealed.
let leaving = false
document.querySelector('[data-sign-out]')?.addEventListener('submit', () => {
  leaving = true
  navigator.serviceWorker?.controller?.postMessage('signed-out')
  globalThis.caches?.delete('portal-pages')
})

// This page and today's questions are kept, so that they are there without a connection. Once the worker is in charge
// it keeps each home page itself.
async function prepare () {
  if (!('serviceWorker' in navigator) || !body.dataset.who) return
  const isNew = !navigator.serviceWorker.controller
  await navigator.serviceWorker.register('/me/worker.js', { scope: '/me/' })
  if (!navigator.onLine) return
  const form = document.querySelector('[data-offline-form]')
  if (form) await keep(form.dataset.offlineForm, 'X-Portal-Form')
  if (isNew && location.pathname === '/me/') await keep('/me/', 'X-Portal-Home')
}

async function keep (path, mark) {
  const answer = await fetch(path)
  if (answer.ok && answer.headers.has(mark) && !leaving) await (await caches.open('portal-pages')).put(path, answer)
}

// Two minutes before the session ends: a question, in the page's language.
let timer
async function look (method = 'GET') {
  clearTimeout(timer)
  try {
    const answer = await fetch(body.dataset.session, { method, headers: { 'X-CSRFToken': token(), Accept: 'application/json' } })
    const left = await answer.json()
    if (!left.signed_in) return location.reload()
    if (left.seconds <= 120) document.querySelector('#ending')?.showModal()
    timer = setTimeout(look, Math.max(5, left.seconds > 120 ? left.seconds - 120 : left.seconds + 1) * 1000)
  } catch {
    timer = setTimeout(look, 60000)
  }
}
document.querySelector('#ending button')?.addEventListener('click', () => {
  document.querySelector('#ending').close()
  look('POST')
})

addEventListener('online', handIn)
handIn()
prepare().catch(() => {})
if (body.dataset.session) look()
