// The page of a person's own keys: a field takes the key that is pressed as the screens will, on any layout and with any
// input method. Without this script the sign is typed.

import { isShortcut, keyOf } from "./screen/keys.js";

const FIELD = "[data-own-keys] input:not([type=hidden])";

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.(FIELD);
  if (!field || isShortcut(event)) return;
  const key = keyOf(event);
  if (key.length !== 1 || key === " ") return; // Tab, Enter and arrows do what they do in any form
  event.preventDefault();
  field.value = key.toUpperCase();
});
document.addEventListener("focusin", (event) => {
  const field = event.target.closest?.(FIELD);
  if (field) field.select();
});
