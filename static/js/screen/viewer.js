// A photo that is looked at closely: zoom down to its own pixels, brightness, mirrored or turned, and the line over it that
// says how it is looked at. Which photo that is, its page knows.

import { Brightness } from "./brightness.js";
import { Detail } from "./detail.js";
import { Lens } from "./lens.js";
import { Orientation } from "./orientation.js";

export class Viewer {
  #holder;
  #image;
  #photo;
  orientation = new Orientation();

  /**
   * `holder` lies in `stage`, which clips it, and holds the photo's element, `image()`. `photo()` is its { width, height,
   * tiles }, or null; `line` the element that says how it is looked at (components/lens_line.html).
   */
  constructor({ stage, holder, photo, image, line, brightness = new Brightness(), pageScrolls = false }) {
    this.#holder = holder;
    this.#image = image;
    this.#photo = photo;
    const { orientation } = this;
    this.brightness = brightness;
    this.lens = new Lens({ stage, holder, photo: () => orientation.seen(photo()), pageScrolls });
    this.detail = new Detail({ lens: this.lens, holder, photo, orientation });
    brightness.addEventListener("change", () => this.light());
    orientation.addEventListener("change", ({ detail: went }) => this.#lay(went));
    this.lens.addEventListener("sized", () => this.#lay());
    for (const each of [this.lens, this.detail, brightness, orientation]) each.addEventListener("change", () => this.#say(line));
  }

  /** The photo in the brightness that is chosen. */
  light() {
    this.#holder.style.filter = this.brightness.filter(this.#image());
  }

  /** Another photo: zoom, turns and mirror belong to the one before. */
  afresh() {
    this.lens.resetZoom();
    this.orientation.reset();
  }

  asItIs() {
    this.afresh();
    this.brightness.reset();
  }

  /** Whether the key meant how the photo is looked at. */
  key(key) {
    if (key === "0") return this.asItIs(), true;
    return this.lens.key(key) || this.brightness.key(key) || this.orientation.key(key);
  }

  /** The photo's element lies as it is to, as large as the stage allows. The lens follows what `went` elsewhere. */
  #lay(went = null) {
    const [image, photo] = [this.#image(), this.#photo()];
    if (!image || !photo) return;
    const { orientation, lens } = this;
    const grown = orientation.plain ? 1 : lens.fit(orientation.seen(photo)).scale / lens.fit(photo).scale;
    const lies = orientation.matrix(photo).slice(0, 4);
    image.style.transform = orientation.plain ? "" : `matrix(${lies}, 0, 0) scale(${grown || 1})`;
    if (went) lens.lookAt(...went((size) => lens.middle(size), photo));
  }

  #say(line) {
    const { saidZoom, saidOwnPixels, saidLevelled, saidBrightness, saidContrast, saidInverted, saidMirrored, saidTurned } = line.dataset;
    const { levelled, inverted, brightness, contrast } = this.brightness;
    const { mirrored, turns } = this.orientation;
    const parts = [];
    if (this.lens.scale > 1) parts.push(saidZoom.replace("{n}", Math.round(this.lens.scale * 100)));
    if (this.detail.state === "whole") parts.push(saidOwnPixels);
    if (mirrored) parts.push(saidMirrored);
    if (turns) parts.push(saidTurned);
    if (levelled) parts.push(saidLevelled);
    if (inverted) parts.push(saidInverted);
    if (brightness !== 100) parts.push(saidBrightness.replace("{n}", brightness));
    if (contrast !== 100) parts.push(saidContrast.replace("{n}", contrast));
    line.hidden = !parts.length;
    line.textContent = parts.join(" · ");
  }
}
