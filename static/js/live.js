// What changed, as it changes: server-sent events, or polling where the server or a proxy cannot stream.
const POLL_MS = 5000;

export function follow(root, onChange) {
  const state = document.querySelector("#live-state");
  const say = (text) => state && (state.textContent = text);
  let after = root.dataset.after;

  function stream() {
    const source = new EventSource(`${root.dataset.live}?after=${after}`);
    let opened = false;
    source.onopen = () => {
      opened = true;
      say("Live");
    };
    for (const kind of ["twin", "alert"]) {
      source.addEventListener(kind, (event) => {
        after = event.lastEventId || after;
        onChange(JSON.parse(event.data));
      });
    }
    source.onerror = () => {
      say(opened ? "Connection lost, trying again" : "");
      if (source.readyState === EventSource.CLOSED) {
        source.close();
        poll();
      }
    };
    addEventListener("pagehide", () => source.close());
  }

  async function poll() {
    try {
      const answer = await fetch(`${root.dataset.poll}?after=${after}`, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 401 || answer.status === 403) return say("Signed out: reload the page");
      if (!answer.ok) throw new Error(answer.status);
      const said = await answer.json();
      after = said.last;
      say("Live, checked every 5 s");
      said.events.forEach(onChange);
    } catch {
      say("Connection lost, trying again");
    }
    setTimeout(poll, POLL_MS);
  }

  stream();
}

// Content waits behind a bar while somebody is reading or typing in it.
export function busy(element) {
  return element.matches(":hover, :focus-within");
}

export function bar(text, onClick) {
  const holder = document.querySelector("#updates");
  const button = holder.querySelector("button");
  button.textContent = text;
  button.onclick = () => {
    holder.hidden = true;
    onClick();
  };
  holder.hidden = false;
}

export async function fragment(url) {
  const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected) throw new Error("signed out");
  if (!answer.ok) return null;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return template.content;
}
