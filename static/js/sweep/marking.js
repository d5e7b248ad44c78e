// Marks on the photos of a grid, and what the bar says of them. It knows the grid that is asked, and nothing is handed in here.

import { $, say, texts } from "../screen/page.js";
import { notThis } from "./words.js";

export class Marking {
  #grid;
  #sweep;
  #announce;

  /** `sweep()`: the grid that may be marked now, or null. */
  constructor({ grid, sweep, announce }) {
    this.#grid = grid;
    this.#sweep = sweep;
    this.#announce = announce;
  }

  /** Space, a click, the button: on and off. */
  toggle(cell) {
    if (this.#may(cell)) this.#set(cell, cell.mark ? null : { kind: "apart", label: notThis(this.#sweep()) });
  }

  /** The photo in focus is of that class. */
  byClass({ key, name }) {
    const cell = this.#grid.current;
    if (this.#may(cell)) this.#set(cell, key === this.#sweep().class ? null : { kind: "class", class: key, label: name });
  }

  byReason(mark) {
    const cell = this.#grid.current;
    if (this.#may(cell)) this.#set(cell, mark);
  }

  show() {
    const marked = this.#grid.marked.length;
    $("hand-in-text").textContent = marked ? say(texts.handInMarked, { n: marked }) : texts.handIn;
    $("hand-in").setAttribute("aria-disabled", String(!this.#grid.ready));
    $("mark").setAttribute("aria-pressed", String(this.#grid.current?.mark?.kind === "apart"));
  }

  /** One that could not be loaded stays apart: nobody has seen it. */
  #may(cell) {
    return this.#sweep() && cell && !cell.broken;
  }

  #set(cell, mark) {
    this.#grid.mark(cell, mark);
    this.show();
    this.#announce(mark ? say(texts.marked, { label: mark.label }) : texts.unmarked);
  }
}
