// The criteria at the side: open or closed as the labeler left them in this browser, those of one class in focus. It knows
// their place on the page and no word of them.

import { $, settings } from "./page.js";

export class Criteria {
  /** `memory`: where the choice is kept; `open` (kept: "open", "closed" or null; wide): whether it is open at first. */
  constructor({ memory, open }) {
    this.memory = memory;
    let kept = null;
    try {
      kept = localStorage.getItem(memory);
    } catch {
      // storage is forbidden: as if nothing was kept
    }
    this.#show(open(kept, matchMedia("(min-width: 60rem)").matches));
    $("criteria-toggle").addEventListener("click", () => this.toggle());
    $("criteria").addEventListener("click", (event) => {
      const key = event.target.closest("[data-focus-class]")?.dataset.focusClass;
      if (key) this.focus(key);
    });
  }

  toggle() {
    const open = document.body.classList.contains("without-criteria");
    this.#show(open);
    try {
      localStorage.setItem(this.memory, open ? "open" : "closed");
    } catch {
      // not remembered
    }
  }

  /** The criteria of that class are meant; of none, with "". */
  focus(key, { scroll = true } = {}) {
    const many = this.#many;
    for (const section of document.querySelectorAll(".lb-class")) {
      const on = section.dataset.class === key;
      section.classList.toggle("focus", on);
      if (on && scroll) section.scrollIntoView({ block: "nearest" });
      section.querySelector("[data-focus-class]").setAttribute("aria-expanded", String(on || !many));
    }
  }

  /** Another photo: no class is pointed at, for that would read as a suggestion. What a person unfolded stays so. */
  rest() {
    if (!this.#many) this.focus("");
  }

  /** The criteria of the class that is so many steps further on; from none, the first or the last. */
  move(step) {
    const keys = settings.classes.map((row) => row.key);
    const at = keys.indexOf(document.querySelector(".lb-class.focus")?.dataset.class);
    this.focus(keys.at(at < 0 && step > 0 ? 0 : (at + step) % keys.length));
  }

  /** Whether only those in focus are unfolded. */
  get #many() {
    return $("criteria").classList.contains("many");
  }

  #show(open) {
    document.body.classList.toggle("without-criteria", !open);
    $("criteria-toggle").setAttribute("aria-expanded", String(open));
  }
}
