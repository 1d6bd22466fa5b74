// The connection status, live: every ten seconds the page is asked for again and what has changed is put in place.
// Forms are outside of what is replaced, so that nothing typed is lost.
const EVERY_MS = 10_000;
const parts = () => document.querySelectorAll("[data-live]");

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    place(fresh);
  } catch {
    told(`${document.querySelector('[data-live="at"]').textContent.split(" (")[0]} (no answer since)`);
  }
}

function told(words) {
  document.querySelector('[data-live="at"]').textContent = words;
}

function place(fresh) {
  const known = new Set();
  for (const old of parts()) {
    known.add(old.dataset.live);
    const found = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
    if (found && found.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) old.replaceChildren(...found.childNodes);
  }
  const isTyping = document.activeElement?.matches("input, textarea") || document.querySelector("details[open]");
  const isNew = [...fresh.querySelectorAll("[data-live]")].some((one) => !known.has(one.dataset.live));
  const letters = (page) => page.querySelectorAll(".letter").length;
  if ((isNew || letters(fresh) !== letters(document)) && !isTyping) location.reload();
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
