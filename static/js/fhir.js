// Try the FHIR door. The token lives in its input field: never stored, never put into an address.
const form = document.querySelector("#try");
const token = document.querySelector("#token");
const path = document.querySelector("#path");
const state = document.querySelector("#status");
const answer = document.querySelector("#answer");
const STANDS_FOR_A_PATIENT = "PATIENT";
const PROGRESS_MS = 3000;

function base() {
  return new URL(form.dataset.base, location.href);
}

function ask(address) {
  const headers = { Accept: "application/fhir+json" };
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  return fetch(address, { headers, credentials: "omit", cache: "no-store" });
}

async function send() {
  state.textContent = "Asking";
  answer.hidden = true;
  try {
    if (path.value.includes(STANDS_FOR_A_PATIENT) && !(await fillPatient())) return;
    const began = performance.now();
    const address = new URL(path.value.replace(/^\/+/, ""), base());
    if (address.origin !== location.origin || !address.pathname.startsWith(form.dataset.base)) {
      state.textContent = "Only addresses of this server can be asked.";
      return;
    }
    const response = await ask(address);
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    state.textContent = `${response.status} ${response.statusText} in ${took} ms`;
    if (response.status === 401) state.textContent += ": paste a token that is valid.";
    answer.textContent = pretty(text);
    answer.hidden = false;
  } catch (error) {
    state.textContent = `No answer: ${error.message}`;
  }
}

// The first patient that the token finds takes the place of PATIENT; says why when there is none.
async function fillPatient() {
  const response = await ask(new URL("Patient?_count=1", base()));
  const found = response.ok ? (await response.json()).entry?.[0]?.resource?.id : undefined;
  if (found) {
    path.value = path.value.replaceAll(STANDS_FOR_A_PATIENT, found);
  } else if (response.status === 401) {
    state.textContent = "Paste a token first: a patient is looked up with it.";
    token.focus();
  } else {
    state.textContent = response.ok ? "There is no patient yet." : `${response.status}: the token may not find patients.`;
  }
  return Boolean(found);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// Twins that a mapping touched are brought up to date in the background: asked for until none waits.
async function followProgress(section) {
  const rows = [...section.querySelectorAll("[data-row]")];
  if (!rows.some((row) => Number(row.dataset.waiting) > 0)) return;
  try {
    const response = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) return;
    const { progress } = await response.json();
    for (const row of rows) {
      const [done, twins] = progress[row.dataset.row] ?? [0, 0];
      if (!twins) continue;
      row.dataset.waiting = twins - done;
      row.querySelector("progress").value = done;
      row.querySelector("span").textContent = `${done} of ${twins} twins up to date`;
    }
  } catch {
    // the next round asks again
  }
  setTimeout(() => followProgress(section), PROGRESS_MS);
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  for (const button of form.querySelectorAll("[data-path]")) {
    button.addEventListener("click", () => {
      path.value = button.dataset.path;
      send();
    });
  }
}
const codes = document.querySelector("#codes");
if (codes) followProgress(codes);
