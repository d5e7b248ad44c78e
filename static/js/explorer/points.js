// The points of the map, as they come: typed arrays that a million fit into, and what is looked up in them.

const SIDE = 65_536;

export class Points {
  constructor() {
    this.count = 0;
    this.x = new Uint16Array(0);
    this.y = new Uint16Array(0);
    this.value = new Uint8Array(0);
    this.ids = new Float64Array(0);
  }

  /** Lays them over what labeling/explorer/map/points.py sent; `at`: which of ours the first is. Returns what to ask for next. */
  take(buffer, at) {
    const head = new DataView(buffer);
    const n = head.getUint32(0, true);
    const [next, first] = [head.getFloat64(8, true), head.getFloat64(16, true)];
    this.#hold(at + n);
    const ids = new Uint32Array(buffer, 24, n);
    for (let i = 0; i < n; i++) this.ids[at + i] = first + ids[i];
    this.x.set(new Uint16Array(buffer, 24 + 4 * n, n), at);
    this.y.set(new Uint16Array(buffer, 24 + 6 * n, n), at);
    this.value.set(new Uint8Array(buffer, 24 + 8 * n, n), at);
    this.count = Math.max(this.count, at + n);
    return { n, next };
  }

  /** How many have each value. */
  tally() {
    const counts = new Uint32Array(256);
    for (let i = 0; i < this.count; i++) counts[this.value[i]]++;
    return counts;
  }

  /** The one nearest to (x, y) within `reach`, by its number; -1 where there is none. */
  nearest(x, y, reach) {
    let [found, least] = [-1, reach * reach];
    for (let i = 0; i < this.count; i++) {
      const [dx, dy] = [this.x[i] - x, this.y[i] - y];
      const apart = dx * dx + dy * dy;
      if (apart < least) [found, least] = [i, apart];
    }
    return found;
  }

  /** How many lie inside a polygon of [x, y]. */
  inside(corners) {
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const [left, right, top, foot] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    let count = 0;
    for (let i = 0; i < this.count; i++) {
      const [x, y] = [this.x[i], this.y[i]];
      if (x >= left && x <= right && y >= top && y <= foot && isInside(x, y, xs, ys)) count++;
    }
    return count;
  }

  #hold(n) {
    if (n <= this.ids.length) return;
    const room = Math.max(n, 2 * this.ids.length);
    for (const name of ["x", "y", "value", "ids"]) {
      const larger = new this[name].constructor(room);
      larger.set(this[name]);
      this[name] = larger;
    }
  }
}

// A ray to the right crosses the outline an odd number of times.
function isInside(x, y, xs, ys) {
  let inside = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
  }
  return inside;
}

/** A line with no more than `most` corners that keeps its shape: whole numbers inside the map, none twice in a row. */
export function corners(line, most) {
  const step = Math.max(1, line.length / most);
  const kept = [];
  for (let at = 0; at < line.length; at += step) {
    const place = line[Math.floor(at)].map((each) => Math.min(SIDE - 1, Math.max(0, Math.round(each))));
    if (!kept.length || place.some((each, axis) => each !== kept.at(-1)[axis])) kept.push(place);
  }
  return kept;
}
