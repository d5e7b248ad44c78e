// The dashboard's plots: a cursor by pointer and by arrow keys that reads a row of the table out, series to switch on and
// off, the frontier as it stood at the cursor, and pictures as PNG files. What it tells stands in the table already.

import { save } from "./save.js";
import { standalone } from "./standalone-svg.js";

const SVG = "http://www.w3.org/2000/svg";
const numbers = (text) => text.split(" ").map((each) => (each === "-" ? null : Number(each)));

class Plot {
  constructor(figure) {
    this.figure = figure;
    this.area = figure.querySelector("[data-area]");
    this.readout = figure.querySelector("[data-readout]");
    this.columns = [...figure.querySelectorAll("[data-rows] thead th")];
    this.rows = [...figure.querySelectorAll("[data-rows] tbody tr")];
    this.time = figure.querySelector("[data-time]");
    this.at = this.rows.length - 1;
    this.views = [...this.area.querySelectorAll("svg[data-view]")].map((svg) => this.prepare(svg));
    this.asSlider();
    this.listen();
    this.move(this.at, false);
  }

  prepare(svg) {
    const cursor = svg.appendChild(document.createElementNS(SVG, "g"));
    cursor.setAttribute("visibility", "hidden");
    const line = cursor.appendChild(document.createElementNS(SVG, "path"));
    line.setAttribute("class", "cursor");
    const dots = cursor.appendChild(document.createElementNS(SVG, "path"));
    dots.setAttribute("class", "cursor-dots");
    const series = [...svg.querySelectorAll("[data-series]")].map((g) => ({ g, heights: numbers(g.dataset.heights) }));
    return { svg, cursor, line, dots, series, places: numbers(svg.dataset.places), ends: numbers(svg.dataset.ends) };
  }

  // A slider is what assistive technology lets people move with arrow keys and reads out by itself.
  asSlider() {
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "slider");
    this.area.setAttribute("aria-label", this.area.dataset.label);
    this.area.setAttribute("aria-valuemin", "1");
    this.area.setAttribute("aria-valuemax", String(this.rows.length));
  }

  listen() {
    this.area.addEventListener("pointermove", (event) => this.point(event));
    this.area.addEventListener("pointerdown", (event) => this.point(event));
    this.area.addEventListener("focus", () => this.move(this.at, true));
    this.area.addEventListener("keydown", (event) => {
      const leap = Math.max(1, Math.round(this.rows.length / 10));
      const to = {
        ArrowRight: this.at + 1, ArrowUp: this.at + 1, ArrowLeft: this.at - 1, ArrowDown: this.at - 1,
        PageUp: this.at + leap, PageDown: this.at - leap, Home: 0, End: this.rows.length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.move(to, true);
    });
    this.time?.addEventListener("input", () => this.move(Number(this.time.value), true));
    for (const button of this.figure.querySelectorAll("[data-toggle]")) {
      button.addEventListener("click", () => this.toggle(button));
    }
    const save = this.figure.querySelector("[data-export]");
    if (save) {
      save.hidden = false;
      save.addEventListener("click", () => exportPlot(this.figure));
    }
  }

  point(event) {
    const view = this.views.find((each) => each.svg.contains(event.target) && each.svg.clientWidth) ||
      this.views.find((each) => each.svg.clientWidth);
    if (!view) return;
    const box = view.svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * view.svg.viewBox.baseVal.width;
    let nearest = 0;
    for (const [index, place] of view.places.entries()) {
      if (Math.abs(place - at) < Math.abs(view.places[nearest] - at)) nearest = index;
    }
    this.move(nearest, true);
  }

  move(to, shown) {
    this.at = Math.max(0, Math.min(this.rows.length - 1, to)); // the place of "now" has no row of its own
    const row = this.rows[this.at];
    const parts = this.columns.flatMap((head, index) =>
      head.hasAttribute("data-read") && row.cells[index].textContent.trim() !== "–"
        ? [[head.textContent.trim(), row.cells[index].textContent.trim()]] : []);
    this.readout.replaceChildren(...parts.map(([name, value]) => {
      const part = document.createElement("span");
      const label = part.appendChild(document.createElement("span"));
      label.className = "muted";
      label.textContent = name;
      part.append(" ");
      part.appendChild(document.createElement("b")).textContent = value;
      return part;
    }));
    const text = parts.map(([name, value]) => `${name}: ${value}`).join("; ");
    this.area.setAttribute("aria-valuenow", String(this.at + 1));
    this.area.setAttribute("aria-valuetext", text);
    if (this.time) {
      this.time.value = String(this.at);
      this.time.setAttribute("aria-valuetext", text);
    }
    for (const view of this.views) this.mark(view, shown);
    if (row.dataset.drawn) this.asItStood(row.dataset.drawn);
  }

  mark(view, shown) {
    view.cursor.setAttribute("visibility", shown ? "visible" : "hidden");
    const x = view.places[this.at];
    view.line.setAttribute("d", `M${x} ${view.ends[0]}V${view.ends[1]}`);
    view.dots.setAttribute("d", view.series
      .filter(({ g, heights }) => !g.hasAttribute("display") && heights[this.at] !== null && heights[this.at] !== undefined)
      .map(({ heights }) => `M${x - 5.5} ${heights[this.at]}a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0Z`).join(""));
  }

  toggle(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    for (const view of this.views) {
      for (const { g } of view.series) {
        if (g.dataset.series !== button.dataset.toggle) continue;
        if (on) g.removeAttribute("display");
        else g.setAttribute("display", "none");
      }
      this.mark(view, view.cursor.getAttribute("visibility") === "visible");
    }
  }

  asItStood(drawn) {
    const lines = this.figure.querySelectorAll("[data-line]");
    const words = this.figure.querySelector("[data-words]");
    for (const [index, states] of drawn.split("|").entries()) {
      const line = lines[index];
      if (!line || !states) continue;
      line.replaceChildren(...states.split(" ").map((state) => {
        const band = document.createElement("li");
        band.className = `band ${state}`;
        const face = band.appendChild(document.createElement("span"));
        face.className = "band-face";
        const word = face.appendChild(document.createElement("span"));
        word.className = "band-state";
        word.textContent = words.querySelector(`[data-word="${state}"]`)?.textContent || state;
        return band;
      }));
    }
  }
}

