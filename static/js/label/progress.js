// What was achieved: answers today, a minute and in this session, and how much of the part that is open is settled. Counts
// only; it knows no photo and no class.

import { $, say, settings, texts } from "../screen/page.js";
import { Pace } from "./pace.js";

const ENOUGH_FOR_A_PACE = 5;

export class Progress {
  #today = 0;
  #times = []; // how long each photo of this session was viewed, in ms
  #pace = new Pace(settings.answeredAgo);
  #band = null; // what the server says of the part that is open
  #told = false;
  #still = false; // whether nothing was on its way or came since the server was asked

  /** The server is asked now. `undelivered`: answers that are on their way. */
  asked(undelivered) {
    this.#still = undelivered === 0;
  }

  /** `undelivered`: answers that the server cannot have counted yet. Of one that crossed what it says nobody knows: then
   *  the page's own count stands, which has it. */
  told(progress, undelivered) {
    this.#band = progress;
    if (this.#still || !this.#told) this.#today = (progress?.answered_today ?? 0) + undelivered;
    this.#told = true;
    this.#show();
  }

  answered(viewMs) {
    this.#still = false;
    this.#times.push(viewMs);
    this.#pace.answered();
    this.#today += 1;
    this.#show();
  }

  takenBack() {
    this.#still = false;
    this.#times.pop();
    this.#pace.takenBack();
    this.#today = Math.max(0, this.#today - 1);
    this.#show();
  }

  /** How long a photo takes, in ms: of this session, or else as the server knew it. */
  get pace() {
    return this.#times.length >= ENOUGH_FOR_A_PACE ? Math.max(1, this.#median) : settings.offline.paceMs;
  }

  get #median() {
    return [...this.#times].sort((a, b) => a - b)[Math.floor(this.#times.length / 2)];
  }

  /** What the card says of this session; nothing without an answer. */
  get words() {
    const n = this.#times.length;
    if (!n) return "";
    const median = this.#median / 1000;
    const pace = n >= ENOUGH_FOR_A_PACE ? ` ${say(texts.emptyPace, { n: median.toFixed(1) })}` : "";
    return say(texts.emptyDone, { n, today: this.#today }) + pace;
  }

  #show() {
    $("today").hidden = !this.#today;
    const pace = this.#pace.now;
    const rate = pace && (pace.perMinute < 10 ? pace.perMinute.toFixed(1) : String(Math.round(pace.perMinute)));
    $("today").textContent = [say(texts.today, { n: this.#today }), pace && say(texts.pace, { n: rate })].filter(Boolean).join(" · ");
    $("today").title = pace ? say(texts.paceLong, { n: rate, of: pace.of }) : "";
    const needed = this.#band?.needed_in_band ?? 0;
    $("settled").hidden = !(needed > 0);
    if (!(needed > 0)) return;
    const settled = Math.min(this.#band.settled_in_band, needed);
    $("settled-bar").max = needed;
    $("settled-bar").value = settled;
    const asOf = new Date(this.#band.as_of).toLocaleTimeString(document.documentElement.lang, {
      hour: "2-digit", minute: "2-digit",
    });
    $("settled-text").textContent = say(texts.settled, { settled, needed, asOf });
  }
}
