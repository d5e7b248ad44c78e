// The shots of the protocol, in order, and how each stands. It knows neither the camera nor the network.
//
// A shot is "open", "waiting" (taken, on its way), "accepted", "refused" (with advice) or "skipped".

export class Plan extends EventTarget {
  shots;
  current = null;

  constructor(shots) {
    super();
    this.shots = shots.map((shot) => ({ ...shot, state: "open", advice: [], file: null, thumb: "" }));
  }

  of(key) {
    return this.shots.find((shot) => shot.key === key);
  }

  /** What the server says, except of photos that are on their way. Returns those that were good and are no more. */
  told(states) {
    const lost = [];
    for (const { key, accepted, advice } of states) {
      const shot = this.of(key);
      if (!shot || shot.state === "waiting") continue;
      if (accepted) this.#put(shot, "accepted");
      else if (advice.length) {
        if (shot.state === "accepted") lost.push(shot);
        this.#put(shot, "refused", advice);
      } else if (shot.state === "accepted") this.#put(shot, "open");
    }
    this.#changed();
    return lost;
  }

  taken(key, file) {
    const shot = this.of(key);
    if (!shot) return;
    if (shot.thumb) URL.revokeObjectURL(shot.thumb);
    Object.assign(shot, { file, thumb: URL.createObjectURL(file) });
    this.#put(shot, "waiting");
    this.#changed();
  }

  /** The photo arrived, or was refused as a whole (then with `advice`). */
  arrived(key, { accepted, advice }) {
    const shot = this.of(key);
    if (!shot) return;
    this.#put(shot, accepted ? "accepted" : "refused", accepted ? [] : advice);
    this.#changed();
  }

  skip(shot) {
    this.#put(shot, "skipped");
    this.#changed();
  }

  go(shot) {
    if (shot?.state === "skipped") this.#put(shot, "open");
    this.current = shot;
    this.#changed();
  }

  /** The next shot that wants a photo, round once from the current one; null where none does. */
  next() {
    const from = this.shots.indexOf(this.current) + 1;
    const round = [...this.shots.slice(from), ...this.shots.slice(0, from)];
    return round.find(({ state }) => state === "open" || state === "refused") ?? null;
  }

  get there() {
    return this.shots.filter(({ state }) => state === "accepted" || state === "waiting");
  }

  get missing() {
    return this.shots.filter(({ required, state }) => required && state !== "accepted" && state !== "waiting");
  }

  get waiting() {
    return this.shots.filter(({ state }) => state === "waiting");
  }

  #put(shot, state, advice = []) {
    Object.assign(shot, { state, advice });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
