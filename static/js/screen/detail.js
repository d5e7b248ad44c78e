// The photo's own pixels: tiles of them come to lie over its screen-sized picture once somebody has zoomed in so far that
// they tell more. They are asked for where the lens looks, and dropped when it leaves the photo.

const FROM = 1.5; // times the photo that fits the screen, or device pixels to one of the screen-sized picture
const TILE = 1024; // pixels, as the server cuts them
const SCREEN = 1600; // longest side of the screen-sized picture
const MOST = 36; // tiles at once: 150 MB of pixels. More come into sight of very large photos only, which need more zoom

export class Detail extends EventTarget {
  state = ""; // "loading" or "whole" while the photo's own pixels are wanted
  #lens;
  #photo; // () -> the photo as it is, however it lies on the screen
  #orientation;
  #layer = document.createElement("div");
  #tiles = new Map(); // address -> image
  #asked = false;

  /** `holder` is what the lens moves. Says "change" when its state changes. */
  constructor({ lens, holder, photo, orientation }) {
    super();
    this.#lens = lens;
    this.#photo = photo;
    this.#orientation = orientation;
    this.#layer.className = "lb-detail";
    this.#layer.setAttribute("aria-hidden", "true");
    holder.append(this.#layer);
    lens.addEventListener("moved", () => this.#look());
  }

  #look() {
    if (!this.#wanted()) {
      this.#tiles.clear();
      this.#layer.replaceChildren();
      this.#tell("");
    } else if (!this.#asked) {
      this.#asked = true;
      requestAnimationFrame(() => {
        this.#asked = false;
        if (this.#wanted()) this.#fill();
      });
    }
  }

  #wanted() {
    const { photo, scale } = this.#lens;
    if (!photo || scale === 1) return false;
    const { width, height } = this.#lens.fitted;
    const shown = Math.max(width, height) * scale * devicePixelRatio;
    return scale >= FROM || shown / Math.min(SCREEN, Math.max(photo.width, photo.height)) >= FROM;
  }

  #fill() {
    const { fitted } = this.#lens;
    const photo = this.#photo();
    if (!photo.tiles) return this.#tell("whole"); // the screen-sized picture is the photo itself
    const [columns, rows] = [Math.ceil(photo.width / TILE), Math.ceil(photo.height / TILE)];
    const within = (value, most) => Math.max(0, Math.min(most, Math.floor(value / TILE)));
    const looked = this.#looked(fitted, photo);
    const [left, right] = [looked.left, looked.right].map((x) => within(x, columns - 1));
    const [top, bottom] = [looked.top, looked.bottom].map((y) => within(y, rows - 1));
    if ((right - left + 1) * (bottom - top + 1) > MOST) return this.#tell("loading");
    // Tiles are laid out in the photo's own pixels, which are whole numbers, and shrunk: layout rounds, transforms do not.
    const lies = this.#orientation.matrix(photo);
    this.#layer.style.transform = `translate(${fitted.left}px, ${fitted.top}px) scale(${fitted.scale}) matrix(${lies})`;
    const before = this.#tiles;
    this.#tiles = new Map();
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        const address = photo.tiles.replace("{x}", x).replace("{y}", y);
        this.#tiles.set(address, before.get(address) ?? this.#tile(address, x, y));
        before.delete(address);
      }
    }
    for (const image of before.values()) image.remove();
    this.#count();
  }

  /** What of the photo the lens looks at, in the photo's own pixels. */
  #looked({ left, top, scale }, photo) {
    const { seen } = this.#lens;
    const box = {
      left: (seen.left - left) / scale, right: (seen.right - left) / scale,
      top: (seen.top - top) / scale, bottom: (seen.bottom - top) / scale,
    };
    return this.#orientation.inPhoto(box, photo);
  }

  #tile(address, x, y) {
    const image = new Image();
    image.style.left = `${x * TILE}px`;
    image.style.top = `${y * TILE}px`;
    image.alt = "";
    image.draggable = false;
    image.addEventListener("load", () => this.#count());
    image.addEventListener("error", () => {
      image.remove(); // what lies below stays to be seen; looking there again asks again
      if (this.#tiles.get(address) === image) this.#tiles.delete(address);
    });
    image.src = address;
    this.#layer.append(image);
    return image;
  }

  #count() {
    const all = [...this.#tiles.values()];
    if (all.length) this.#tell(all.every((image) => image.complete && image.naturalWidth) ? "whole" : "loading");
  }

  #tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.#layer.dataset.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
