// A photo that is looked at closely: zoom down to its own pixels, brightness, and the line over it that says how it is looked
// at. Which photo that is, its page knows.

import { Brightness } from "./brightness.js";
import { Detail } from "./detail.js";
import { Lens } from "./lens.js";

export class Viewer {
  #holder;
  #image;

  /**
   * `holder` lies in `stage`, which clips it, and holds the photo's element, `image()`. `photo()` is its { width, height,
   * tiles }, or null; `line` the element that says how it is looked at (components/lens_line.html).
   */
  constructor({ stage, holder, photo, image, line, brightness = new Brightness(), pageScrolls = false }) {
    this.#holder = holder;
    this.#image = image;
    this.brightness = brightness;
    this.lens = new Lens({ stage, holder, photo, pageScrolls });
    this.detail = new Detail({ lens: this.lens, holder });
    brightness.addEventListener("change", () => this.light());
    for (const each of [this.lens, this.detail, brightness]) each.addEventListener("change", () => this.#say(line));
  }

  /** The photo in the brightness that is chosen. */
  light() {
    this.#holder.style.filter = this.brightness.filter(this.#image());
  }

  asItIs() {
    this.lens.resetZoom();
    this.brightness.reset();
  }

  /** Whether the key meant how the photo is looked at. */
  key(key) {
    if (key === "0") return this.asItIs(), true;
    return this.lens.key(key) || this.brightness.key(key);
  }

  #say(line) {
    const { saidZoom, saidOwnPixels, saidLevelled, saidBrightness, saidContrast } = line.dataset;
    const { levelled, brightness, contrast } = this.brightness;
    const parts = [];
    if (this.lens.scale > 1) parts.push(saidZoom.replace("{n}", Math.round(this.lens.scale * 100)));
    if (this.detail.state === "whole") parts.push(saidOwnPixels);
    if (levelled) parts.push(saidLevelled);
    if (brightness !== 100) parts.push(saidBrightness.replace("{n}", brightness));
    if (contrast !== 100) parts.push(saidContrast.replace("{n}", contrast));
    line.hidden = !parts.length;
    line.textContent = parts.join(" · ");
  }
}
