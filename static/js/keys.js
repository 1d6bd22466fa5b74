// Keys of every page: ? help, / finds a patient, [ ] a day earlier or later in the time machine, j k move through rows, Enter opens, u takes back the last step, arrow keys read a chart day by day.
// Single letters can be switched off on the help page: who speaks to the computer says letters without meaning them (WCAG 2.1.4).
const KEPT = "single-keys";
export const lettersWork = () => localStorage.getItem(KEPT) !== "off";
const rows = () => [...document.querySelectorAll("tr[data-href], article[data-row]")];
let at = -1;

const typing = (target) => target.closest("input, select, textarea, [contenteditable]");

function move(step) {
  const all = rows();
  if (!all.length) return;
  all[at]?.classList.remove("cursor");
  at = Math.min(Math.max(at + step, 0), all.length - 1);
  all[at].classList.add("cursor");
  (all[at].querySelector("a") ?? all[at]).focus({ preventScroll: true });
  all[at].scrollIntoView({ block: "nearest" });
}

function press(key) {
  const row = rows()[at];
  const wanted = row?.querySelector(`[data-key="${key}"]`);
  if (!wanted) return false;
  if (wanted.tagName === "DETAILS") {
    wanted.open = true;
    wanted.querySelector("select, input:not([type=hidden])")?.focus();
  } else wanted.click();
  return true;
}

const actions = {
  "?": () => location.assign(document.body.dataset.help),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  u: () => document.querySelector("[data-undo] button")?.click(),
  "[": () => document.querySelector("[data-earlier]")?.click(),
  "]": () => document.querySelector("[data-later]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.target.closest("[data-walk]") && walk(event)) return;
  if (!lettersWork()) return;
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  } else if ("asr".includes(event.key) && press(event.key)) event.preventDefault();
});

const letters = document.querySelector("[data-letters]");
function drawLetters() {
  if (!letters) return;
  letters.hidden = false;
  letters.setAttribute("aria-pressed", String(lettersWork()));
  letters.textContent = `Single keys: ${lettersWork() ? "on" : "off"}`;
}
letters?.addEventListener("click", () => {
  localStorage.setItem(KEPT, lettersWork() ? "off" : "on");
  drawLetters();
});
drawLetters();

// A chart is read aloud row by row from the table that holds the same numbers.
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!step) return false;
  event.preventDefault();
  const plot = event.target.closest("[data-walk]");
  const days = [...document.querySelectorAll(`#${plot.dataset.walk} tbody tr`)];
  if (!days.length) return true;
  const now = Number(plot.dataset.at ?? (step > 0 ? -1 : days.length));
  const next = Math.min(Math.max(now + step, 0), days.length - 1);
  plot.dataset.at = next;
  const heads = [...document.querySelectorAll(`#${plot.dataset.walk} thead th`)].map((th) => th.textContent.trim());
  const said = [...days[next].children].map((cell, i) => (cell.textContent.trim() ? `${heads[i]} ${cell.textContent.trim()}` : ""));
  document.querySelector(`[data-walk-out="${plot.dataset.walk}"]`).textContent = [...said, days[next].dataset.place].filter(Boolean).join(", ");
  mark(plot, days[next].dataset.x);
  return true;
}

function mark(plot, x) {
  let line = plot.querySelector(".c-cursor");
  if (!line) {
    line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("class", "c-cursor");
    line.setAttribute("y1", "0");
    line.setAttribute("y2", "190");
    plot.append(line);
  }
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
}
