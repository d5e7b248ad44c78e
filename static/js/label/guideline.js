// A new guideline while the page is open: fetched as soon as a claim tells of it, and put in place between two photos, so
// that no key changes its meaning under somebody's finger. Until then answers are given, and sent, under the old one.

import { marks } from "../person.js";
import { $, say, settings, texts } from "../screen/page.js";

export class GuidelineWatch {
  #announce;
  #ready; // called when another version is at hand
  #fresh = null; // { page, settings } of that version
  #fetching = false;

  constructor({ announce, ready }) {
    this.#announce = announce;
    this.#ready = ready;
    $("changed-close").addEventListener("click", () => this.close());
  }

  get waiting() {
    return Boolean(this.#fresh);
  }

  /** The server says that `number` is in force. What fails is tried again with the next claim. */
  async seen(number) {
    const newest = (this.#fresh?.settings ?? settings).guideline.number;
    if (this.#fetching || !(number > newest)) return;
    this.#fetching = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html", ...marks() }, redirect: "error" });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = { page, settings: JSON.parse(page.getElementById("hilltop-settings").textContent) };
      if (!(fresh.settings.guideline.number > newest)) return;
      this.#fresh = fresh;
    } catch {
      return; // the network went, or a sign-in page came
    } finally {
      this.#fetching = false;
    }
    this.#ready();
  }

  /** Puts the other version's criteria, buttons and keys in place of the page's, and says so until a person closes that. */
  swap() {
    const { page, settings: fresh } = this.#fresh;
    this.#fresh = null;
    Object.assign(settings, fresh);
    const focused = $("bar").contains(document.activeElement) ? document.activeElement.dataset : null;
    for (const id of ["criteria", "bar"]) $(id).replaceChildren(...page.getElementById(id).childNodes);
    $("criteria").className = page.getElementById("criteria").className;
    document.querySelector("#help dl").replaceWith(page.querySelector("#help dl"));
    if (focused) {
      const { answer, why } = focused;
      const same = answer ? `[data-answer="${CSS.escape(answer)}"]` : `[data-why="${why}"]`;
      ($("bar").querySelector(same) ?? $("main")).focus({ preventScroll: true });
    }
    const { number, note } = settings.guideline;
    const title = say(texts.guidelineChanged, { n: number });
    $("changed-title").textContent = title;
    $("changed-note").textContent = note;
    $("changed").hidden = false;
    // After what is said of the answer that was just given.
    setTimeout(() => this.#announce(`${title}. ${note}`), 1000);
  }

  close() {
    $("changed").hidden = true;
  }
}
