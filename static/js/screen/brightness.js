// Brightness: how light and how full of contrast photos are shown, by hand, or levelled by themselves: what is dark in one is
// stretched over all there is between black and white; or inverted. Only filters; the photo stays what it is.

const STEP = 10; // percent
const LEAST = 40;
const MOST = { brightness: 400, contrast: 300 };
const TAIL = 0.005; // of the pixels at either end may go black or white
const SAMPLE = 160; // pixels on the longest side of what is measured
const levels = new WeakMap(); // image -> { address, low, high }

export class Brightness extends EventTarget {
  brightness = 100; // percent, by hand
  contrast = 100;
  levelled = false;
  inverted = false;

  get plain() {
    return this.brightness === 100 && this.contrast === 100 && !this.levelled && !this.inverted;
  }

  /** Whether the key meant it. */
  key(key) {
    if (key === "l") this.level();
    else if (key === "v") this.invert();
    else if (key === "[") this.set({ brightness: this.brightness - STEP });
    else if (key === "]") this.set({ brightness: this.brightness + STEP });
    else if (key === "{") this.set({ contrast: this.contrast - STEP });
    else if (key === "}") this.set({ contrast: this.contrast + STEP });
    else return false;
    return true;
  }

  /** Percent; 100 is the photo as it is. */
  set({ brightness = this.brightness, contrast = this.contrast, levelled = this.levelled, inverted = this.inverted }) {
    const within = (name, value) => Math.min(MOST[name], Math.max(LEAST, Math.round(value)));
    this.brightness = within("brightness", brightness);
    this.contrast = within("contrast", contrast);
    this.levelled = levelled;
    this.inverted = inverted;
    this.dispatchEvent(new Event("change"));
  }

  /** On and off. */
  level() {
    this.set({ levelled: !this.levelled });
  }

  /** On and off: what is dark is seen bright, as on a film's negative. */
  invert() {
    this.set({ inverted: !this.inverted });
  }

  reset() {
    if (!this.plain) this.set({ brightness: 100, contrast: 100, levelled: false, inverted: false });
  }

  /** The CSS filter through which `image`, which is loaded, is shown. */
  filter(image) {
    const parts = [];
    const found = this.levelled && image ? levelsOf(image) : null;
    // low -> black, high -> white: (x - low) / (high - low), as the product of the two functions that CSS has.
    if (found) parts.push(percent("brightness", 1 / (found.high + found.low)));
    if (found) parts.push(percent("contrast", (found.high + found.low) / (found.high - found.low)));
    if (this.brightness !== 100) parts.push(`brightness(${this.brightness}%)`);
    if (this.contrast !== 100) parts.push(`contrast(${this.contrast}%)`);
    if (this.inverted) parts.push("invert(1)");
    return parts.join(" ");
  }
}

const percent = (name, value) => `${name}(${(100 * value).toFixed(1)}%)`;

/** Between which shares of white nearly all of a picture's light lies; null where there is nothing to stretch. */
function levelsOf(image) {
  const known = levels.get(image);
  if (known?.address === image.src) return known.found;
  if (!image.complete || !image.naturalWidth) return null;
  const scale = Math.min(1, SAMPLE / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Uint32Array(256);
  for (let at = 0; at < data.length; at += 4) {
    counts[Math.round(0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2])] += 1;
  }
  const tail = TAIL * canvas.width * canvas.height;
  const [low, high] = [first(counts, tail), 255 - first(counts.toReversed(), tail)];
  const found = high - low < 2 ? null : { low: low / 255, high: high / 255 };
  levels.set(image, { address: image.src, found });
  return found;
}

/** The first value up to which more than `tail` pixels lie. */
function first(counts, tail) {
  let sum = 0;
  for (const [value, count] of counts.entries()) {
    sum += count;
    if (sum > tail) return value;
  }
  return 0;
}
