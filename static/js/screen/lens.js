// The lens: zoom, pan and light for the photo on the screen. Only transforms and filters, so nothing is laid out anew.

const CLOSEST = 16;
const KEY_STEP = 1.3;
const PAN_STEP = 80;
const LIGHT_STEP = 10; // percent
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Lens extends EventTarget {
  scale = 1;
  brightness = 100;
  contrast = 100;
  #x = 0;
  #y = 0;
  #stage;
  #holder;
  #photo; // () -> { width, height } of the photo shown, or null
  #width = 0;
  #height = 0;
  #pointers = new Map();
  #pinch = 0;

  constructor({ stage, holder, photo }) {
    super();
    this.#stage = stage;
    this.#holder = holder;
    this.#photo = photo;
    new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      this.#height = entry.contentRect.height;
      if (this.scale !== 1) this.#apply();
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

  /** Zoom, light and, when zoomed, the arrows; says whether the key meant them. */
  key(key) {
    if (key === "+" || key === "=") this.zoomIn();
    else if (key === "-") this.zoomOut();
    else if (key === "[") this.light({ brightness: this.brightness - LIGHT_STEP });
    else if (key === "]") this.light({ brightness: this.brightness + LIGHT_STEP });
    else if (key === "{") this.light({ contrast: this.contrast - LIGHT_STEP });
    else if (key === "}") this.light({ contrast: this.contrast + LIGHT_STEP });
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
    const next = Math.min(CLOSEST, Math.max(1, scale));
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

  resetZoom() {
    if (this.scale === 1) return;
    this.scale = 1;
    this.#x = this.#y = 0;
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }

  reset() {
    this.resetZoom();
    this.light({ brightness: 100, contrast: 100 });
  }

  /** Percent; 100 is the photo as it is. */
  light({ brightness = this.brightness, contrast = this.contrast }) {
    this.brightness = Math.min(400, Math.max(40, Math.round(brightness)));
    this.contrast = Math.min(300, Math.max(40, Math.round(contrast)));
    const plain = this.brightness === 100 && this.contrast === 100;
    this.#holder.style.filter = plain ? "" : `brightness(${this.brightness}%) contrast(${this.contrast}%)`;
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
    if (!event.target.closest(".lb-photos")) return; // panels above the photo scroll by themselves
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
