// The criteria at the side: open or closed as the labeler left them, in this browser.

const $ = (id) => document.getElementById(id);

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

  #show(open) {
    document.body.classList.toggle("without-criteria", !open);
    $("criteria-toggle").setAttribute("aria-expanded", String(open));
  }
}
