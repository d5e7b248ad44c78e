// Keys on the photos behind a cell of the confusion table: arrows move the focus, N and P turn the page.
import { isShortcut, keyOf } from "./screen/keys.js";

const links = [...document.querySelectorAll("[data-cell-photos] a.photo-thumb")];

function columns() {
  const top = links[0].offsetTop;
  const other = links.findIndex((link) => link.offsetTop !== top);
  return other < 0 ? links.length : other;
}

document.addEventListener("keydown", (event) => {
  if (isShortcut(event) || !links.length) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const page = { n: "next", p: "prev" }[keyOf(event)];
  if (page) {
    document.querySelector(`a[rel="${page}"]`)?.click();
    return;
  }
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
  if (!step) return;
  const at = links.indexOf(document.activeElement);
  const to = at < 0 ? 0 : at + step;
  if (to < 0 || to >= links.length) return;
  event.preventDefault();
  links[to].focus();
});
