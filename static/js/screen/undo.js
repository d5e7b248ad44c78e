// What can be taken back: the newest first, each while its time lasts. It keeps what the page gave it, and knows no server.

import { $, say, settings, texts } from "./page.js";

export class UndoStack {
  #entries = []; // newest last: { key, until, … }
  #keep;
  #toast;
  #offered = true;

  /** `keep`: how many can be taken back one after the other; `undo()` takes the newest back. */
  constructor({ keep, toast, undo }) {
    this.#keep = keep;
    this.#toast = toast;
    $("undo").addEventListener("click", undo);
    setInterval(() => {
      if (this.#entries.length) this.#show();
    }, 1000);
  }

  /** `entry` has a key of its own; its time begins now. */
  push(entry) {
    this.#entries = [...this.#entries, entry].slice(-this.#keep);
    this.restart(entry.key);
  }

  /** What an earlier page did, oldest first; each entry has its `until`, in ms of this browser's clock. */
  recall(entries) {
    this.#entries = [...entries, ...this.#entries].slice(-this.#keep);
    this.#show();
  }

  find(key) {
    return this.#entries.find((entry) => entry.key === key) ?? null;
  }

  /** The newest; where there is none, or its time is over, says so and returns null. */
  newest() {
    const last = this.#entries.at(-1);
    if (last && last.until >= Date.now()) return last;
    this.#toast(last ? texts.undoLate : texts.undoGone);
    this.#entries = [];
    this.#show();
    return null;
  }

  /** Whether anything may be taken back on this page at all. */
  offer(offered) {
    this.#offered = offered;
    this.#show();
  }

  drop(key) {
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#show();
  }

  restart(key) {
    const entry = this.find(key);
    if (entry) entry.until = Date.now() + settings.undoSeconds * 1000;
    this.#show();
  }

  #show() {
    const last = this.#entries.at(-1);
    const left = last && this.#offered ? Math.ceil((last.until - Date.now()) / 1000) : 0;
    $("undo").disabled = left <= 0;
    $("undo-seconds").textContent = left > 0 ? say(texts.seconds, { n: left }) : "";
  }
}
