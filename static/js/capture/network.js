// What the top line says of the network: all is sent, so many photos wait, or why they cannot be sent.

import { $, say, texts } from "../screen/page.js";

const QUIET_MS = 400; // what is sent faster than this does not make the line flicker

export class Network {
  #outbox;
  #announce;
  #timer = 0;
  #wasAway = false;

  constructor({ outbox, announce }) {
    this.#outbox = outbox;
    this.#announce = announce;
    outbox.addEventListener("change", () => {
      clearTimeout(this.#timer);
      if (outbox.waiting.length && !outbox.trouble) this.#timer = setTimeout(() => this.show(), QUIET_MS);
      else this.show();
    });
    for (const name of ["online", "offline"]) addEventListener(name, () => this.show());
  }

  get away() {
    return !navigator.onLine || this.#outbox.trouble === "network";
  }

  show() {
    const n = this.#outbox.waiting.filter(({ kind }) => kind === "photo").length;
    const { away } = this;
    const [state, text] = away
      ? ["offline", say(n ? texts.offlineWaiting : texts.offline, { n })]
      : this.#outbox.waiting.length
        ? ["waiting", say(texts.sending, { n })]
        : ["saved", texts.allSent];
    const lost = !this.#outbox.durable && this.#outbox.waiting.length;
    $("state").dataset.state = lost ? "offline" : state;
    $("state-text").textContent = lost ? texts.memoryOnly : text;
    if (away !== this.#wasAway) this.#announce(away ? text : texts.backOnline);
    this.#wasAway = away;
  }
}
