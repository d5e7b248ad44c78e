// The shelf: photos on loan, the next ones loaded and decoded before they are needed, so that the next one is there at once;
// of those behind, the files. It knows neither answers nor how photos come to be lent.

import { Reserve } from "./reserve.js";

const RETRIES = 4;

export class Shelf extends EventTarget {
  current = null;
  #queue = [];
  #known = new Map(); // lease -> task
  #handled = new Set(); // leases that were answered or skipped here, whether or not the server knows yet
  #holder;
  #alt;
  #near;
  #reserve = new Reserve({ changed: () => this.#tend() });

  /** `holder` is the element that the photos live in, all of them on top of each other; `near` of them are decoded. */
  constructor({ holder, alt, near }) {
    super();
    this.#holder = holder;
    this.#alt = alt;
    this.#near = near;
  }

  /** Photos that can be shown without a network, beside the one on the screen. */
  get held() {
    return this.#queue.filter((task) => task.ready || this.#reserve.file(task.lease)).length;
  }

  get bytes() {
    return this.#reserve.bytes;
  }

  get ahead() {
    return this.#queue.length;
  }

  markHandled(lease) {
    this.#handled.add(lease);
  }

  /** What the server says is on loan to us, oldest first; what else it tells of a photo stays with its task. Says how many of
   *  them are new. */
  merge(tasks) {
    const before = this.#queue.length;
    for (const told of tasks) {
      const { lease } = told;
      const expires = Date.parse(told.expires_at);
      const known = this.#known.get(lease);
      if (known) {
        known.expires = expires;
      } else if (!this.#handled.has(lease)) {
        const task = Object.assign(told, { expires, element: null, ready: false, broken: false });
        this.#known.set(lease, task);
        this.#queue.push(task);
      }
    }
    this.#tend();
    return this.#queue.length - before;
  }

  /** Photos that were not near the screen yet leave the shelf; returns their leases. */
  giveBack() {
    const gone = this.#queue.splice(this.#near);
    for (const { lease, element } of gone) {
      element?.remove();
      this.#known.delete(lease);
      this.#handled.add(lease);
    }
    this.#tend();
    return gone.map(({ lease }) => lease);
  }

  /** The next ones are decoded, of the others the files are held. */
  #tend() {
    for (const task of this.#queue.slice(0, this.#near)) if (!task.element) this.#load(task);
    this.#reserve.keep(this.#queue.filter((task) => !task.element));
    this.dispatchEvent(new Event("held"));
  }

  /** When the first lease runs out, by the server's clock in ms; Infinity without any. */
  get expires() {
    return Math.min(...[this.current, ...this.#queue].filter(Boolean).map((task) => task.expires));
  }

  /** Take the next photo; the one before leaves the screen in the same frame. Returns it, or null. */
  advance() {
    const before = this.current;
    // A photo that could not be loaded does not hold up those that could.
    let at = this.#queue.findIndex((task) => task.ready);
    if (at < 0) at = 0;
    const next = this.#queue.splice(at, 1)[0] ?? null;
    if (next && !next.element) this.#load(next);
    before?.element.classList.remove("on");
    next?.element.classList.add("on");
    this.current = next;
    return next;
  }

  finish(task) {
    this.#handled.add(task.lease);
    this.#known.delete(task.lease);
  }

  /** The frame is painted: what is no longer shown may leave the page (its owner may keep the element). */
  tidy() {
    for (const element of this.#holder.querySelectorAll("[data-lease]")) {
      const lease = element.dataset.lease;
      if (!this.#known.has(lease)) element.remove();
    }
    this.#tend();
  }

  /** Show an answered photo again; the one on the screen waits behind it. */
  putBack(task) {
    this.#handled.delete(task.lease);
    this.#known.set(task.lease, task);
    this.#queue = this.#queue.filter((each) => each !== task);
    task.expires = Infinity; // until the server has lent it again
    if (this.current) {
      this.current.element.classList.remove("on");
      this.#queue.unshift(this.current);
    }
    if (!task.element) this.#load(task); // an earlier page had shown it
    if (!task.element.isConnected) this.#holder.append(task.element);
    task.element.classList.add("on");
    this.current = task;
  }

  /** The server lent a photo again, perhaps under a new lease. */
  relent(oldLease, { lease, expires_at: until }) {
    const task = this.#known.get(oldLease);
    if (!task) return;
    this.#known.delete(oldLease);
    task.lease = lease;
    task.element.dataset.lease = lease;
    task.expires = Date.parse(until);
    this.#known.set(lease, task);
  }

  #load(task) {
    const image = new Image();
    image.className = "lb-photo";
    image.alt = this.#alt;
    image.draggable = false;
    image.dataset.lease = task.lease;
    if (task.photo.width && task.photo.height) {
      image.width = task.photo.width;
      image.height = task.photo.height;
    }
    Object.assign(task, { element: image, ready: false, broken: false, file: this.#reserve.file(task.lease) });
    this.#fetch(task, 0);
  }

  async #fetch(task, attempt) {
    const address = task.file ? URL.createObjectURL(task.file) : "";
    task.element.src = address || task.photo.screen;
    try {
      await task.element.decode();
    } catch {
      task.broken = true;
      this.dispatchEvent(new CustomEvent("broken", { detail: task }));
      if (attempt < RETRIES && this.#known.has(task.lease)) {
        setTimeout(() => {
          task.element.removeAttribute("src");
          this.#fetch(task, attempt + 1);
        }, 1000 * 2 ** attempt);
      }
      return;
    }
    if (address) URL.revokeObjectURL(address); // it is decoded; undoing keeps the element
    task.ready = true;
    task.broken = false;
    if (this.#known.has(task.lease) && !task.element.isConnected) this.#holder.append(task.element);
    this.dispatchEvent(new CustomEvent("ready", { detail: task }));
  }
}
