// The same asset's earlier photo, beside the one on the screen, when a person asks for it. The server has kept that it is
// shown before it is here: they are not blind then. It knows no answer, and not where photos come from.

import { post } from "./api.js";

const $ = (id) => document.getElementById(id);

export class Earlier {
  #place; // where to ask about the photo on the screen; "" where there is none
  #toast;
  #announce;
  #texts;
  #asked = ""; // what the earlier photo on the screen, or under way, is beside

  constructor({ place, toast, announce, texts }) {
    this.#place = place;
    this.#toast = toast;
    this.#announce = announce;
    this.#texts = texts;
    for (const id of ["earlier-toggle", "earlier-close"]) $(id).addEventListener("click", () => this.toggle());
  }

  toggle() {
    if (this.#asked) this.leave();
    else this.#ask(this.#place());
  }

  /** Another photo is on the screen, or none. */
  leave() {
    this.#asked = "";
    this.#show(null);
  }

  async #ask(place) {
    if (!place) return;
    this.#asked = place;
    const { outcome, message, data } = await post(place, {});
    if (this.#asked !== place) return;
    const found = data?.earlier;
    if (outcome === "taken" && found) return this.#show(found);
    this.#asked = "";
    if (outcome === "taken") this.#toast(this.#texts.earlierNone);
    else this.#toast(outcome === "later" ? this.#texts.earlierOffline : message);
  }

  #show(found) {
    $("earlier").hidden = !found;
    $("earlier-toggle").setAttribute("aria-expanded", String(Boolean(found)));
    document.body.classList.toggle("with-earlier", Boolean(found));
    $("earlier-photo").src = found?.photo.screen ?? "data:,";
    if (!found) return;
    const date = new Date(found.happened_at).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });
    $("earlier-when").textContent = this.#texts.earlierOf.replace("{date}", date).replace("{event}", () => found.event);
    this.#announce(this.#texts.earlierShown);
  }
}
