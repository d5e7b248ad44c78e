// A class's checklist: its points are ticked beside the criteria, or by their numbers in the bar, which shows the same
// ticks. It knows no photo, and not whether a checklist has to be complete.

import { digit } from "../screen/keys.js";
import { $ } from "../screen/page.js";

const boxes = (row) => [...$("criteria").querySelectorAll(`[data-of="${CSS.escape(row.key)}"]`)];

export class Checklist {
  row = null; // the class whose points the bar shows

  ticked(row) {
    return boxes(row).filter((box) => box.checked).map((box) => row.checklist[Number(box.dataset.point)]);
  }

  complete(row) {
    return this.ticked(row).length >= row.checklist.length;
  }

  /** The bar shows the points of this class now. */
  ask(row) {
    this.row = row;
    this.#show();
  }

  tick(point) {
    const box = boxes(this.row)[point];
    if (box) box.checked = !box.checked;
    this.#show();
  }

  /** Whether the key was a point's number. */
  key(key) {
    const n = digit(key);
    if (n) this.tick(n - 1);
    return Boolean(n);
  }

  clear() {
    for (const box of document.querySelectorAll("[data-of]:checked")) box.checked = false;
  }

  #show() {
    const bar = document.querySelector(`[data-ticks="${CSS.escape(this.row.key)}"]`);
    boxes(this.row).forEach((box, point) => {
      bar.querySelector(`[data-tick="${point}"]`)?.setAttribute("aria-pressed", String(box.checked));
    });
  }
}
