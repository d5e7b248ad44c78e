// A closer look at one photo of the grid, large, with zoom and light. It knows neither its mark nor the others.

import { Lens } from "../screen/lens.js";
import { $ } from "../screen/page.js";

export class Closer {
  #cell = null; // the cell that is looked at
  #lens = new Lens({ stage: $("closer"), holder: $("closer-photo"), photo: () => this.#cell?.photo ?? null });
  #closed;

  /** `closed()` is called when the grid is seen again. */
  constructor({ closed }) {
    this.#closed = closed;
    $("closer-end").addEventListener("click", () => this.close());
  }

  get open() {
    return Boolean(this.#cell);
  }

  /** `name` tells the photo to who cannot see it. */
  show(cell, name) {
    this.#cell = cell;
    this.#lens.resetZoom();
    const image = new Image();
    image.className = "lb-photo on";
    image.alt = name;
    image.draggable = false;
    image.src = cell.photo.screen;
    $("closer-photo").replaceChildren(image);
    $("closer").hidden = false;
  }

  /** Says whether it was open. */
  close() {
    if (!this.#cell) return false;
    this.#cell = null;
    this.#lens.resetZoom();
    $("closer").hidden = true;
    $("closer-photo").replaceChildren();
    this.#closed();
    return true;
  }

  /** Whether the key was meant for the closer look. */
  key(key) {
    if (!this.#cell) return false;
    if (key === "-" && this.#lens.scale === 1) return this.close();
    return this.#lens.key(key);
  }
}
