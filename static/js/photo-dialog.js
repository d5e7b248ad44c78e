// A photo of any page (the template tag `photo_link`), opened large over it: zoom down to its own pixels, brightness. Without
// this script the link leads to its screen-sized picture.

import { wakeFrame } from "./screen/frame.js";
import { isHeld, isShortcut, keyOf } from "./screen/keys.js";

const template = document.getElementById("photo-dialog");
let viewer = null; // of the photo that was opened last

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-photo]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // then the browser opens it
  event.preventDefault();
  open(link);
});

function open(link) {
  const dialog = template.content.cloneNode(true).querySelector("dialog");
  const { photo: name, width, height, tiles } = link.dataset;
  dialog.setAttribute("aria-label", name);
  const image = dialog.querySelector("[data-holder] img");
  Object.assign(image, { width, height, alt: link.querySelector("img")?.alt ?? name, src: link.href });
  dialog.querySelector("[data-stage]").dataset.tiles = tiles;
  dialog.querySelector("[data-name]").textContent = name;
  dialog.querySelector("[data-size]").textContent = `${width} × ${height}`;
  document.body.append(dialog);
  viewer = wakeFrame(dialog, { before: viewer });
  dialog.addEventListener("keydown", onKey);
  dialog.querySelector("[data-end]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    tell();
  });
  dialog.showModal();
  tell();
}

/** Keys are meant for this photo, and for nothing of the page below. */
function onKey(event) {
  event.stopPropagation();
  if (isShortcut(event) || event.isComposing) return;
  if (event.target.closest("input[type=range]") && event.key.startsWith("Arrow")) return; // they move it
  const key = keyOf(event);
  if (!isHeld(event, key) && viewer.key(key)) event.preventDefault();
}

/** The page is covered, or seen again. */
function tell() {
  document.dispatchEvent(new Event("photo-dialog"));
}
