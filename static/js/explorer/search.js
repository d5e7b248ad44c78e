// Keys of the page of all photos: the search, the pages beside this one.

import { isHeld, isShortcut, keyOf } from "../screen/keys.js";

document.addEventListener("keydown", (event) => {
  if (isShortcut(event) || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const key = keyOf(event);
  if (isHeld(event, key)) return;
  const target = key === "/" ? document.querySelector("[data-search]") : document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (key === "/") target.select();
  else target.click();
});
