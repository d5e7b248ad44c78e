// The criteria at the side: open or closed as the labeler left them in this browser, those of one class in focus; of many
// classes they are asked for one by one. It knows their place on the page and no word of them.

import { marks } from "../person.js";
import { $, settings } from "./page.js";

const section = (key) => document.querySelector(`.lb-class[data-class="${CSS.escape(key)}"]`);

export class Criteria {
  #meant = ""; // the class in focus, also while its criteria are under way

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
    this.#meant = key;
    if (key && !section(key)) this.#bring(key);
    this.#point({ scroll });
  }

  #point({ scroll }) {
    const many = this.#many;
    for (const each of document.querySelectorAll(".lb-class")) {
      const on = each.dataset.class === this.#meant;
      each.classList.toggle("focus", on);
      if (on && scroll) each.scrollIntoView({ block: "nearest" });
      each.querySelector("[data-focus-class]").setAttribute("aria-expanded", String(on || !many));
    }
  }

  /** Another photo: no class is pointed at, for that would read as a suggestion. What a person unfolded stays so. */
  rest() {
    if (!this.#many) this.focus("");
  }

  /** The criteria of the class that is so many steps further on; from none, the first or the last. */
  move(step) {
    const keys = settings.classes.map((row) => row.key);
    const at = keys.indexOf(this.#meant);
    this.focus(keys.at(at < 0 && step > 0 ? 0 : (at + step) % keys.length));
  }

  /** Those of a class that the page did not bring along. */
  async #bring(key) {
    const away = $("criteria-away");
    away.hidden = true;
    try {
      const url = away.dataset.each.replace("KEY", encodeURIComponent(key));
      const response = await fetch(url, { headers: { Accept: "text/html", ...marks() }, redirect: "error" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!section(key)) $("criteria").append(page.querySelector(".lb-class"));
      this.#point({ scroll: true });
    } catch {
      away.hidden = this.#meant !== key; // the network is away; whoever comes back to the class asks again
    }
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
