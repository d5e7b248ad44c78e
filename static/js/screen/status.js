// What a screen says beside its photos: announcements, short notices, the state of the network, refused answers.

import { $, say, texts } from "./page.js";

const QUIET_MS = 400; // an answer that is saved faster than this does not make the state flicker

export class Status {
  #outbox;
  #trouble; // () -> why the last attempt to get photos has to be repeated
  #held;
  #announceTimer = 0;
  #toastTimer = 0;
  #stateTimer = 0;
  #saidOffline = false;

  /** `held()`: what a network that is gone leaves, { photos, minutes }, where the page holds some. */
  constructor({ outbox, trouble, held = () => null }) {
    this.#held = held;
    this.#outbox = outbox;
    this.#trouble = trouble;
    outbox.addEventListener("change", () => {
      clearTimeout(this.#stateTimer);
      // Most answers are saved within a few milliseconds: no reason to blink.
      if (outbox.waiting.length && !outbox.trouble) this.#stateTimer = setTimeout(() => this.showState(), QUIET_MS);
      else this.showState();
      this.#showRefused();
    });
    addEventListener("offline", () => this.showState());
    addEventListener("online", () => this.showState());
    $("refused-dismiss").addEventListener("click", () => outbox.dismissRefused());
  }

  get offline() {
    return this.#outbox.trouble === "network" || this.#trouble() === "network" || !navigator.onLine;
  }

  announce(text) {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => ($("live").textContent = text), 60);
  }

  toast(text) {
    $("toast").textContent = text;
    $("toast").hidden = false;
    this.announce(text);
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => ($("toast").hidden = true), 3500);
  }

  showState() {
    const outbox = this.#outbox;
    const waiting = outbox.waiting.length;
    const trouble = outbox.trouble || this.#trouble();
    const gone = trouble === "network" || !navigator.onLine;
    let state = "saved";
    let text = texts.allSaved;
    if (trouble === "another") [state, text] = ["waiting", texts.another];
    else if (trouble === "sign-in") [state, text] = ["waiting", texts.signIn];
    else if (waiting && trouble) {
      state = gone ? "offline" : "waiting";
      text = say(waiting === 1 ? texts.waitingOne : texts.waitingMany, { n: waiting });
    } else if (gone) [state, text] = ["offline", this.#goOn()];
    else if (waiting) [state, text] = ["waiting", texts.saving];
    if (!outbox.durable && waiting) [state, text] = ["offline", texts.memoryOnly];
    if ($("state-text").textContent !== text) $("state-text").textContent = text;
    $("state").dataset.state = state;
    $("state").title = text;
    const bad = state === "offline";
    if (bad !== this.#saidOffline) {
      this.#saidOffline = bad;
      this.announce(bad ? text : texts.backOnline);
    }
  }

  #goOn() {
    const { photos, minutes } = this.#held() ?? {};
    return photos ? say(texts.offlineHeld, { n: photos, m: minutes }) : texts.offline;
  }

  #showRefused() {
    const refused = this.#outbox.refused;
    $("refused").hidden = !refused.length;
    if (!refused.length) return;
    $("refused-title").textContent = say(refused.length === 1 ? texts.refusedOne : texts.refusedMany, { n: refused.length });
    $("refused-list").replaceChildren(
      ...refused.map((entry) => {
        const item = document.createElement("li");
        if (entry.thumb) {
          const image = new Image();
          image.src = entry.thumb;
          image.alt = "";
          item.append(image);
        }
        const words = document.createElement("p");
        const name = document.createElement("strong");
        name.textContent = entry.label ?? "";
        words.append(name, " ", entry.message);
        item.append(words);
        return item;
      }),
    );
  }
}
