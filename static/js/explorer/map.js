// The page of the map: its points are fetched a part at a time, moved and zoomed by pointer, fingers and keys; a point shows its
// photo, and a line around points leads to the search that finds them.

import { marks } from "../person.js";
import { isShortcut, keyOf } from "../screen/keys.js";
import { Plane } from "./plane.js";
import { Points, corners } from "./points.js";

const root = document.getElementById("map");
const canvas = root.querySelector("canvas");
const line = root.querySelector("[data-lasso-line]");
const lassoButton = root.querySelector("[data-lasso]");
const result = root.querySelector("[data-result]");
const progress = root.querySelector("progress");
const keys = [...root.querySelectorAll("[data-value]")];
const STEP = 60;
const CLOSE = 12;

const points = new Points();
let outline = []; // of the lasso, on the map
const colourOf = (element) => getComputedStyle(element).getPropertyValue("--class");
const palette = () => keys.filter((key) => key.dataset.value !== "255").map(colourOf);
const rest = () => getComputedStyle(canvas).color;
const plane = new Plane({ canvas, points, colours: palette(), rest: rest(), onPaint: trace });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plane.setColours(palette(), rest()));
new MutationObserver(() => plane.setColours(palette(), rest())).observe(document.documentElement, { attributeFilter: ["data-theme"] });

/* ---- points ---- */
async function load() {
  let [after, at] = [0, 0];
  for (;;) {
    const url = new URL(root.dataset.points, location.href);
    url.searchParams.set("after", after);
    const response = await fetch(url, { credentials: "same-origin", headers: marks() });
    if (!response.ok) throw new Error(String(response.status));
    const { n, next } = points.take(await response.arrayBuffer(), at);
    at += n;
    progress.value = at;
    plane.draw();
    if (!next) break;
    after = next;
  }
  progress.hidden = true;
  const counts = points.tally();
  for (const key of keys) key.querySelector("[data-count]").textContent = counts[key.dataset.value].toLocaleString();
}

load().catch(() => { root.querySelector("[data-failed]").hidden = false; });

/* ---- what is shown beside it ---- */
async function show(number) {
  plane.chosen = number;
  plane.draw();
  if (number < 0) return;
  const url = root.dataset.photo.replace(/0$/, points.ids[number]);
  const response = await fetch(url, { credentials: "same-origin", headers: marks() });
  if (response.ok && plane.chosen === number) root.querySelector("[data-shown]").innerHTML = await response.text();
}

function choose(line) {
  const kept = corners(line, 150);
  plane.draw();
  if (kept.length < 3) return;
  const link = result.querySelector("a");
  const count = points.inside(kept);
  result.hidden = false;
  result.querySelector("[data-inside]").textContent = count.toLocaleString();
  link.hidden = !count;
  link.href = `${root.dataset.search}?area=${root.dataset.space}:${kept.flat().join(",")}`;
}

/* ---- pointers ---- */
const held = new Map(); // pointer -> [left, top]
let drawing = false;
let moved = 0;

const at = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

const lassoed = () => lassoButton.getAttribute("aria-pressed") === "true";

function trace() {
  line.setAttribute("points", outline.map((place) => plane.shown(place).join(",")).join(" "));
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, at(event));
  moved = 0;
  drawing = held.size === 1 && (lassoed() || event.shiftKey);
  if (drawing) outline = [plane.place(...at(event))];
});

canvas.addEventListener("pointermove", (event) => {
  if (!held.has(event.pointerId)) return;
  const [before, now] = [held.get(event.pointerId), at(event)];
  held.set(event.pointerId, now);
  moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (drawing) {
    outline.push(plane.place(...now));
    trace();
  } else if (held.size === 1) {
    plane.moveBy(now[0] - before[0], now[1] - before[1]);
  } else {
    const other = [...held].find(([id]) => id !== event.pointerId)[1];
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    plane.zoomBy(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }
});

function release(event) {
  if (!held.delete(event.pointerId)) return;
  if (drawing && moved > CLOSE) choose(outline);
  else if (moved <= CLOSE && event.type === "pointerup") show(points.nearest(...plane.place(...at(event)), CLOSE / plane.scale));
  drawing = false;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  plane.zoomBy(Math.exp(-event.deltaY / 400), ...at(event));
}, { passive: false });

/* ---- buttons and keys ---- */
const DEEDS = {
  "+": () => plane.zoomBy(1.5),
  "=": () => plane.zoomBy(1.5),
  "-": () => plane.zoomBy(1 / 1.5),
  "0": () => plane.whole(),
  l: () => lassoButton.setAttribute("aria-pressed", String(!lassoed())),
  v: () => choose((outline = plane.seen())),
  ArrowLeft: () => plane.moveBy(STEP, 0),
  ArrowRight: () => plane.moveBy(-STEP, 0),
  ArrowUp: () => plane.moveBy(0, STEP),
  ArrowDown: () => plane.moveBy(0, -STEP),
};
for (const button of root.querySelectorAll("[data-deed]")) button.addEventListener("click", () => DEEDS[button.dataset.deed]());

document.addEventListener("keydown", (event) => {
  if (isShortcut(event) || event.isComposing || event.target.closest("input, textarea, select")) return;
  const key = keyOf(event);
  if (!DEEDS[key] || (key.startsWith("Arrow") && event.target !== canvas)) return;
  event.preventDefault();
  DEEDS[key]();
});

for (const key of keys) {
  key.addEventListener("click", () => {
    const on = key.getAttribute("aria-pressed") !== "true";
    for (const each of keys) each.setAttribute("aria-pressed", String(on && each === key));
    plane.only = on ? Number(key.dataset.value) : null;
    plane.draw();
  });
}
root.querySelector("[name=by]").addEventListener("change", (event) => event.target.form.requestSubmit());
