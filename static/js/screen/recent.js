// Where a project has more classes than digits: the ones that this person chose last, each under a digit. A class keeps its
// digit for as long as it is among them, so that no key changes its meaning under a finger; a new one takes the place of the
// one that was not chosen for longest.

import { $, settings } from "./page.js";

const WIDE = 8;
const NARROW = 5; // on a phone, in two rows with the button that finds

export class Recent {
  #memory;
  #places = []; // { key, at }: of digit 1 first; `at`: when it was chosen, 0 where it never was

  /** `memory`: where they are kept in this browser. */
  constructor({ memory }) {
    this.#memory = memory;
    this.show();
  }

  /** The bar shows them, with the classes as they are now. */
  show() {
    const known = new Map(settings.classes.map((row) => [row.key, row]));
    const count = matchMedia("(max-width: 40rem)").matches ? NARROW : WIDE;
    const kept = (this.#places.length ? this.#places : this.#kept()).filter(({ key }) => known.has(key)).slice(0, count);
    const others = settings.classes.filter((row) => !kept.some(({ key }) => key === row.key));
    this.#places = [...kept, ...others.slice(0, count - kept.length).map(({ key }) => ({ key, at: 0 }))];
    for (const row of settings.classes) row.number = null;
    $("recent").querySelectorAll("[data-place]").forEach((button, place) => {
      const row = known.get(this.#places[place]?.key);
      button.hidden = !row;
      if (!row) return;
      row.number = place + 1;
      button.dataset.answer = row.key;
      button.title = row.name;
      button.querySelector("[data-name]").textContent = row.name;
    });
  }

  /** It was chosen now. */
  use(key) {
    const same = this.#places.find((place) => place.key === key);
    if (same) {
      same.at = Date.now();
    } else {
      const oldest = this.#places.reduce((one, other) => (other.at < one.at ? other : one));
      Object.assign(oldest, { key, at: Date.now() });
      this.show();
    }
    try {
      localStorage.setItem(this.#memory, JSON.stringify(this.#places));
    } catch {
      // not kept beyond this page
    }
  }

  #kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#memory));
      return Array.isArray(kept) ? kept.filter((place) => typeof place?.key === "string" && Number.isFinite(place.at)) : [];
    } catch {
      return []; // storage is forbidden
    }
  }
}
