// The map as a picture: points put into pixels one by one, which every browser does.
// It needs neither WebGL nor a script that is made at run time, which the content security policy forbids.

const SIDE = 65_536;
const MOST_ZOOM = 400;

export class Plane {
  #drawing = 0;

  /** `colours`: CSS colours by value, `rest` that of what has none; `onPaint`: what is drawn above it may follow. */
  constructor({ canvas, points, colours, rest, onPaint }) {
    this.canvas = canvas;
    this.points = points;
    this.onPaint = onPaint;
    this.only = null; // a value that the others step back behind
    this.chosen = -1;
    this.setColours(colours, rest);
    this.whole();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  setColours(colours, rest) {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const number = (colour, alpha = 1) => {
      context.clearRect(0, 0, 1, 1);
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
    };
    this.colours = new Uint32Array(256).fill(number(rest, 0.55));
    this.faint = number(rest, 0.25);
    colours.forEach((colour, value) => { this.colours[value] = number(colour); });
    this.draw();
  }

  /** All of it, as large as it fits. */
  whole() {
    this.zoom = 1;
    this.middle = [SIDE / 2, SIDE / 2];
    this.draw();
  }

  /** CSS pixels a unit of the map. */
  get scale() {
    return (Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / SIDE) * this.zoom;
  }

  /** Where on the map a place of the canvas is, in CSS pixels from its upper left corner. */
  place(left, top) {
    return [
      this.middle[0] + (left - this.canvas.clientWidth / 2) / this.scale,
      this.middle[1] + (top - this.canvas.clientHeight / 2) / this.scale,
    ];
  }

  /** Where on the canvas a place of the map is. */
  shown([x, y]) {
    return [
      (x - this.middle[0]) * this.scale + this.canvas.clientWidth / 2,
      (y - this.middle[1]) * this.scale + this.canvas.clientHeight / 2,
    ];
  }

  /** What is seen, as corners. */
  seen() {
    const [right, foot] = [this.canvas.clientWidth, this.canvas.clientHeight];
    return [this.place(0, 0), this.place(right, 0), this.place(right, foot), this.place(0, foot)];
  }

  zoomBy(factor, left = this.canvas.clientWidth / 2, top = this.canvas.clientHeight / 2) {
    const before = this.place(left, top);
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const after = this.place(left, top);
    this.moveTo([this.middle[0] + before[0] - after[0], this.middle[1] + before[1] - after[1]]);
  }

  moveBy(left, top) {
    this.moveTo([this.middle[0] - left / this.scale, this.middle[1] - top / this.scale]);
  }

  moveTo(middle) {
    this.middle = middle.map((each) => Math.min(SIDE, Math.max(0, each)));
    this.draw();
  }

  /** Before the next frame, once. */
  draw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#paint();
    });
  }

  #paint() {
    const dense = Math.min(2, devicePixelRatio || 1);
    const width = Math.round(this.canvas.clientWidth * dense);
    const height = Math.round(this.canvas.clientHeight * dense);
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
      this.image = null;
    }
    const context = this.canvas.getContext("2d");
    this.image ||= context.createImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    pixels.fill(0);
    const { x, y, value, count } = this.points;
    const scale = this.scale * dense;
    const [left, top] = [width / 2 - this.middle[0] * scale, height / 2 - this.middle[1] * scale];
    // As large as leaves the points of a crowd apart, and a single one to be seen.
    const size = Math.max(1, Math.round(dense * Math.min(9, (count > 300_000 ? 1 : count > 30_000 ? 2 : count > 3_000 ? 4 : 6) * Math.sqrt(this.zoom))));
    const [colours, faint, only] = [this.colours, this.faint, this.only];
    // What has no colour first, so that it hides nothing.
    for (const back of [true, false]) {
      for (let i = 0; i < count; i++) {
        const its = value[i];
        const stepsBack = only === null ? its === 255 : its !== only;
        if (stepsBack !== back) continue;
        const across = Math.trunc(x[i] * scale + left) - (size >> 1);
        const down = Math.trunc(y[i] * scale + top) - (size >> 1);
        if (across < 0 || down < 0 || across + size > width || down + size > height) continue;
        const colour = only !== null && back ? faint : colours[its];
        for (let row = down * width + across, end = row + size * width; row < end; row += width) {
          for (let at = row; at < row + size; at++) pixels[at] = colour;
        }
      }
    }
    context.putImageData(this.image, 0, 0);
    if (this.chosen >= 0) this.#ring(context, dense);
    this.onPaint();
    this.canvas.dataset.drawn = count; // what a test waits for
  }

  #ring(context, dense) {
    const [left, top] = this.shown([this.points.x[this.chosen], this.points.y[this.chosen]]);
    context.strokeStyle = getComputedStyle(this.canvas).color;
    context.lineWidth = 2 * dense;
    context.beginPath();
    context.arc(left * dense, top * dense, 9 * dense, 0, 2 * Math.PI);
    context.stroke();
  }
}
