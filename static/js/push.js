// Lets this browser be woken by push messages, when the person asks for it.
const part = document.querySelector("#push");
const state = document.querySelector("#push-state");
const button = document.querySelector("#push-on");
const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat(-text.length & 3)), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function draw() {
  if (!can) return (state.textContent = "This browser cannot show push messages.");
  if (Notification.permission === "denied") return (state.textContent = "Messages are blocked for this site in the browser's settings.");
  const worker = await navigator.serviceWorker.getRegistration(part.dataset.worker);
  const held = await worker?.pushManager.getSubscription();
  state.textContent = held ? "This browser will be woken." : "This browser is not woken.";
  button.hidden = Boolean(held);
}

async function subscribe() {
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") return draw();
    await navigator.serviceWorker.register(part.dataset.worker);
    const worker = await navigator.serviceWorker.getRegistration(part.dataset.worker);
    const held = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(part.dataset.key) });
    const body = new FormData(part.querySelector("form"));
    body.set("endpoint", held.endpoint);
    body.set("p256dh", text(held.getKey("p256dh")));
    body.set("auth", text(held.getKey("auth")));
    const answer = await fetch(part.dataset.add, { method: "POST", body });
    const said = await answer.json();
    if (!answer.ok) await held.unsubscribe();
    await draw();
    state.textContent = said.said;
  } catch {
    state.textContent = "That did not work: the browser or its push service refused.";
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", subscribe);
draw();
