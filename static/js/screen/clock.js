// The view clock: for how long what is to be judged was on the screen, and the page visible. It knows neither what is shown
// nor what the time is for.

import { $ } from "./page.js";

/** Runs `work` as soon as the next frame has been painted (or soon, where the page is hidden). */
export function afterPaint(work) {
  if (document.visibilityState !== "visible") {
    setTimeout(work);
    return;
  }
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = work;
    channel.port2.postMessage(null);
  });
}

/** Whether a person can look at it: not on a page in the background, or below a photo that was opened over it. */
const inSight = () => document.visibilityState === "visible" && !document.querySelector("dialog[open]");

export class ViewClock {
  shownAt = null; // Date of the first frame of what is on the screen; null before it is painted
  #since = 0; // performance.now() since when it is visible without a break; 0 while it is not
  #before = 0; // ms that it was visible before that

  constructor() {
    for (const type of ["visibilitychange", "photo-dialog"]) document.addEventListener(type, () => this.#look());
  }

  /** It has just been painted. Returns when, in ms of the page's clock. */
  start() {
    this.shownAt = new Date();
    const now = performance.now();
    this.#before = 0;
    this.#since = inSight() ? now : 0;
    return now;
  }

  stop() {
    this.shownAt = null;
  }

  get ms() {
    if (!this.shownAt) return 0;
    return this.#before + (this.#since && performance.now() - this.#since);
  }

  #look() {
    if (!this.shownAt) return;
    this.#before = this.ms;
    this.#since = inSight() ? performance.now() : 0;
  }

  /** Whether it was seen for `wanted` ms; if it is too soon, a line fills up until then. */
  reached(wanted) {
    const left = wanted - this.ms;
    if (left <= 0) return true;
    const line = $("wait");
    line.getAnimations().forEach((animation) => animation.cancel());
    line.animate([{ transform: `scaleX(${1 - left / wanted})`, opacity: 1 }, { transform: "scaleX(1)", opacity: 1 }], left);
    return false;
  }
}
