// The reserve: photos on loan beyond those that are decoded, as files, so that minutes of work go on without a network. It
// knows their files and their number, and neither answers nor the screen.

const AT_ONCE = 2; // requests; the photos that come next are not held up by them
const AGAIN_MS = 5000;

export class Reserve {
  #files = new Map(); // lease -> Blob, or null while it is fetched
  #timer = 0;
  #changed;

  /** `changed()` is called when more is held. */
  constructor({ changed }) {
    this.#changed = changed;
  }

  get bytes() {
    return [...this.#files.values()].reduce((sum, file) => sum + (file?.size ?? 0), 0);
  }

  file(lease) {
    return this.#files.get(lease) ?? null;
  }

  /** Fetches the files of these tasks, first things first, and forgets all others. */
  keep(tasks) {
    const leases = new Set(tasks.map(({ lease }) => lease));
    for (const lease of this.#files.keys()) if (!leases.has(lease)) this.#files.delete(lease);
    clearTimeout(this.#timer);
    const under = [...this.#files.values()].filter((file) => !file).length;
    const missing = tasks.filter(({ lease }) => !this.#files.has(lease));
    for (const task of missing.slice(0, Math.max(0, AT_ONCE - under))) this.#fetch(task);
  }

  async #fetch({ lease, photo }) {
    this.#files.set(lease, null);
    let file = null;
    try {
      const response = await fetch(photo.screen);
      if (response.ok) file = await response.blob();
    } catch {
      // the network is away
    }
    if (!this.#files.has(lease)) return; // shown or given back meanwhile
    if (file) {
      this.#files.set(lease, file);
      this.#changed();
    } else {
      this.#files.delete(lease);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#changed(), AGAIN_MS);
    }
  }
}
