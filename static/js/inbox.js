// The alert inbox: rows never move under a hand, actions go by fetch, and what was not sent is not pretended.
import { lettersWork } from "./keys.js";
import { bar, follow } from "./live.js";

const list = document.querySelector("#live");
const panel = document.querySelector("#panel");
const title = document.title;
let changes = 0;
let known = null; // the last pulse
let asked = 0; // numbers the details asked for: a late answer never replaces a newer one
const mine = []; // episodes whose change this page made itself: its echo is no news here
const ECHO_MS = 10000;

const OFFLINE = "You are offline, or the server cannot be reached. Nothing was done and nothing is kept to be sent later: try again when you are connected.";
const say = (text, now = false) => (document.querySelector(now ? "#say-now" : "#say").textContent = text);

function trouble(text) {
  const place = document.querySelector("#trouble");
  place.textContent = text;
  place.hidden = !text;
}

const rowOf = (key) => document.getElementById(`alert-${key}`);
const current = () => list.querySelector(".cursor[data-row]") ?? list.querySelector("[data-row][aria-current]");

function part(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// One answer holds the row and the detail, as the server draws them now.
function show(html, { openDetail = true } = {}) {
  const fresh = part(html);
  const row = fresh.querySelector("[data-row]");
  const detail = fresh.querySelector("#detail");
  if (!row || !detail) return location.reload();
  const old = document.getElementById(row.id);
  const cursor = old?.classList.contains("cursor");
  const ticked = old?.querySelector("input[name=alerts]")?.checked;
  for (const one of list.querySelectorAll("[data-row][aria-current]")) one.removeAttribute("aria-current");
  old?.replaceWith(row);
  if (cursor) row.classList.add("cursor");
  if (ticked && row.querySelector("input[name=alerts]")) row.querySelector("input[name=alerts]").checked = true;
  if (!openDetail) return detail;
  panel.replaceChildren(detail);
  panel.scrollTop = 0;
  document.querySelector(".inbox").classList.add("open");
  forget();
  return detail;
}

// An undo is on offer for ten seconds, longer only while somebody is on it.
function forget() {
  for (const undo of document.querySelectorAll("[data-undo]")) {
    setTimeout(() => undo.matches(":focus-within") || undo.remove(), 10000);
  }
}

async function ask(url, options = {}) {
  if (!navigator.onLine) throw new TypeError("offline");
  const answer = await fetch(url, { ...options, headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected) {
    location.reload(); // signed out
    throw new Error("signed out");
  }
  return answer;
}

async function open(key, { focus = false } = {}) {
  const mine = ++asked;
  try {
    const answer = await ask(`/alerts/${key}/`);
    if (mine !== asked) return false;
    if (!answer.ok) return trouble("This alert cannot be shown any more: reload the list."), false;
    const detail = show(await answer.text());
    trouble("");
    history.replaceState(null, "", `${list.dataset.here}&alert=${key}`);
    if (focus || matchMedia("(max-width: 999px)").matches) detail.focus();
    return true;
  } catch {
    trouble(OFFLINE);
    return false;
  }
}

async function act(form) {
  const key = form.action.match(/alerts\/([0-9a-f-]{36})\//)[1];
  const row = rowOf(key);
  const quick = Boolean(form.closest("[data-row]"));
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  row?.classList.add("busy");
  const echo = expectEcho(row?.dataset.episode);
  try {
    const answer = await ask(form.action, { method: "POST", body: new FormData(form) });
    if (![200, 400, 409].includes(answer.status)) throw new Error(answer.status);
    if (answer.status !== 200) unexpect(echo);
    const detail = show(await answer.text());
    trouble("");
    const said = detail.querySelector(".note")?.textContent.trim() ?? "Done.";
    say(said, answer.status !== 200);
    if (quick) rowOf(key)?.querySelector("a")?.focus({ preventScroll: true });
    else detail.focus({ preventScroll: true });
    pulse();
  } catch (error) {
    unexpect(echo);
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    row?.classList.remove("busy");
    trouble(error instanceof TypeError ? OFFLINE : "That did not work and nothing was changed. Reload the page and look again.");
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-act]")) return;
  event.preventDefault();
  act(event.target);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link.closest("[data-row]").dataset.alert);
});

// s, e and r live in the detail: it must be that of the row in hand before the key does anything.
document.addEventListener("keydown", async (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !"ser".includes(event.key) || event.key.length !== 1 || !lettersWork()) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  const key = current()?.dataset.alert ?? panel.querySelector("#detail")?.dataset.for;
  if (!key) return;
  event.preventDefault();
  if (panel.querySelector("#detail")?.dataset.for !== key && !(await open(key))) return;
  const wanted = panel.querySelector(`[data-key="${event.key}"]`);
  if (!wanted) return;
  wanted.open = true;
  wanted.querySelector("select, input:not([type=hidden])")?.focus();
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "alerts") return;
  const count = document.querySelectorAll("input[name=alerts]:checked").length;
  document.querySelector("#chosen").textContent = count ? `: ${count} chosen` : "";
  if (count) document.querySelector("#many details").open = true;
});

// Sound: off until somebody asks for it here, and never the only sign.
const sound = document.querySelector("#sound");
const wanted = () => localStorage.getItem("alert-sound") === "on";
function drawSound() {
  sound.textContent = `Sound: ${wanted() ? "on" : "off"}`;
  sound.setAttribute("aria-pressed", String(wanted()));
  sound.classList.add("ready"); // its place is kept from the start: nothing moves when the script comes
}
function ring() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const loud = audio.createGain();
  loud.gain.value = 0.15;
  tone.frequency.value = 660;
  tone.connect(loud).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.35);
}
sound.addEventListener("click", () => {
  localStorage.setItem("alert-sound", wanted() ? "off" : "on");
  drawSound();
  if (wanted()) ring();
});

async function pulse() {
  try {
    const answer = await ask(list.dataset.pulse);
    if (!answer.ok) return;
    const now = await answer.json();
    document.title = now.open ? `(${now.open}) ${title}` : title;
    if (known && now.high > known.high) {
      say("A new high alert", true);
      if (wanted()) ring();
    }
    known = now;
  } catch {
    // the live line above the list says that the connection is lost
  }
}

// Before the answer comes: the stream may be quicker.
function expectEcho(episode) {
  const echo = { episode };
  mine.push(echo);
  setTimeout(unexpect, ECHO_MS, echo);
  return echo;
}

function unexpect(echo) {
  if (mine.includes(echo)) mine.splice(mine.indexOf(echo), 1);
}

// True once for each change that this page made.
function isEcho(episode) {
  const place = mine.findIndex((one) => one.episode === episode);
  if (place >= 0) mine.splice(place, 1);
  return place >= 0;
}

follow(list, (event) => {
  if (event.kind !== "alert") return;
  if (isEcho(event.episode)) return pulse();
  changes += 1;
  const text = `${changes} change${changes > 1 ? "s" : ""}: reload the list`;
  bar(text, () => location.reload());
  // in a place of its own: it must not wipe out what the page answers to a person's own click
  if (changes === 1) document.querySelector("#say-list").textContent = "The list has changed";
  pulse();
});
addEventListener("offline", () => trouble(OFFLINE));
addEventListener("online", () => trouble(""));
drawSound();
pulse();
forget();
