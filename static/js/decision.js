// The heat map over a decision's photo: a button and the key H show and hide it. One listener on the document, because
// a live fragment replaces the photo when the worker has found it.

import { isShortcut, keyOf } from "./screen/keys.js";

let shown = true;

function show() {
  for (const heat of document.querySelectorAll("[data-heat]")) heat.hidden = !shown;
  for (const button of document.querySelectorAll("[data-heat-toggle]")) {
    button.setAttribute("aria-pressed", String(shown));
  }
}

function toggle() {
  shown = !shown;
  show();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-heat-toggle]")) toggle();
});

document.addEventListener("keydown", (event) => {
  if (keyOf(event) !== "h" || isShortcut(event) || event.repeat) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  if (document.querySelector("[data-heat]")) toggle();
});

document.addEventListener("live:updated", show);
