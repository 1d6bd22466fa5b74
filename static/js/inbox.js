// The alert list: it never rearranges itself under a hand; a bar says that there is news.
import { bar, follow } from "./live.js";

const list = document.querySelector("#live");
let count = 0;
const title = document.title;

if (list) {
  follow(list, (event) => {
    if (event.kind !== "alert") return;
    count += 1;
    document.title = `(${count}) ${title}`;
    bar(`${count} change${count > 1 ? "s" : ""}: reload the list`, () => location.reload());
  });
}
const undo = document.querySelector("[data-undo]");
if (undo) setTimeout(() => undo.matches(":focus-within") || undo.remove(), 10000);
