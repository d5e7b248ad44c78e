// What can be taken back: the newest first, each while its time lasts. It keeps what the page gave it, beyond a reload, and
// knows no server.

import { $, say, settings, texts } from "./page.js";

/** What lies in the page only is loaded anew. */
const plain = (_name, value) => (value instanceof Node || value instanceof Blob ? undefined : value);

const same = (one, other) => one.key === other.key || (one.task && one.task.lease === other.task?.lease);

export class UndoStack {
  #entries = []; // newest last: { key, until, … }
  #memory;
  #keep;
  #toast;
  #offered = true;

  /**
   * `keep`: how many can be taken back one after the other; `undo()` takes the newest back; `memory`: where they are kept in
   * this browser.
   */
  constructor({ keep, toast, undo, memory }) {
    this.#memory = memory;
    this.#keep = keep;
    this.#toast = toast;
    $("undo").addEventListener("click", undo);
    setInterval(() => {
      if (this.#entries.length) this.#show();
    }, 1000);
  }

  /** `entry` has a key of its own; its time, of so many `seconds`, begins now. */
  push(entry, seconds) {
    this.#entries = [...this.#entries, entry].slice(-this.#keep);
    this.restart(entry.key, seconds);
  }

  /**
   * What earlier pages did: `told` by the server, oldest first, each with its `until` in ms of this browser's clock; and what
   * this browser knows beyond that, as it had not arrived when the page was made. `waiting`: entries of the outbox.
   */
  recall(told, waiting) {
    const kept = this.#kept().filter(
      ({ key, until }) => until > Date.now() || waiting.some((entry) => entry.key === key),
    );
    const others = told.filter((entry) => !kept.some((one) => same(one, entry)));
    this.#entries = [...others, ...kept, ...this.#entries].slice(-this.#keep);
    this.#changed();
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
    this.#changed();
    return null;
  }

  /** Whether anything may be taken back on this page at all. */
  offer(offered) {
    this.#offered = offered;
    this.#show();
  }

  drop(key) {
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#changed();
  }

  restart(key, seconds = settings.undoSeconds) {
    const entry = this.find(key);
    if (entry) entry.until = Date.now() + seconds * 1000;
    this.#changed();
  }

  #kept() {
    try {
      return JSON.parse(localStorage.getItem(this.#memory)) ?? [];
    } catch {
      return []; // storage is forbidden
    }
  }

  #changed() {
    try {
      localStorage.setItem(this.#memory, JSON.stringify(this.#entries, plain));
    } catch {
      // not kept beyond a reload
    }
    this.#show();
  }

  #show() {
    const last = this.#entries.at(-1);
    const left = last && this.#offered ? Math.ceil((last.until - Date.now()) / 1000) : 0;
    $("undo").disabled = left <= 0;
    $("undo-seconds").textContent = left > 0 ? say(texts.seconds, { n: left }) : "";
  }
}
