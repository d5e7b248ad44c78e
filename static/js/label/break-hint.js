// A hint in the status line that a break would be due, after a long time of work without one. It asks nothing, moves nothing,
// and goes when it is told to, or after a break. Kept in this browser, so that a reload does not begin the time anew.

import { $, say, texts } from "../screen/page.js";

const LONG_MS = 50 * 60000;
const BREAK_MS = 5 * 60000; // without an answer

export class BreakHint {
  #memory;

  /** `memory`: where the time of this person's work is kept. */
  constructor({ memory }) {
    this.#memory = memory;
    $("break-end").addEventListener("click", () => this.#end());
  }

  /** An answer was given now. */
  worked() {
    const now = Date.now();
    const { since, last } = this.#kept();
    const at = now - last < BREAK_MS ? since : now; // since when there was no break
    this.#keep({ since: at, last: now });
    const due = now - at >= LONG_MS;
    if (due) $("break-text").textContent = say(texts.breakDue, { n: Math.floor((now - at) / 60000) });
    $("break").hidden = !due;
  }

  /** The next one comes after as long a time again. */
  #end() {
    $("break").hidden = true;
    $("main").focus({ preventScroll: true });
    const now = Date.now();
    this.#keep({ since: now, last: now });
  }

  #kept() {
    try {
      const { since, last } = JSON.parse(localStorage.getItem(this.#memory));
      if (Number.isFinite(since) && Number.isFinite(last)) return { since, last };
    } catch {
      // nothing is kept yet, or storage is forbidden
    }
    return { since: 0, last: 0 };
  }

  #keep(work) {
    try {
      localStorage.setItem(this.#memory, JSON.stringify(work));
    } catch {
      // then a reload begins the time anew
    }
  }
}
