// The grid of disputes that are ruled alike: which are marked, and where the arrows go.

export class Several {
  #boxes;
  #line;
  #text;

  /** `text`: "{n} marked" in the page's language. */
  constructor(form, text) {
    this.form = form;
    this.#text = text;
    this.#boxes = [...form.querySelectorAll("input[name=dispute]")];
    this.#line = form.querySelector("[data-marked]");
    form.addEventListener("change", () => this.#tell());
    form.querySelector("[data-mark-all]").addEventListener("click", () => this.#markAll());
    this.#tell();
  }

  get marked() {
    return this.#boxes.filter((box) => box.checked).length;
  }

  /** Arrows walk over the grid; Space is the checkbox's own. Whether the key was one of these. */
  key(event, key) {
    if (!key.startsWith("Arrow")) return false;
    const at = this.#boxes.indexOf(event.target);
    const next = this.#boxes[at < 0 ? 0 : at + this.#step(key)];
    if (!next) return at >= 0;
    next.focus();
    next.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }

  #step(key) {
    if (key === "ArrowLeft") return -1;
    if (key === "ArrowRight") return 1;
    const tops = this.#boxes.map((box) => box.closest("li").offsetTop);
    const wide = tops.findLastIndex((top) => top === tops[0]) + 1; // photos in a row
    return key === "ArrowUp" ? -wide : wide;
  }

  #markAll() {
    const all = this.marked < this.#boxes.length;
    for (const box of this.#boxes) box.checked = all;
    this.#tell();
  }

  #tell() {
    this.#line.textContent = this.#text.replace("{n}", this.marked);
  }
}
