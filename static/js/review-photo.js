// The photo in dispute: zoom down to its own pixels, and brightness, as on the labeling screen.

import { followBrightness } from "./screen/brightness-panel.js";
import { Brightness } from "./screen/brightness.js";
import { Detail } from "./screen/detail.js";
import { isShortcut, keyOf } from "./screen/keys.js";
import { Lens } from "./screen/lens.js";

const brightness = new Brightness();
let shown = null; // how the photo on the desk is looked at: { light(), asItIs() }

/** Another dispute lies on the desk, or none. */
export function wakePhoto(desk) {
  shown = null;
  const frame = desk.querySelector("[data-zoom]");
  if (!frame) return;
  const holder = frame.querySelector("[data-zoom-holder]");
  const image = holder.querySelector("img");
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  const photo = { width, height, tiles: frame.dataset.tiles };
  const lens = new Lens({ stage: frame, holder, photo: () => photo, pageScrolls: true });
  const detail = new Detail({ lens, holder });
  const light = () => (holder.style.filter = brightness.filter(image));
  const asItIs = () => {
    lens.resetZoom();
    brightness.reset();
  };
  shown = { light, asItIs };

  const said = desk.querySelector("[data-zoom-said]");
  const tell = () => {
    const own = detail.state === "whole" ? ` · ${said.dataset.own}` : "";
    said.textContent = `${Math.round(lens.scale * 100)} %${own}`;
  };
  for (const each of [lens, detail]) each.addEventListener("change", tell);
  desk.querySelector(".zoom-tools").hidden = false;
  const steps = { 1: () => lens.zoomIn(), "-1": () => lens.zoomOut(), 0: asItIs };
  for (const button of desk.querySelectorAll("[data-zoom-by]")) {
    button.addEventListener("click", steps[button.dataset.zoomBy]);
  }
  frame.addEventListener("keydown", (event) => {
    if (isShortcut(event) || !lens.key(keyOf(event))) return;
    event.preventDefault();
    event.stopPropagation();
  });

  const startsPlain = followBrightness(desk.querySelector("[data-brightness]"), brightness, { reset: asItIs });
  if (startsPlain()) brightness.reset();
  image.addEventListener("load", light);
  light();
}

brightness.addEventListener("change", () => shown?.light());

/** Whether the key meant how the photo is looked at. */
export function photoKey(key) {
  if (!shown) return false;
  if (key === "0") return shown.asItIs(), true;
  return brightness.key(key);
}
