// Two minutes before a session ends the person is asked whether to stay; typed text stays where it is.
// What the page says is only asked for: the server decides, and other tabs keep the session going for all.
const WARN_S = 120
const body = document.body
const url = body.dataset.session
const login = body.dataset.login
let dialog, timer

async function ask (method = 'GET') {
  const token = document.querySelector('[name=csrfmiddlewaretoken]')?.value || ''
  const answer = await fetch(url, { method, headers: { 'X-CSRFToken': token, Accept: 'application/json' }, credentials: 'same-origin' })
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.json()
}

function later (seconds) {
  clearTimeout(timer)
  timer = setTimeout(check, Math.max(1, seconds) * 1000)
}

function leave () {
  location.assign(`${login}?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`)
}

async function check () {
  let left
  try {
    left = await ask()
  } catch {
    return later(15)
  }
  if (!left.signed_in) return leave()
  if (left.seconds > WARN_S) {
    dialog?.close()
    return later(left.seconds - WARN_S)
  }
  show(left.seconds)
  later(Math.min(left.seconds, 10))
}

function show (seconds) {
  dialog ||= made()
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  const words = minutes === 1 ? 'Your session ends in less than a minute.' : `Your session ends in ${minutes} minutes.`
  const line = dialog.querySelector('p')
  if (line.textContent !== words) line.textContent = words
  if (!dialog.open) dialog.showModal()
}

function made () {
  document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: body.dataset.style }))
  const box = document.createElement('dialog')
  box.className = 'ending'
  box.setAttribute('aria-labelledby', 'ending-title')
  const title = Object.assign(document.createElement('h2'), { id: 'ending-title', textContent: 'Are you still there?' })
  const text = Object.assign(document.createElement('p'), { role: 'status' })
  const note = Object.assign(document.createElement('p'), { className: 'small soft', textContent: 'What you typed stays on this page.' })
  const stay = Object.assign(document.createElement('button'), { className: 'btn main', textContent: 'Stay signed in' })
  stay.addEventListener('click', extend)
  box.addEventListener('cancel', (event) => { event.preventDefault(); extend() })
  box.append(title, text, note, stay)
  body.append(box)
  return box
}

async function extend () {
  try {
    const left = await ask('POST')
    if (!left.signed_in) return leave()
    dialog?.close()
    later(left.seconds - WARN_S)
  } catch {
    dialog.querySelector('p').textContent = 'The server could not be reached. Your work stays on this page; try again.'
  }
}

if (url) {
  later(30)
  document.addEventListener('visibilitychange', () => { if (!document.hidden) check() })
}
