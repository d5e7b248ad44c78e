// The questions of the photo on the screen: which one is asked, with its answers and criteria, and what was said of the others.
//
// Each has a time of its own: from when it was asked on the photo in sight until it was answered or another one was asked. So
// the times of a photo's questions add up to the time of the photo, and no answer claims a look that was spent on another one.

import { afterPaint } from "../screen/clock.js";
import { $, say, settings, texts } from "../screen/page.js";
import { about } from "./about.js";

export class Questions {
  asked = null;
  #task = null;
  #clock;

  constructor({ clock }) {
    this.#clock = clock;
  }

  get all() {
    return this.#task?.questions ?? [];
  }

  get open() {
    return this.all.filter(({ said }) => !said);
  }

  /** Where the one that is asked stands, in words. */
  get words() {
    const question = about(this.asked.project).question;
    return say(texts.asked, { n: this.all.indexOf(this.asked) + 1, all: this.all.length, question });
  }

  /** For how long the one that is asked was looked at, in ms, and since when. */
  get seen() {
    return { ms: this.asked.ms + this.#clock.ms, at: this.asked.shownAt ?? this.#clock.shownAt };
  }

  /** The same of all that are open, together. */
  get seenOpen() {
    return { ms: this.open.reduce((sum, { ms }) => sum + ms, this.#clock.ms), at: this.seen.at };
  }

  /** Those of `task`, from `first` on; its photo comes to the screen, and with it the time begins. `null`: no photo is there. */
  of(task, first = task?.questions.find(({ said }) => !said)) {
    this.#task = task;
    this.asked = null;
    if (task && first) this.#ask(first);
    else this.#show();
    this.appear();
  }

  /** The page tells which question is asked as soon as a person can see it. */
  appear() {
    const question = this.asked;
    delete document.documentElement.dataset.asked;
    afterPaint(() => {
      if (question && this.asked === question && this.#task.ready) document.documentElement.dataset.asked = question.project;
    });
  }

  /** Another question of the same photo. */
  turn(question) {
    if (question === this.asked || question.said) return;
    this.#rest();
    this.#ask(question);
    afterPaint(() => {
      if (this.asked === question && this.#task.ready) this.#clock.start();
    });
    this.appear();
  }

  /** The open question that is so many steps further on, around the end; null where none is open. */
  next(step = 1) {
    const at = this.all.indexOf(this.asked);
    const after = this.all.map((_each, n) => this.all.at((at + step * (n + 1)) % this.all.length));
    return after.find((each) => !each.said) ?? null;
  }

  /** Another claim may have brought one more. */
  refresh() {
    if ($("questions").childElementCount !== this.all.length) this.#show();
  }

  chip(question) {
    return $("questions").querySelector(`[data-question="${CSS.escape(question.project)}"]`);
  }

  #rest() {
    const { ms, at } = this.seen;
    Object.assign(this.asked, { ms, shownAt: at });
    this.#clock.stop();
  }

  #ask(question) {
    this.asked = question;
    const { classes, minViewMs, undoSeconds, question: words, project } = about(question.project);
    Object.assign(settings, { classes, minViewMs, undoSeconds });
    for (const [id, part] of [["classes", "answers"], ["criteria-of", "criteria"]]) {
      $(id).replaceChildren($(`${part}-${project}`).content.cloneNode(true));
    }
    for (const id of ["question", "criteria-question"]) $(id).textContent = words;
    $("question-note").hidden = !question.note;
    $("question-note").textContent = question.note
      ? say(question.sent_back > 1 ? texts.sentBackMany : texts.sentBack, { n: question.sent_back, note: question.note })
      : "";
    this.#show();
  }

  #show() {
    $("questions").replaceChildren(
      ...this.all.map((question) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "sh-question", disabled: Boolean(question.said) });
        button.dataset.question = question.project;
        if (question === this.asked) button.setAttribute("aria-current", "step");
        const name = document.createElement("span");
        Object.assign(name, { dir: "auto", textContent: about(question.project).name });
        const said = document.createElement("b");
        Object.assign(said, { dir: "auto", textContent: question.said || (question === this.asked ? "" : texts.open) });
        button.append(name, " ", said);
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
  }
}
