// Panels over the photo, one open at a time, each with a button that opens and one that closes it. It knows no content.

import { $ } from "./page.js";

export class Panels {
  #ids;
  #closed;

  /** Panel `id` belongs to the button `id-toggle`; `closed()` is called when a person closes one. */
  constructor(ids, { closed = () => {} } = {}) {
    this.#ids = ids;
    this.#closed = closed;
    for (const id of ids) $(`${id}-toggle`).addEventListener("click", () => this.toggle(id));
    for (const button of document.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => this.toggle(button.dataset.close));
    }
  }

  toggle(id) {
    const open = $(id).hidden;
    for (const other of this.#ids) this.#show(other, open && other === id);
    if (open) $(`${id}-title`).focus();
    else this.#closed();
  }

  close() {
    const open = this.#ids.find((id) => !$(id).hidden);
    if (open) this.toggle(open);
  }

  #show(id, open) {
    $(id).hidden = !open;
    $(`${id}-toggle`).setAttribute("aria-expanded", String(open));
  }
}
