// The answer bar: classes by number, and what takes their place while more is asked: why a photo is held or unusable, or a
// checklist. It tells what was chosen; it knows neither the photo nor what becomes of the answer.

import { digit } from "./keys.js";
import { $, settings, texts } from "./page.js";

// "all": unusable for every question that is open, where a screen asks several.
const WHY = { h: "hold", u: "unusable", x: "all" };

export class AnswerBar {
  mode = "answer"; // or "hold", "unusable", "all" (a reason is asked for), "ticks" (a checklist is)
  #ready;
  #announce;
  #onClass;
  #onReason;

  /**
   * `ready()` says whether there is something to answer. Chosen: `onClass(event, class)`, a row of the settings;
   * `onReason(event, { kind, reason, label })`; `onButton(event, button)`, any other button of the bar. `onCancel()`: whether
   * the way back was out of something that lies over the bar.
   */
  constructor({ ready, announce, onClass, onReason, onButton, onCancel = () => false }) {
    this.#ready = ready;
    this.#announce = announce;
    this.#onClass = onClass;
    this.#onReason = onReason;
    $("bar").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { answer, why, reason } = button.dataset;
      if (answer) this.#onClass(event, settings.classes.find((row) => row.key === answer));
      else if (why) this.#askWhy(why);
      else if (reason) this.#choose(event, settings.reasons[this.mode]?.find((row) => row.key === reason));
      else if ("cancel" in button.dataset) onCancel() || this.leave();
      else onButton(event, button);
    });
  }

  /** Whether the key was meant for the bar. */
  key(event, key) {
    const n = digit(key);
    const reasons = settings.reasons[this.mode];
    if (n && reasons) {
      this.#choose(event, reasons.find((row) => row.number === n));
      return true;
    }
    if (n && this.mode === "answer") {
      const row = settings.classes.find((each) => each.number === n);
      if (row) this.#onClass(event, row);
      return Boolean(row);
    }
    const comment = key === "c" && reasons ? this.#comment() : null;
    if (comment) comment.focus();
    else if (settings.reasons[WHY[key]]) this.#askWhy(WHY[key]);
    else return false;
    return true;
  }

  /** Show the bar of a mode; `of` is the class whose checklist is asked for. */
  show(mode, of = "") {
    const focused = document.activeElement?.closest(".lb-answers");
    const before = this.mode;
    this.mode = mode;
    $("answers").classList.toggle("away", mode !== "answer");
    for (const bar of document.querySelectorAll("[data-reasons]")) bar.hidden = bar.dataset.reasons !== mode;
    for (const bar of document.querySelectorAll("[data-ticks]")) bar.hidden = mode !== "ticks" || bar.dataset.ticks !== of;
    // Whoever works with Tab and Enter stays where the choice goes on.
    if (focused && mode === "answer") this.whyButton(before)?.focus({ preventScroll: true });
    else if (focused) document.querySelector(".lb-reasons:not([hidden]) button")?.focus({ preventScroll: true });
    const asked = { hold: texts.chooseHold, unusable: texts.chooseUnusable, all: texts.chooseForAll }[mode];
    if (asked) this.#announce(asked);
  }

  /** Back to the answers; says whether something else was asked. */
  leave() {
    if (this.mode === "answer") return false;
    this.show("answer");
    return true;
  }

  classButton(key) {
    return document.querySelector(`[data-answer="${CSS.escape(key)}"]`);
  }

  whyButton(kind) {
    return document.querySelector(`[data-why="${kind}"]`);
  }

  light(button) {
    if (!button) return;
    button.classList.add("lit");
    clearTimeout(button.unlight);
    button.unlight = setTimeout(() => button.classList.remove("lit"), 180);
  }

  /** What was written beside the reasons that are shown, which is then empty again. */
  takeComment() {
    const input = this.#comment();
    const comment = input.value.trim();
    input.value = "";
    return comment;
  }

  #comment() {
    return document.querySelector(`[data-reasons="${this.mode}"] [data-comment]`);
  }

  #askWhy(kind) {
    if (this.mode === kind) this.leave();
    else if (this.#ready()) this.show(kind);
  }

  #choose(event, row) {
    if (!row) return;
    const kind = this.mode;
    this.#onReason(event, { kind, reason: row.key, label: `${texts[kind]}: ${row.name}` });
  }
}
