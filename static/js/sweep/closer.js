// A closer look at one photo of the grid, large, with zoom and brightness. It knows neither its mark nor the others.

import { Detail } from "../screen/detail.js";
import { Lens } from "../screen/lens.js";
import { $ } from "../screen/page.js";

export class Closer {
  #cell = null; // the cell that is looked at
  #image = new Image();
  #brightness;
  #closed;
  lens = new Lens({ stage: $("closer"), holder: $("closer-photo"), photo: () => this.#cell?.photo ?? null });
  detail = new Detail({ lens: this.lens, holder: $("closer-photo") });

  /** `closed()` is called when the grid is seen again. */
  constructor({ brightness, closed }) {
    this.#brightness = brightness;
    this.#closed = closed;
    this.#image.className = "lb-photo on";
    this.#image.draggable = false;
    this.#image.addEventListener("load", () => this.#light());
    brightness.addEventListener("change", () => this.#light());
    $("closer-end").addEventListener("click", () => this.close());
  }

  get open() {
    return Boolean(this.#cell);
  }

  /** `name` tells the photo to who cannot see it. */
  show(cell, name) {
    this.lens.resetZoom();
    this.#cell = cell;
    this.#image.remove(); // the photo before is not seen while this one comes
    this.#image.alt = name;
    this.#image.src = cell.photo.screen;
    $("closer-photo").prepend(this.#image);
    $("closer").hidden = false;
  }

  /** Says whether it was open. */
  close() {
    if (!this.#cell) return false;
    this.lens.resetZoom();
    this.#cell = null;
    $("closer").hidden = true;
    this.#image.remove();
    this.#closed();
    return true;
  }

  /** Whether the key was meant for the closer look. */
  key(key) {
    if (!this.#cell) return false;
    if (key === "-" && this.lens.scale === 1) return this.close();
    return this.lens.key(key);
  }

  #light() {
    $("closer-photo").style.filter = this.#brightness.filter(this.#image);
  }
}
