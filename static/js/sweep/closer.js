// A closer look at one photo of the grid, large, with zoom and brightness. It knows neither its mark nor the others.

import { $ } from "../screen/page.js";
import { Viewer } from "../screen/viewer.js";

export class Closer {
  #cell = null; // the cell that is looked at
  #image = new Image();
  #closed;
  viewer = new Viewer({
    stage: $("closer"),
    holder: $("closer-photo"),
    photo: () => this.#cell?.photo ?? null,
    image: () => this.#image,
    line: document.querySelector("[data-lens]"),
  });

  /** `closed()` is called when the grid is seen again. */
  constructor({ closed }) {
    this.#closed = closed;
    this.#image.className = "lb-photo on";
    this.#image.draggable = false;
    this.#image.addEventListener("load", () => this.viewer.light());
    $("closer-end").addEventListener("click", () => this.close());
  }

  get open() {
    return Boolean(this.#cell);
  }

  /** `name` tells the photo to who cannot see it. */
  show(cell, name) {
    this.viewer.afresh();
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
    this.viewer.afresh();
    this.#cell = null;
    $("closer").hidden = true;
    this.#image.remove();
    this.#closed();
    return true;
  }

  /** Whether the key was meant for the closer look. */
  key(key) {
    if (!this.#cell) return false;
    if (key === "-" && this.viewer.lens.scale === 1) return this.close();
    return this.viewer.lens.key(key) || this.viewer.orientation.key(key);
  }
}
