// The card in the place of the photos: why there are none, what was achieved, and what happens next; or that they come.
// Which words it says, and when, its screen knows.

import { $, texts } from "./page.js";

// What leads on from where nothing can be judged, by the card's title.
const WAYS = { "card-sign-in": "signInTitle", "card-another": "anotherTitle", "card-here": "tabTitle" };

export class Card {
  #announce;
  #told = ""; // what it said since there was something to judge

  constructor({ announce }) {
    this.#announce = announce;
  }

  get open() {
    return !$("card").hidden;
  }

  /** Something comes. `photo`: it is on the screen already, not whole. */
  wait(text, { photo = false } = {}) {
    this.#empty(!photo);
    $("card").hidden = true;
    $("loading").textContent = text;
    $("loading").hidden = false;
  }

  /** Nothing comes by itself at once. Says aloud what is new, and returns whether it was. */
  say({ state, title, text, aloud = text, done = "" }) {
    this.#empty(true);
    $("loading").hidden = true;
    $("card-title").textContent = title;
    $("card-text").textContent = text;
    for (const [id, its] of Object.entries(WAYS)) $(id).hidden = title !== texts[its];
    $("card-done").hidden = !done;
    $("card-done").textContent = done;
    $("card").hidden = false;
    const news = this.#told !== `${state} ${title}`;
    this.#told = `${state} ${title}`;
    if (news) this.#announce(`${title}. ${aloud}`);
    return news;
  }

  /** There is something to judge. */
  leave() {
    this.#told = "";
    this.#empty(false);
    $("card").hidden = true;
    $("loading").hidden = true;
  }

  #empty(empty) {
    $("main").classList.toggle("without-photo", empty);
    $("bar").inert = empty;
  }
}
