// The board: changed rows are replaced in place; while someone points at or works in the table a bar counts them instead.
import { bar, busy, follow, fragment } from "./live.js";

const NONE = "00000000-0000-0000-0000-000000000000";
const board = document.querySelector("#board");
const waiting = new Set();

async function renew(key) {
  const old = board.querySelector(`tr[data-episode="${key}"]`);
  if (!old) return;
  const fresh = (await fragment(board.dataset.rowUrl.replace(NONE, key)))?.querySelector("tr");
  if (fresh) old.replaceWith(fresh);
  else old.remove();
}

function settle() {
  const keys = [...waiting];
  waiting.clear();
  document.querySelector("#updates").hidden = true;
  keys.forEach((key) => renew(key).catch(() => waiting.add(key)));
}

function onChange(event) {
  waiting.add(event.episode);
  if (!board.querySelector(`tr[data-episode="${event.episode}"]`)) {
    waiting.delete(event.episode);
    bar("Others have changed: reload the list", () => location.reload());
  } else if (busy(board)) bar(`${waiting.size} update${waiting.size > 1 ? "s" : ""}: show`, settle);
  else settle();
}

if (board) {
  follow(board, onChange);
  board.addEventListener("pointerleave", () => waiting.size && !busy(board) && settle());
}
