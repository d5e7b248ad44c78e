// The lens: zoom and pan for the photo on the screen. Only transforms, so nothing is laid out anew.

const CLOSEST = 16; // times the photo that fits the screen
const LARGEST_PIXEL = 8; // CSS pixels: so large one of the photo's becomes, however large the photo is
const KEY_STEP = 1.3;
const PAN_STEP = 80;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Lens extends EventTarget {
  scale = 1;
  #x = 0;
  #y = 0;
  #stage;
  #holder;
  #photo; // () -> { width, height, tiles } of the photo shown, or null
  #pageScrolls; // whether the wheel scrolls the page until somebody has zoomed
  #width = 0;
  #height = 0;
  #pointers = new Map();
  #pinch = 0;

  /** What `holder` shows is moved about within `stage`, which clips it. Says "change" after a zoom, "moved" after a move,
   *  "sized" when the stage has another size. */
  constructor({ stage, holder, photo, pageScrolls = false }) {
    super();
    this.#pageScrolls = pageScrolls;
    this.#stage = stage;
    this.#holder = holder;
    this.#photo = photo;
    new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      this.#height = entry.contentRect.height;
      if (this.scale !== 1) this.#apply();
      this.dispatchEvent(new Event("sized"));
    }).observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    holder.addEventListener("dblclick", (event) => {
      const { x, y } = this.#at(event);
      if (this.scale > 1) this.resetZoom();
      else this.zoomAt(3, x, y);
    });
    holder.addEventListener("pointerdown", (event) => this.#down(event));
    holder.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      holder.addEventListener(type, (event) => this.#up(event));
    }
  }

  get photo() {
    return this.#photo();
  }

  /** Where the whole photo would lie in the holder, unzoomed, in CSS pixels: { left, top, width, height, scale }. */
  get fitted() {
    return this.fit(this.#photo());
  }

  /** Where a photo of that size would lie so. */
  fit({ width, height }) {
    const scale = Math.min(this.#width / width, this.#height / height);
    const [w, h] = [width * scale, height * scale];
    return { left: (this.#width - w) / 2, top: (this.#height - h) / 2, width: w, height: h, scale };
  }

  /** What of the holder is seen, in its own CSS pixels: { left, top, right, bottom }. */
  get seen() {
    const [left, top] = [-this.#x / this.scale, -this.#y / this.scale];
    return { left, top, right: left + this.#width / this.scale, bottom: top + this.#height / this.scale };
  }

  /** Zoom and, when zoomed, the arrows; says whether the key meant them. */
  key(key) {
    if (key === "+" || key === "=") this.zoomIn();
    else if (key === "-") this.zoomOut();
    else if (ARROWS[key] && this.scale > 1) this.pan(...ARROWS[key]);
    else return false;
    return true;
  }

  zoomIn() {
    this.zoomAt(this.scale * KEY_STEP, this.#width / 2, this.#height / 2);
  }

  zoomOut() {
    this.zoomAt(this.scale / KEY_STEP, this.#width / 2, this.#height / 2);
  }

  /** Zoom to `scale` (1 fits the screen) and keep the point (x, y) of the stage where it is. */
  zoomAt(scale, x, y) {
    const closest = this.photo ? Math.max(CLOSEST, LARGEST_PIXEL / this.fitted.scale) : CLOSEST;
    const next = Math.min(closest, Math.max(1, scale));
    const ratio = next / this.scale;
    this.#x = x - (x - this.#x) * ratio;
    this.#y = y - (y - this.#y) * ratio;
    this.scale = next;
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }

  pan(right, down) {
    this.#x -= right * PAN_STEP;
    this.#y -= down * PAN_STEP;
    this.#apply();
  }

  /** The point of the photo as it is seen, in its pixels, comes to the middle of the stage, as far as there is photo around. */
  lookAt(x, y) {
    if (this.scale === 1) return;
    const { left, top, scale } = this.fitted;
    this.#x = this.#width / 2 - (left + x * scale) * this.scale;
    this.#y = this.#height / 2 - (top + y * scale) * this.scale;
    this.#apply();
  }

  /** The point that is in the middle of the stage, where a photo of that size is seen. */
  middle(photo) {
    const { left, top, scale } = this.fit(photo);
    const { seen } = this;
    return [((seen.left + seen.right) / 2 - left) / scale, ((seen.top + seen.bottom) / 2 - top) / scale];
  }

  resetZoom() {
    if (this.scale === 1) return;
    this.scale = 1;
    this.#x = this.#y = 0;
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }

  #apply() {
    const photo = this.#photo();
    if (this.scale === 1) {
      this.#x = this.#y = 0;
      this.#holder.style.transform = "";
    } else {
      if (photo) this.#keepInView(photo);
      this.#holder.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.scale})`;
    }
    this.#stage.classList.toggle("zoomed", this.scale > 1);
    this.dispatchEvent(new Event("moved"));
  }

  #keepInView({ width, height }) {
    const fit = Math.min(this.#width / width, this.#height / height);
    const keep = (offset, room, shown) => {
      const margin = (room - shown) / 2;
      if (shown * this.scale <= room) return (room - room * this.scale) / 2;
      return Math.min(-margin * this.scale, Math.max(room - (margin + shown) * this.scale, offset));
    };
    this.#x = keep(this.#x, this.#width, width * fit);
    this.#y = keep(this.#y, this.#height, height * fit);
  }

  #at(event) {
    const box = this.#stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #wheel(event) {
    if (!this.#holder.contains(event.target)) return; // panels above the photo scroll by themselves
    if (this.#pageScrolls && this.scale === 1 && event.deltaY > 0 && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const { x, y } = this.#at(event);
    this.zoomAt(this.scale * Math.exp(-event.deltaY * lines * 0.0015), x, y);
  }

  #down(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    this.#holder.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
    this.#pinch = 0;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    this.#pointers.set(event.pointerId, now);
    if (this.#pointers.size === 2) {
      const [a, b] = [...this.#pointers.values()];
      const distance = Math.hypot(a.x - b.x, a.y - b.y);
      if (this.#pinch) this.zoomAt((this.scale * distance) / this.#pinch, (a.x + b.x) / 2, (a.y + b.y) / 2);
      this.#pinch = distance;
    } else if (this.#pointers.size === 1 && this.scale > 1) {
      this.#x += now.x - before.x;
      this.#y += now.y - before.y;
      this.#apply();
    }
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
    this.#pinch = 0;
  }
}
