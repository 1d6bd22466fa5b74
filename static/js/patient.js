// One patient: renews itself when the twin or an alert changes; interactive charts on request.
import { bar, busy, follow, fragment } from "./live.js";

const live = document.querySelector("#live");
const undo = document.querySelector("[data-undo]");

function offer(root) {
  root.querySelectorAll("[data-explore], [data-copy]").forEach((button) => {
    button.hidden = false;
  });
}

// Folds stand open on wide screens and on paper by the style sheet; a browser that cannot, opens them here.
const unable = !CSS.supports("selector(::details-content)");
const folds = (wanted) => live.querySelectorAll("details.fold").forEach((one) => wanted(one) && (one.open = true));
const unfold = () => unable && matchMedia("(min-width: 761px)").matches && folds(() => true);

async function renew() {
  const fresh = (await fragment(live.dataset.now))?.querySelector("#twin");
  const old = live.querySelector("#twin");
  if (!fresh || fresh.dataset.version === old.dataset.version) return;
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  const explored = [...old.querySelectorAll(".explore:not([hidden])")];
  const top = scrollY;
  old.replaceWith(fresh);
  const details = [...fresh.querySelectorAll("details")];
  if (details.length === open.length) details.forEach((one, i) => (one.open = open[i]));
  unfold();
  explored.forEach((one) => document.getElementById(one.id)?.replaceWith(one));
  offer(fresh);
  scrollTo({ top, behavior: "instant" });
}

// Someone typing a reason or reading a list of choices must not lose it.
const atWork = () => live.querySelector("details[open]:not(.fold) form") || live.querySelector("form:focus-within");

function onChange(event) {
  if (event.episode !== live.dataset.episode) return;
  if (atWork()) bar("This patient has changed: show", () => renew());
  else renew().catch(() => bar("Could not renew: reload the page", () => location.reload()));
}

function load(source) {
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = done;
    script.onerror = fail;
    document.head.append(script);
  });
}

// Plotly writes its rules into a sheet of ours, so that no inline style is needed (see static/vendor/NOTICE).
function sheet(source) {
  if (document.getElementById("plotly.js-style-global")) return Promise.resolve();
  return new Promise((done) => {
    const link = Object.assign(document.createElement("link"), { id: "plotly.js-style-global", rel: "stylesheet", href: source });
    link.onload = done;
    document.head.append(link);
  });
}

let library;
function plotly() {
  library ??= sheet(live.dataset.plotlyCss).then(() => load(live.dataset.plotly));
  return library;
}

function themed(layout) {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { gridcolor: token("--line"), linecolor: token("--edge") };
  return {
    ...layout,
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { color: token("--ink"), family: "system-ui, sans-serif", size: 13 },
    xaxis: { ...layout.xaxis, ...axis },
    yaxis: { ...layout.yaxis, ...axis },
    hoverlabel: { bgcolor: token("--card"), font: { color: token("--ink") } },
  };
}

const COLOURS = { "#111417": "--dot", "#0b3c5d": "--course", "#cfe2f0": "--band", "#a9cbe3": "--band-core", "#3e7699": "--band-edge", "#5b6670": "--norm", "#b00020": "--now" };

function recoloured(text) {
  const style = getComputedStyle(document.documentElement);
  return text.replace(/#[0-9a-f]{6}/g, (colour) => (COLOURS[colour] ? style.getPropertyValue(COLOURS[colour]).trim() : colour));
}

async function draw(button, into) {
  const [answer] = await Promise.all([fetch(button.dataset.explore), plotly()]);
  if (!answer.ok) throw new Error(answer.status);
  const figure = JSON.parse(recoloured(await answer.text()));
  await window.Plotly.newPlot(into, figure.data, themed(figure.layout), { displayModeBar: false, responsive: true });
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (!copy) return;
  const text = document.getElementById(copy.dataset.copy);
  text.select();
  const told = copy.parentElement.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(text.value);
    told.textContent = "Copied.";
  } catch {
    told.textContent = "Marked: copy it with the keyboard.";
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-explore]");
  if (!button) return;
  const into = document.getElementById(button.dataset.into);
  into.hidden = !into.hidden;
  const fold = button.closest("details.fold");
  if (fold) fold.open = true; // so that it stays in sight on a window made narrow
  if (into.hidden || into.childElementCount) return;
  const watcher = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watcher.disconnect();
    draw(button, into).catch(() => (into.textContent = "The chart could not be loaded. The table holds the same numbers."));
  });
  watcher.observe(into);
});

// What has been on this page is what the person has seen: told on leaving, so that the next look says what is new.
// Answering an alert comes back to this page: that is no leaving.
let staying = false;
function tellSeen() {
  if (staying) return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  const seen = live.querySelector("#twin")?.dataset.seen;
  if (!token || !seen) return;
  const said = new FormData();
  said.set("csrfmiddlewaretoken", token.value);
  said.set("at", seen);
  navigator.sendBeacon(live.dataset.left, said);
}

// A link of the jump list, or of another page, opens the fold that it leads into.
function reveal() {
  const at = location.hash && document.getElementById(location.hash.slice(1));
  if (at) folds((one) => one.contains(at));
}

if (live) {
  unfold();
  if (unable) addEventListener("beforeprint", () => folds(() => true));
  reveal();
  addEventListener("hashchange", reveal);
  offer(live);
  addEventListener("pagehide", tellSeen);
  live.addEventListener("submit", () => (staying = true));
  follow(live, onChange);
}
if (undo) setTimeout(() => busy(undo) || undo.remove(), 10000);
