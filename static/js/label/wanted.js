// How much is held for going on without a network: as many photos as the person's pace needs for the time that the server
// lends them for, within bounds of number and bytes. What is held is said on the screen.

import { $, say, settings, texts } from "../screen/page.js";

const STEP = 20; // leases that one claim asks for more
const SLACK = 3; // fewer than wanted do for now: not every answer makes a claim

export class Wanted {
  #shelf;
  #progress;
  #order = ""; // as the server last named it
  #back = []; // leases to give back with the next claim
  #most = Infinity; // where the server gave no more, as others need theirs

  constructor({ shelf, progress }) {
    this.#shelf = shelf;
    this.#progress = progress;
    shelf.addEventListener("held", () => this.#show());
  }

  /** Whether enough is at hand. */
  get enough() {
    return this.#shelf.ahead >= Math.max(settings.ahead, Math.min(this.#number, this.#most) - SLACK) || this.#full;
  }

  /** What a claim sends; `undelivered`: what the server still counts as held, though it is answered. */
  body(undelivered) {
    const { ahead } = this.#shelf;
    // The first claim is small, so that the first photo is there soon.
    const more = this.#full ? ahead : Math.min(this.#number, ahead ? ahead + STEP : settings.ahead);
    const count = Math.max(settings.ahead, more) + 1 + undelivered;
    const { photos, seconds } = settings.offline;
    return { count: Math.min(photos + 1, count), offline_seconds: seconds, back: this.#back };
  }

  /** The server has taken a claim, of which `came` are new, and named the queue's order. Says whether to ask once more, as
   *  what nobody has looked at goes back. */
  told(order, came) {
    this.#most = came ? Infinity : this.#shelf.ahead;
    this.#back = [];
    const other = this.#order && order && order !== this.#order;
    this.#order = order;
    if (other) this.#back = this.#shelf.giveBack();
    return this.#back.length > 0;
  }

  get photos() {
    return this.#shelf.held;
  }

  get minutes() {
    return Math.round((this.#shelf.held * this.#progress.pace) / 6000) / 10;
  }

  get #full() {
    return this.#shelf.ahead >= settings.ahead && this.#shelf.bytes >= settings.offline.bytes;
  }

  get #number() {
    if (navigator.connection?.saveData) return settings.ahead;
    const needed = Math.ceil((settings.offline.seconds * 1000) / this.#progress.pace);
    return Math.min(settings.offline.photos, Math.max(settings.ahead, needed));
  }

  #show() {
    const values = { n: this.photos, m: this.minutes };
    $("held").hidden = !values.n;
    $("held").textContent = say(texts.held, values);
    $("held").title = say(texts.heldLong, values);
  }
}
