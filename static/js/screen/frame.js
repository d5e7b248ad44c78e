// A photo in a frame, with buttons that zoom and the controls of brightness below it (components/photo_frame.html): on the
// review desk, and where a photo of any page is opened.

import { followBrightness } from "./brightness-panel.js";
import { Viewer } from "./viewer.js";

/**
 * Wakes the frame in `root`, and says how its photo is looked at: a Viewer. `before`: that of the photo before, whose
 * brightness stays unless each photo starts as it is.
 */
export function wakeFrame(root, { before = null, pageScrolls = false } = {}) {
  const stage = root.querySelector("[data-stage]");
  const holder = stage.querySelector("[data-holder]");
  const image = holder.querySelector("img");
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  const photo = { width, height, tiles: stage.dataset.tiles };
  const line = stage.querySelector("[data-lens]");
  const viewer = new Viewer({ stage, holder, photo: () => photo, image: () => image, line, pageScrolls });
  const asItIs = () => viewer.asItIs();
  const steps = { 1: () => viewer.lens.zoomIn(), "-1": () => viewer.lens.zoomOut(), 0: asItIs };
  for (const button of root.querySelectorAll("[data-zoom-by]")) {
    button.addEventListener("click", steps[button.dataset.zoomBy]);
  }
  root.querySelector("[data-zoom-tools]").hidden = false;
  const startsPlain = followBrightness(root.querySelector("[data-brightness]"), viewer, { reset: asItIs });
  if (before && !startsPlain()) viewer.brightness.set(before.brightness);
  image.addEventListener("load", () => viewer.light());
  viewer.light();
  return viewer;
}
