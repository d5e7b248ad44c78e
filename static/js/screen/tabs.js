// One page, one tab: where the same page of the same person is opened again, the newest is the one to work on, and those
// before say so. What was answered in one could not be undone in another.

import { uuid } from "./keys.js";

export class Tabs extends EventTarget {
  elsewhere = false;
  #id = uuid();
  #since = performance.timeOrigin;
  #newest = null; // the tab that took over
  #left = false; // and was closed

  /** `name`: of the page and its person. "change" when another tab takes over. */
  constructor(name) {
    super();
    const tabs = new BroadcastChannel(name);
    tabs.onmessage = ({ data: { opened, since, closed } }) => {
      if (opened && (since > this.#since || (since === this.#since && opened > this.#id))) {
        [this.elsewhere, this.#newest, this.#left] = [true, opened, false];
        this.dispatchEvent(new Event("change"));
      }
      if (closed && closed === this.#newest) {
        this.#left = true;
        this.#takeUp();
      }
    };
    tabs.postMessage({ opened: this.#id, since: this.#since });
    addEventListener("pagehide", () => tabs.postMessage({ closed: this.#id }));
    addEventListener("pageshow", ({ persisted }) => persisted && this.here()); // what it shows was given up
    document.addEventListener("visibilitychange", () => this.#takeUp());
  }

  /** Go on in this tab, with what the server knows now. */
  here() {
    location.reload();
  }

  #takeUp() {
    if (this.#left && document.visibilityState === "visible") this.here();
  }
}
