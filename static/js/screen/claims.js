// Claims: the server is asked for what to judge, one request at a time, alone or with an answer; again when that failed, and
// before a loan runs out while somebody is there. It knows neither what is lent nor where it is shown.

import { post } from "./api.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;
const ACTIVE_MS = 120000; // loans of somebody who went away are not renewed

export class Claims {
  trouble = ""; // why the last attempt has to be repeated: "", "network", "server", "sign-in" or "another"
  message = ""; // what the server said then
  asking = false;
  again = false; // asked for while an answer was under way, which may not know of it
  #url;
  #body;
  #may;
  #enough;
  #answered;
  #timer = 0;
  #pause = FIRST_PAUSE_MS;
  #skew = 0; // server's clock minus ours, in ms
  #lastActive = performance.now();

  /**
   * `body(delivered)` is what to send, with so many entries of the outbox that are delivered in the same request; `may()`
   * whether to ask at all; `enough()` whether as much is at hand as wanted. `answered(result)` gets what `post` returned.
   */
  constructor({ url, body, may = () => true, enough, answered }) {
    this.#url = url;
    this.#body = body;
    this.#may = may;
    this.#enough = enough;
    this.#answered = answered;
    addEventListener("online", () => {
      clearTimeout(this.#timer);
      this.#pause = FIRST_PAUSE_MS;
      this.ask();
    });
    for (const type of ["keydown", "pointerdown", "pointermove"]) {
      document.addEventListener(type, () => (this.#lastActive = performance.now()), { passive: true });
    }
  }

  /** The server answers with all that is lent to us, so asking twice does no harm. */
  async ask() {
    if (this.asking) {
      this.again = true;
      return;
    }
    if (!this.#may()) return;
    this.#begin();
    this.#end(await post(this.#url, this.#body(0)));
  }

  /**
   * What an answer asks for that is sent now, so that it brings the next loans; null while nothing is to be asked.
   * Otherwise `brought` must be told what came of it.
   */
  along() {
    if (this.asking || this.trouble || !this.#may() || this.#enough()) return null;
    this.#begin();
    return this.#body(1);
  }

  /** What came of an answer with which was asked. */
  brought({ outcome, data, ...rest }) {
    if (outcome === "later") this.#end({ outcome, ...rest });
    else if (data?.claimed) this.#end({ outcome, data: data.claimed, ...rest });
    else {
      this.asking = false; // refused, or without loans: that says nothing of the next claim
      this.ask();
    }
  }

  #begin() {
    this.asking = true;
    this.again = false;
    clearTimeout(this.#timer);
  }

  #end(result) {
    this.asking = false;
    if (result.outcome === "later") {
      this.trouble = result.why;
      this.message = result.message ?? "";
      this.askIn(this.#pause);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    } else {
      this.trouble = "";
      this.#pause = FIRST_PAUSE_MS;
      if (result.serverTime) this.#skew = result.serverTime - Date.now();
    }
    this.#answered(result);
    if (this.again) this.askForMore();
  }

  /** Ask unless enough is at hand, or it is tried again by itself. */
  askForMore() {
    if (this.asking) this.again = true;
    else if (!this.trouble && !this.#enough()) this.ask();
  }

  askIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.ask(), ms);
  }

  /** Looks every `every` ms whether what runs out first, `expires()`, has less than `left` ms; asking renews it. */
  renew({ every, left, expires }) {
    setInterval(() => {
      const away = document.visibilityState !== "visible" || performance.now() - this.#lastActive > ACTIVE_MS;
      if (!away && !this.trouble && expires() - Date.now() - this.#skew < left) this.ask();
    }, every);
  }
}