/* ---- pictures ---- */

const SCALE = 2;
const EDGE = 20;

const colour = (name) => {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.className = `png-${name}`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

function wrapped(pen, text, width) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (pen.measureText(longer).width > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

const loaded = (source) => new Promise((done, failed) => {
  const picture = new Image();
  picture.onload = () => done(picture);
  picture.onerror = () => failed(new Error("the plot could not be drawn"));
  picture.src = source;
});

// Title, legend and plot on one sheet in the page's own colours; the footer says of what and of when.
async function exportPlot(figure) {
  const views = [...figure.querySelectorAll("svg[data-view]")];
  const plot = standalone(views.find((svg) => svg.dataset.view === "broad") || views.find((svg) => svg.dataset.view === "wide") || views[0], SCALE);
  const picture = await loaded(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(plot.text)}`);
  const keys = [...figure.querySelectorAll("[data-toggle][aria-pressed=true]")];
  const marks = await Promise.all(keys.map(async (key) => {
    const mark = standalone(key.querySelector("svg"), SCALE);
    return { mark, image: await loaded(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(mark.text)}`), text: key.textContent.trim() };
  }));
  sheet(figure, plot.width, plot.height, marks, (pen, y) => pen.drawImage(picture, EDGE, y, plot.width, plot.height));
}

function exportGrid(figure) {
  const cells = [...figure.querySelectorAll(".confusion tr")].map((row) => [...row.cells]);
  const first = 150;
  const each = 110;
  const high = 40;
  sheet(figure, Math.max(first + each * (cells[0].length - 1), 420), high * cells.length, [], (pen, y) => {
    pen.textBaseline = "middle";
    for (const [r, row] of cells.entries()) {
      for (const [c, cell] of row.entries()) {
        const x = EDGE + (c ? first + each * (c - 1) : 0);
        const width = c ? each : first;
        if (r && c) {
          pen.fillStyle = getComputedStyle(cell).backgroundColor;
          pen.fillRect(x, y + high * r, width - 2, high - 2);
        }
        pen.fillStyle = colour("ink");
        pen.textAlign = c ? "center" : "left";
        pen.fillText(cell.textContent.trim(), x + (c ? width / 2 : 0), y + high * r + high / 2, width - 8);
      }
    }
  });
}

function sheet(figure, width, height, marks, draw) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  const heading = `650 17px ${family}`;
  pen.font = heading;
  const lines = wrapped(pen, figure.querySelector("h2").textContent.trim(), width);
  const axis = figure.querySelector(".y-label")?.textContent.trim() || "";
  const top = EDGE + 24 * lines.length + (marks.length ? 28 : 8) + (axis ? 18 : 0);
  canvas.width = (width + 2 * EDGE) * SCALE;
  canvas.height = (top + height + 36) * SCALE;
  pen.scale(SCALE, SCALE);
  pen.fillStyle = colour("surface");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = colour("ink");
  pen.textBaseline = "top";
  pen.font = heading;
  for (const [index, line] of lines.entries()) pen.fillText(line, EDGE, EDGE + 24 * index);
  pen.font = `13px ${family}`;
  let x = EDGE;
  for (const { mark, image, text } of marks) {
    const y = EDGE + 24 * lines.length + 4;
    pen.drawImage(image, x, y + 2, mark.width, mark.height);
    pen.fillText(text, x + mark.width + 6, y);
    x += mark.width + 6 + pen.measureText(text).width + 18;
  }
  pen.font = `12px ${family}`;
  pen.fillStyle = colour("ink-3");
  if (axis) pen.fillText(axis, EDGE, top - 18);
  const when = new Date().toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  pen.fillText(`${document.querySelector("[data-dashboard]").dataset.project} · ${when} · Hilltop`, EDGE, top + height + 12);
  pen.font = `13px ${family}`;
  draw(pen, top);
  canvas.toBlob((blob) => save(blob, `${figure.id}.png`), "image/png");
}

for (const figure of document.querySelectorAll("[data-plot]")) new Plot(figure);
for (const figure of document.querySelectorAll("[data-plot-grid]")) {
  const save = figure.querySelector("[data-export]");
  if (!save) continue;
  save.hidden = false;
  save.addEventListener("click", () => exportGrid(figure));
}
document.documentElement.dataset.plots = "on";
