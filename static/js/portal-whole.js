// All questions on one page: what does not apply is hidden, a dangerous answer shows what to do at once, and what is
// answered is first kept on the phone, then sent.
import { flush, save, waiting } from './portal-outbox.js'
import { smaller } from './portal-photo.js'

const form = document.querySelector('form[data-whole]')
const parts = [...form.querySelectorAll('[data-number]')]
const RANK = { emergency: 2, urgent: 1 }

function values (part) {
  const fields = [...part.querySelectorAll(`[name="a${part.dataset.number}"]`)]
  return fields.filter((one) => (['radio', 'checkbox'].includes(one.type) ? one.checked : one.value.trim())).map((one) => one.value.trim())
}

function holds ([number, operator, wanted]) {
  const part = parts.find((one) => one.dataset.number === String(number))
  const given = part && !part.hidden ? values(part) : []
  if (operator === 'exists') return (given.length > 0) === Boolean(wanted)
  const truth = { true: 'yes', false: 'no' }[String(wanted)] || String(wanted)
  const tests = { '=': (one) => one === truth || Number(one) === wanted, '!=': (one) => one !== truth, '>': (one) => Number(one) > wanted, '<': (one) => Number(one) < wanted, '>=': (one) => Number(one) >= wanted, '<=': (one) => Number(one) <= wanted }
  return given.some(tests[operator] || (() => false))
}

function level (part) {
  const rule = part.dataset.danger ? JSON.parse(part.dataset.danger) : null
  if (!rule || part.hidden) return 0
  const found = values(part).flatMap((one) => [rule.answers[one], ...rule.at_least.filter(([limit]) => Number(one.replace(',', '.')) >= limit).map(([, word]) => word)])
  return Math.max(0, ...found.map((word) => RANK[word] || 0))
}

function refresh () {
  for (const part of parts.filter((one) => one.dataset.when)) {
    const when = JSON.parse(part.dataset.when)
    part.hidden = !(when.any ? when.rows.some(holds) : when.rows.every(holds))
  }
  const worst = Math.max(0, ...parts.map(level))
  for (const [word, rank] of Object.entries(RANK)) form.querySelector(`[data-card=${word}]`).hidden = rank !== worst
}

async function photo (part) {
  const file = part.querySelector('input[type=file]')?.files[0]
  if (!file) return null
  const bytes = new Uint8Array(await (await smaller(file)).arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

async function attempt () {
  const said = { client_id: form.elements.client_id.value, who: document.body.dataset.who, answered_at: new Date().toISOString(), values: {}, skipped: {}, photos: {} }
  for (const part of parts.filter((one) => !one.hidden)) {
    const number = part.dataset.number
    const picture = await photo(part)
    if (picture) said.photos[number] = picture
    else if (!part.querySelector('input[type=file]')) said.values[number] = values(part)
  }
  return said
}

form.addEventListener('input', refresh)
form.addEventListener('submit', async (event) => {
  if (form.dataset.plain) return
  event.preventDefault()
  if (form.dataset.busy || !form.reportValidity()) return
  form.dataset.busy = '1'
  try {
    await save(document.body.dataset.who, form.dataset.outbox, await attempt())
  } catch {
    form.dataset.plain = '1'
    return form.submit()
  }
  let told = {}
  try { told = await flush(document.body.dataset.who, form.elements.csrfmiddlewaretoken.value) } catch { /* it waits */ }
  if ((told.sent || told.held) && !(await waiting(document.body.dataset.who))) return location.assign(form.dataset.done)
  form.querySelectorAll('[data-number], [data-send]').forEach((one) => { one.hidden = true })
  const saved = form.querySelector('[data-saved]')
  saved.hidden = false
  saved.focus()
})
refresh()
