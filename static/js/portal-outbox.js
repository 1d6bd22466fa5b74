// Answers given without a connection: sealed on this phone with a key that cannot leave it, handed in once it is back.
// The server stores an attempt once, however often it arrives, so an item goes only when the server says it has it.
const NAME = 'portal'

function request (asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
}

async function open () {
  const opening = indexedDB.open(NAME, 1)
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('keys')
    opening.result.createObjectStore('outbox', { keyPath: 'id' })
  }
  return request(opening)
}

async function store (name, mode, use) {
  const db = await open()
  try {
    const change = db.transaction(name, mode)
    const done = new Promise((resolve, reject) => { change.oncomplete = resolve; change.onabort = () => reject(change.error) })
    const result = await request(use(change.objectStore(name)))
    await done
    return result
  } finally {
    db.close()
  }
}

async function key () {
  const held = await store('keys', 'readonly', (keys) => keys.get('seal'))
  if (held) return held
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  try {
    await store('keys', 'readwrite', (keys) => keys.add(made, 'seal'))
  } catch { /* another tab was first: its key counts */ }
  return store('keys', 'readonly', (keys) => keys.get('seal'))
}

/** Keep one attempt. `who`: mark of the person signed in; nobody else's session hands it in. */
export async function save (who, url, attempt) {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const text = new TextEncoder().encode(JSON.stringify(attempt))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await key(), text)
  await store('outbox', 'readwrite', (box) => box.put({ id: attempt.client_id, who, url, iv, sealed }))
}

async function items (who) {
  return (await store('outbox', 'readonly', (box) => box.getAll())).filter((one) => one.who === who)
}

export async function waiting (who) {
  return (await items(who)).length
}

/** Hand in everything of this person; returns how many were sent, were there already (held), or were refused. */
export async function flush (who, token) {
  const told = { sent: 0, held: 0, refused: 0 }
  for (const item of await items(who)) {
    const state = await handIn(item, token)
    if (state in told) told[state] += 1
    if (state === 'sent' || state === 'held') await store('outbox', 'readwrite', (box) => box.delete(item.id))
  }
  return told
}

async function handIn (item, token) {
  let answer
  try {
    const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: item.iv }, await key(), item.sealed)
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token, Accept: 'application/json' }
    answer = await fetch(item.url, { method: 'POST', headers, body: text, redirect: 'manual' })
  } catch {
    return 'offline'
  }
  if (!answer.ok) return answer.status >= 500 ? 'offline' : 'refused'
  return (await answer.json()).state
}
