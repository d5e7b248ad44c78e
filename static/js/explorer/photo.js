// The page of one photo: it is looked at as on the labeling screen, and what was refused is read first.

import { wakeFrame } from "../screen/frame.js";
import { isHeld, isShortcut, keyOf } from "../screen/keys.js";

const root = document.getElementById("explored");
const stage = root.querySelector("[data-stage]");
const viewer = wakeFrame(root, { pageScrolls: true });

document.getElementById("explored-error")?.focus();

document.addEventListener("keydown", (event) => {
  if (isShortcut(event) || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const key = keyOf(event);
  if (key.startsWith("Arrow") && !stage.contains(event.target)) return; // elsewhere they scroll the page
  if (!isHeld(event, key) && viewer.key(key)) event.preventDefault();
});
