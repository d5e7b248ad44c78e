// The grid of a sweep: photos in rows, one of them in focus, some of them marked. It knows the page's shape, not the server.

const RETRIES = 4;
const LARGE = 340; // CSS pixels beyond which a thumbnail would look soft
const NARROW = 640;

export class Grid extends EventTarget {
  cells = []; // { id, photo, mark: null | { kind, class, reason, label }, element, image, ready, broken }
  focus = 0;
  #root;
  #say; // (cell, n, all) -> the cell's name for who cannot see it
  #icon; // kind or class key -> element to show before a mark's words
  #columns = 1;

  constructor({ root, say, icon }) {
    super();
    this.#root = root;
    this.#say = say;
    this.#icon = icon;
    new ResizeObserver(() => this.#lay()).observe(root);
    root.addEventListener("click", (event) => {
      const at = this.#at(event);
      if (at >= 0) this.#tell("pressed", this.moveTo(at));
    });
    root.addEventListener("dblclick", (event) => {
      const at = this.#at(event);
      if (at >= 0) this.#tell("closer", this.moveTo(at));
    });
    root.addEventListener("focusin", (event) => {
      const at = this.#at(event);
      if (at >= 0) this.focus = at;
      this.#tell("moved", this.current);
    });
  }

  get current() {
    return this.cells[this.focus] ?? null;
  }

  get marked() {
    return this.cells.filter((cell) => cell.mark);
  }

  get ready() {
    return this.cells.length > 0 && this.cells.every((cell) => cell.ready || cell.broken);
  }

  /** `marks`: id -> mark, of a grid that is shown again. */
  show(photos, marks = new Map()) {
    this.cells = photos.map(({ id, photo }) => ({ id, photo, mark: marks.get(id) ?? null, ready: false, broken: false }));
    this.focus = 0;
    for (const cell of this.cells) this.#build(cell);
    this.#columns = 0;
    this.#lay();
    for (const cell of this.cells) this.#load(cell, 0);
  }

  clear() {
    this.cells = [];
    this.#root.replaceChildren();
  }

  mark(cell, mark) {
    cell.mark = mark;
    this.#paint(cell);
  }

  moveTo(at) {
    this.focus = Math.max(0, Math.min(this.cells.length - 1, at));
    for (const [n, cell] of this.cells.entries()) cell.element.tabIndex = n === this.focus ? 0 : -1;
    this.current?.element.focus({ preventScroll: false });
    return this.current;
  }

  /** Arrow keys: sideways runs on into the next row, up and down stay in the column. */
  move(key) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns }[key];
    const to = key === "Home" ? 0 : key === "End" ? this.cells.length - 1 : this.focus + step;
    if (to < 0 || to >= this.cells.length) return this.moveTo(this.focus);
    return this.moveTo(to);
  }

  #at(event) {
    const element = event.target.closest?.(".sw-cell");
    return this.cells.findIndex((cell) => cell.element === element);
  }

  #tell(name, cell) {
    this.dispatchEvent(new CustomEvent(name, { detail: cell }));
  }

  #build(cell) {
    cell.element = document.createElement("div");
    cell.element.className = "sw-cell";
    cell.element.setAttribute("role", "gridcell");
    cell.element.dataset.id = cell.id;
    cell.element.tabIndex = -1;
    cell.image = new Image();
    cell.image.alt = "";
    cell.image.draggable = false;
    cell.chip = document.createElement("span");
    cell.chip.className = "sw-chip";
    cell.element.append(cell.image, cell.chip);
    this.#paint(cell);
  }

  #paint(cell) {
    const { mark, element, chip } = cell;
    element.setAttribute("aria-selected", String(Boolean(mark)));
    element.setAttribute("aria-label", this.#say(cell, this.cells.indexOf(cell) + 1, this.cells.length));
    chip.replaceChildren();
    if (!mark) return;
    const icon = this.#icon(mark.kind === "class" ? mark.class : mark.kind);
    const words = document.createElement("span");
    words.dir = "auto";
    words.textContent = mark.label;
    if (icon) chip.append(icon);
    chip.append(words);
  }

  /** As many columns as make the photos largest without scrolling; on a phone three, and it scrolls. */
  #lay() {
    if (!this.cells.length) return;
    const { clientWidth: width, clientHeight: height } = this.#root;
    const gap = 6;
    let columns = 3;
    let size = Math.floor((width - gap * (columns - 1)) / columns);
    if (innerWidth > NARROW) {
      size = 0;
      for (let tried = 2; tried <= this.cells.length; tried += 1) {
        const rows = Math.ceil(this.cells.length / tried);
        const fits = Math.floor(Math.min((width - gap * (tried - 1)) / tried, (height - gap * (rows - 1)) / rows));
        if (fits > size) [size, columns] = [fits, tried];
      }
      size = Math.max(size, 72);
    }
    this.#root.style.setProperty("--sw-size", `${size}px`);
    this.#root.style.setProperty("--sw-cols", String(columns));
    this.#root.dataset.large = String(size * devicePixelRatio > LARGE);
    if (columns === this.#columns) return;
    this.#columns = columns;
    const focused = this.#root.contains(document.activeElement);
    const rows = [];
    for (let at = 0; at < this.cells.length; at += columns) {
      const row = document.createElement("div");
      row.className = "sw-row";
      row.setAttribute("role", "row");
      row.append(...this.cells.slice(at, at + columns).map((cell) => cell.element));
      rows.push(row);
    }
    this.#root.replaceChildren(...rows);
    if (focused) this.moveTo(this.focus);
  }

  async #load(cell, attempt) {
    cell.image.src = this.#root.dataset.large === "true" ? cell.photo.screen : cell.photo.thumb;
    try {
      await cell.image.decode();
      cell.ready = true;
    } catch {
      if (attempt < RETRIES && this.cells.includes(cell)) {
        setTimeout(() => {
          cell.image.removeAttribute("src");
          this.#load(cell, attempt + 1);
        }, 500 * 2 ** attempt);
        return;
      }
      cell.broken = true;
    }
    if (this.cells.includes(cell)) this.#tell("loaded", cell);
  }
}
