// The halt: while somebody else is signed in on this computer, or the page is open in another tab, nothing is judged here.
// What was answered before waits in the outbox for its person. It knows neither photos nor grids.

import { $, texts } from "./page.js";

const TITLES = { another: "anotherTitle", tab: "tabTitle" };

export class Halt {
  why = ""; // "", "another" or "tab"
  #outbox;
  #claims;
  #tabs;
  #card;
  #toast;
  #halted;
  #released;
  #kept = false; // answers wait for another person to be signed in

  /** `halted()` is called when it begins, `released()` when judging goes on. */
  constructor({ outbox, claims, tabs, card, toast, halted, released }) {
    this.#toast = toast;
    this.#outbox = outbox;
    this.#claims = claims;
    this.#tabs = tabs;
    this.#card = card;
    this.#halted = halted;
    this.#released = released;
    outbox.addEventListener("change", () => this.look());
    document.addEventListener("visibilitychange", () => {
      if (this.why === "another" && document.visibilityState === "visible") claims.ask();
    });
    tabs.addEventListener("change", () => this.look());
    $("card-here").addEventListener("click", () => tabs.here());
  }

  /** Whether something has changed, and what follows. */
  look() {
    const before = this.why;
    if (this.#kept && this.#outbox.trouble !== "another") this.#claims.ask(); // their person is back
    this.#kept = this.#outbox.trouble === "another";
    this.why = this.#reason();
    if (this.why && this.why !== before) {
      this.#halted();
      this.#say();
    } else if (before && !this.why) {
      this.#released();
      this.#outbox.retryNow();
    }
  }

  /** Whether the key was meant for the card. */
  key(event, key) {
    if (key === "z") return this.#toast(texts[TITLES[this.why]]), true;
    if (key !== "Enter" || event.target.closest("button, a")) return false;
    if (this.why === "tab") this.#tabs.here();
    else this.#claims.ask();
    return true;
  }

  #reason() {
    if (this.#tabs.elsewhere) return "tab";
    return this.#outbox.trouble === "another" || this.#claims.trouble === "another" ? "another" : "";
  }

  #say() {
    const said = this.#outbox.message || this.#claims.message;
    const text = this.why === "tab" ? texts.tabText : `${said} ${texts.anotherText}`;
    this.#card.say({ state: this.why, title: texts[TITLES[this.why]], text });
  }
}
