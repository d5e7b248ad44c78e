// A new guideline while the page is open: fetched as soon as a claim tells of it, and put in place between two photos, so
// that no key changes its meaning under somebody's finger. Until then answers are given, and sent, under the old one.

const $ = (id) => document.getElementById(id);

export class GuidelineWatch {
  #settings;
  #ready; // called when another version is at hand
  #fresh = null; // { page, settings } of that version
  #fetching = false;

  constructor({ settings, ready }) {
    this.#settings = settings;
    this.#ready = ready;
  }

  /** The server says that `number` is in force. What fails is tried again with the next claim. */
  async seen(number) {
    const newest = this.#fresh?.settings.guideline.number ?? this.#settings.guideline.number;
    if (this.#fetching || !(number > newest)) return;
    this.#fetching = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const settings = JSON.parse(page.getElementById("hilltop-settings").textContent);
      if (!(settings.guideline.number > newest)) return;
      this.#fresh = { page, settings };
    } catch {
      return; // the network went, or a sign-in page came
    } finally {
      this.#fetching = false;
    }
    this.#ready();
  }

  /** Puts the other version's criteria, buttons and keys in place of the page's, if one is at hand; says whether. */
  swap() {
    if (!this.#fresh) return false;
    const { page, settings } = this.#fresh;
    this.#fresh = null;
    Object.assign(this.#settings, settings);
    for (const id of ["criteria", "bar"]) $(id).replaceChildren(...page.getElementById(id).childNodes);
    $("criteria").className = page.getElementById("criteria").className;
    document.querySelector("#help dl").replaceWith(page.querySelector("#help dl"));
    return true;
  }
}
