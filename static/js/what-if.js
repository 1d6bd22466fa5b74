// What-if: slider and number say the same; letting go of either asks, and the answer comes below it, focus where it was.
// Without this file the number and its button ask by an ordinary address.
const PAUSE_MS = 250;
const NO_ANSWER = "No answer came: the connection is away. Ask again with Show.";
const forms = [...document.querySelectorAll("[data-what-if]")];
const answerOf = (root, form) => root.getElementById(form.closest("section").id)?.querySelector("[data-answer]");
let running = null;

async function ask(form) {
  running?.abort();
  const mine = (running = new AbortController());
  const url = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
  const told = form.closest("section").querySelector("[data-told]");
  const here = answerOf(document, form);
  for (const one of forms) answerOf(document, one).removeAttribute("aria-busy");
  here.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { signal: mine.signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = answer.ok && answerOf(page, form);
    if (!found || answer.redirected) return location.assign(url);
    // The page tells of one question at a time, as its address does.
    for (const one of forms) answerOf(document, one).replaceChildren(...answerOf(page, one).childNodes);
    history.replaceState(null, "", url);
    told.textContent = [...here.querySelectorAll("[data-said]")].map((one) => one.textContent).join(" ");
  } catch (error) {
    if (error.name === "AbortError") return;
    told.textContent = "";
    const note = Object.assign(document.createElement("div"), { className: "note bad", textContent: NO_ANSWER });
    note.setAttribute("role", "alert");
    here.replaceChildren(note);
  } finally {
    if (running === mine) here.removeAttribute("aria-busy");
  }
}

function wire(form) {
  const [slider, typed] = [form.querySelector("[type=range]"), form.querySelector("[type=number]")];
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
  if (!slider) return;
  const say = () => slider.setAttribute("aria-valuetext", `${slider.value} ${slider.dataset.unit}`.trim());
  let waits = 0;
  const soon = () => {
    clearTimeout(waits);
    waits = setTimeout(() => form.requestSubmit(), PAUSE_MS);
  };
  slider.addEventListener("input", () => {
    typed.value = slider.value;
    say();
  });
  slider.addEventListener("change", soon);
  typed.addEventListener("change", () => {
    if (!typed.checkValidity()) return;
    slider.value = typed.value;
    say();
    soon();
  });
  // Outside the range nothing is answered, and no older answer stands beside the new number.
  typed.addEventListener("invalid", () => answerOf(document, form).replaceChildren());
  slider.closest(".slide").hidden = false;
  say();
}

forms.forEach(wire);
