// How fast a person answers now: answers a minute over the last ones that no break parts. It knows times only.

const BREAK_MS = 120000; // who answered nothing for so long was not at it
const LAST = 30; // answers
const FEW = 5; // fewer than these tell no pace

export class Pace {
  #times; // of answers, oldest first, in ms of this browser's clock

  /** `ages`: how many ms ago this person answered of late, newest first. */
  constructor(ages) {
    this.#times = ages.map((age) => Date.now() - age).reverse();
  }

  answered() {
    this.#times = [...this.#times, Date.now()].slice(-LAST);
  }

  takenBack() {
    this.#times.pop();
  }

  /** { perMinute, of }: over so many answers; null where they are too few, or nobody is at it. */
  get now() {
    const times = this.#atIt();
    if (times.length < FEW) return null;
    const minutes = (times.at(-1) - times[0]) / 60000;
    return minutes > 0 ? { perMinute: (times.length - 1) / minutes, of: times.length } : null;
  }

  /** Those since the last break. */
  #atIt() {
    const times = [...this.#times, Date.now()];
    const after = times.findLastIndex((time, at) => at > 0 && time - times[at - 1] > BREAK_MS);
    return this.#times.slice(Math.max(0, after));
  }
}
