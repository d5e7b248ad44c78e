// The photo on the screen: the shelf's next one, looked at through the viewer, under the view clock. It is there in the very
// frame in which it is asked for, and that is measured. It knows no answer, and not what is said where no photo is.

import { followBrightness } from "./brightness-panel.js";
import { ViewClock, afterPaint } from "./clock.js";
import { $, say, settings, texts } from "./page.js";
import { Viewer } from "./viewer.js";
import { Shelf } from "./shelf.js";

// What the benchmark of this screen reads: key press to next photo painted, in ms of the page's clock.
const measured = { lastAnswerMs: 0, answers: [] };
window.hilltop = measured;

export class Stage {
  shelf = new Shelf({ holder: $("photos"), alt: texts.photo, near: settings.ahead });
  clock = new ViewClock();
  viewer = new Viewer({
    stage: $("main"),
    holder: $("photos"),
    photo: () => this.shelf.current?.photo ?? null,
    image: () => this.shelf.current?.element,
    line: document.querySelector("[data-lens]"),
  });
  #may;
  #startsPlain;

  /** `may()`: whether anything is judged here now; `asItIs()` resets how the photo is looked at, and says so. */
  constructor({ may, asItIs }) {
    this.#may = may;
    this.#startsPlain = followBrightness(document.querySelector("[data-brightness]"), this.viewer, { reset: asItIs });
    // Measured now, so that the photo is there at once when its turn comes.
    this.shelf.addEventListener("ready", ({ detail: task }) => this.viewer.brightness.filter(task.element));
  }

  /**
   * The next photo, in this very frame; says whether there is one. `event` is what the person did, from whose time the wait is
   * measured, unless it does not `count`.
   */
  next(event, { count = true } = {}) {
    this.clock.stop();
    this.viewer.afresh();
    const task = this.shelf.advance();
    if (task?.ready) {
      this.show(task, count ? event?.timeStamp : undefined);
    } else {
      delete document.documentElement.dataset.shown;
      this.#note(null);
    }
    return Boolean(task?.ready);
  }

  /** `task` is on the screen from the next frame on. */
  show(task, since) {
    if (!this.#may()) return;
    this.clock.stop();
    if (this.#startsPlain()) this.viewer.brightness.reset();
    this.viewer.light();
    this.#note(task);
    afterPaint(() => {
      if (this.shelf.current !== task || !task.ready) return;
      const now = this.clock.start();
      document.documentElement.dataset.shown = task.lease;
      performance.mark("photo-shown", { detail: task.lease });
      if (since) {
        measured.lastAnswerMs = now - since;
        measured.answers.push(measured.lastAnswerMs);
      }
      this.shelf.tidy();
    });
  }

  /** Nothing is judged any more. */
  leave() {
    this.clock.stop();
    this.viewer.afresh();
    delete document.documentElement.dataset.shown;
  }

  /** What a reviewer asks to look at, who sent this photo back. */
  #note(task) {
    $("note").hidden = !task?.note;
    $("note").textContent = task?.note ? say(task.sent_back > 1 ? texts.sentBackMany : texts.sentBack, { n: task.sent_back, note: task.note }) : "";
  }
}
