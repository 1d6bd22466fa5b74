// Try the FHIR door. The token lives in its input field: never stored, never put into an address.
const form = document.querySelector("#try");
const token = document.querySelector("#token");
const path = document.querySelector("#path");
const state = document.querySelector("#status");
const answer = document.querySelector("#answer");

async function send() {
  const headers = { Accept: "application/fhir+json" };
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  state.textContent = "Asking";
  answer.hidden = true;
  try {
    const began = performance.now();
    const address = new URL(path.value.replace(/^\/+/, ""), new URL(form.dataset.base, location.href));
    if (address.origin !== location.origin || !address.pathname.startsWith(form.dataset.base)) {
      state.textContent = "Only addresses of this server can be asked.";
      return;
    }
    const response = await fetch(address, { headers, credentials: "omit", cache: "no-store" });
    const text = await response.text();
    state.textContent = `${response.status} ${response.statusText} in ${Math.round(performance.now() - began)} ms`;
    answer.textContent = pretty(text);
    answer.hidden = false;
  } catch (error) {
    state.textContent = `No answer: ${error.message}`;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  for (const button of form.querySelectorAll("[data-path]")) {
    button.addEventListener("click", () => {
      path.value = button.dataset.path;
      if (path.value.includes("PATIENT")) path.focus();
      else send();
    });
  }
}
