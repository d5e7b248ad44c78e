// The outbox: what a person did, kept in the browser until the server has confirmed it.
//
// Entries are delivered one after the other, in the order in which they were made. Each carries everything that
// is needed to send it, so that a reload (or the next day) can go on where this page stopped; answers carry a
// key of their own, so that sending one twice changes nothing. An entry that the server refuses never blocks
// the ones behind it: it moves to "refused", and stays there until the person has read it.
//
// This module knows nothing of photos or pages. It talks to IndexedDB and to the `send` function it is given:
//   send(entry) -> { outcome: "taken", data } | { outcome: "refused", code, message } | { outcome: "later", why, message }
// `why` is "network", "server", "sign-in" or "another" (somebody else is signed in: the answers wait for their person).

const DATABASE = "hilltop";
const VERSION = 1;
const PAGES = "hilltop-outbox"; // on which the pages of one browser tell each other what they delivered
const REPLY_MS = 300;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30000;
const RETRACTABLE = new Set(["answer", "skip", "hand-in"]); // the rest takes something back already

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      for (const name of ["outbox", "refused"]) request.result.createObjectStore(name, { keyPath: "seq" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Whether an open page has this person's outbox: what it holds may be taken back there before it is sent. */
export function hasPage(user) {
  return new Promise((resolve) => {
    const pages = new BroadcastChannel(PAGES);
    const end = (found) => {
      pages.close();
      resolve(found);
    };
    pages.onmessage = ({ data }) => data.here && data.user === user && end(true);
    pages.postMessage({ user, asks: true });
    setTimeout(() => end(false), REPLY_MS);
  });
}

export class Outbox extends EventTarget {
  #user;
  #send;
  #database = null;
  #queue = [];
  #refused = [];
  #sending = false;
  #timer = 0;
  #pause = FIRST_PAUSE_MS;
  #lastSeq = 0;
  #trouble = ""; // why the last attempt has to be repeated, or ""
  message = ""; // what the server said then
  #pages = new BroadcastChannel(PAGES);
  durable = true;

  /** `user` keeps the answers of people who share a browser apart. */
  constructor({ user, send }) {
    super();
    this.#user = String(user);
    this.#send = send;
    this.#pages.onmessage = ({ data }) => this.#heard(data);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
    addEventListener("beforeunload", (event) => {
      // Only where nothing could be stored would leaving lose something.
      if (!this.durable && this.#queue.length) event.preventDefault();
    });
  }

  /** Take up what an earlier page left behind, and begin to deliver. */
  async open() {
    try {
      this.#database = await openDatabase();
      const mine = (entry) => String(entry.user) === this.#user;
      const [waiting, refused] = await Promise.all([this.#all("outbox"), this.#all("refused")]);
      this.#queue = [...waiting.filter(mine), ...this.#queue];
      this.#refused = [...refused.filter(mine), ...this.#refused];
    } catch {
      this.durable = false;
    }
    this.#changed();
    this.#deliver();
  }

  get waiting() {
    return this.#queue;
  }

  get refused() {
    return this.#refused;
  }

  get trouble() {
    return this.#trouble;
  }

  add(entry) {
    this.#lastSeq = Math.max(this.#lastSeq + 1, Date.now() * 1000);
    const whole = { ...entry, seq: this.#lastSeq, user: this.#user, attempts: 0 };
    this.#queue.push(whole);
    this.#store("outbox", (store) => store.put(whole));
    this.#changed();
    this.#deliver();
    return whole;
  }

  /**
   * Take an entry back before anything of it can have reached the server; says whether that was possible.
   * After a first attempt it is not: the answer may have arrived although its confirmation did not.
   */
  withdraw(key) {
    const at = this.#queue.findIndex((entry) => entry.key === key && RETRACTABLE.has(entry.kind));
    if (at < 0 || this.#queue[at].attempts > 0) return false;
    const [entry] = this.#queue.splice(at, 1);
    this.#forget(entry);
    this.#changed();
    return true;
  }

  /** Delete what waits here, whether or not it was sent. */
  discard() {
    for (const entry of this.#queue.splice(0)) this.#forget(entry);
    this.#trouble = "";
    this.#changed();
  }

  dismissRefused() {
    const gone = this.#refused.map((entry) => entry.seq);
    this.#refused = [];
    this.#store("refused", (store) => gone.forEach((seq) => store.delete(seq)));
    this.#changed();
  }

  retryNow() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#pause = FIRST_PAUSE_MS;
    this.#deliver();
  }

  async #deliver() {
    if (this.#sending || this.#timer) return;
    this.#sending = true;
    while (this.#queue.length) {
      const entry = this.#queue[0];
      entry.attempts += 1;
      // Remembered before sending: after a crash nobody may think that it was never sent.
      if (entry.attempts === 1) this.#store("outbox", (store) => store.put(entry));
      let result;
      try {
        result = await this.#send(entry);
      } catch {
        result = { outcome: "later", why: "network" };
      }
      if (result.outcome === "later") {
        this.#trouble = result.why;
        this.message = result.message ?? "";
        this.#changed();
        this.#timer = setTimeout(() => {
          this.#timer = 0;
          this.#deliver();
        }, this.#pause * (0.75 + Math.random() / 2));
        this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
        break;
      }
      this.#trouble = "";
      this.#pause = FIRST_PAUSE_MS;
      this.#queue.shift();
      if (result.outcome === "refused" && entry.kind !== "skip") {
        const refused = { ...entry, code: result.code, message: result.message };
        this.#refused.push(refused);
        this.#store("refused", (store) => store.put(refused));
      }
      this.#forget(entry);
      this.#settled(entry, result);
    }
    this.#sending = false;
  }

  /** Another page of the same person: it asks whether one delivers, or tells what it has delivered or taken back. */
  #heard({ user, asks, gone }) {
    if (user !== this.#user) return;
    if (asks) this.#pages.postMessage({ user, here: true });
    const at = gone ? this.#queue.findIndex((entry) => entry.seq === gone) : -1;
    if (at < 0 || (at === 0 && this.#sending)) return; // sent twice at most: the server knows its key
    const [entry] = this.#queue.splice(at, 1);
    this.#settled(entry, { outcome: "elsewhere" });
  }

  #forget(entry) {
    this.#store("outbox", (store) => store.delete(entry.seq));
    this.#pages.postMessage({ user: this.#user, gone: entry.seq });
  }

  #settled(entry, result) {
    this.dispatchEvent(new CustomEvent("settled", { detail: { entry, result } }));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #all(name) {
    return new Promise((resolve, reject) => {
      const request = this.#database.transaction(name).objectStore(name).getAll();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  #store(name, write) {
    if (!this.#database) return;
    try {
      const transaction = this.#database.transaction(name, "readwrite");
      transaction.onerror = transaction.onabort = () => this.#lostStorage();
      write(transaction.objectStore(name));
    } catch {
      this.#lostStorage();
    }
  }

  #lostStorage() {
    this.durable = false;
    this.#changed();
  }
}
