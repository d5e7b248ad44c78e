// Every table of a page can be saved as CSV, and every plot as SVG, by a quiet button beside it. A table that the server has as
// a file of its own is left to it, and so is one that is a form (data-no-csv). What a page loads later is looked at when it comes.

import { asCsv } from "./csv.js";
import { save } from "./save.js";
import { standalone } from "./standalone-svg.js";

const words = document.querySelector("script[data-csv]").dataset;
const page = location.pathname.split("/").filter(Boolean).slice(2).join("-") || "overview";

function button(label, of, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button small quiet download";
  made.textContent = label;
  if (of) {
    const rest = made.appendChild(document.createElement("span"));
    rest.className = "sr-only";
    rest.textContent = `: ${of}`;
  }
  made.addEventListener("click", act);
  return made;
}

const nameOf = (element) =>
  (element.querySelector("caption") || element.closest("figure, section, details, article")?.querySelector("h2, h3, h4, summary"))
    ?.textContent.trim() || element.closest("[aria-label]")?.getAttribute("aria-label") || "";

function file(element, ending) {
  const alike = [...document.querySelectorAll(ending === "csv" ? "main table.table" : "main .plot-area")];
  const place = alike.indexOf(element) + 1;
  return `${page}${alike.length > 1 ? `-${place}` : ""}.${ending}`;
}

function offerTable(table) {
  if (table.dataset.offered !== undefined || table.rows.length < 2 || table.closest("[data-no-csv]")) return;
  table.dataset.offered = "";
  if (table.closest("figure")?.querySelector(".plot-exports")) return;
  const after = table.closest(".table-scroll") || table;
  after.after(button(words.csv, nameOf(table), () => {
    save(new Blob([asCsv(table)], { type: "text/csv;charset=utf-8" }), file(table, "csv"));
  }));
}

function offerPlot(area) {
  if (area.dataset.offered !== undefined) return;
  area.dataset.offered = "";
  const made = button(words.svg, nameOf(area), () => {
    const views = [...area.querySelectorAll("svg.plot")];
    const shown = views.find((svg) => svg.clientWidth) || views[0];
    save(new Blob([standalone(shown, 1).text], { type: "image/svg+xml" }), file(area, "svg"));
  });
  const exports = area.closest("figure")?.querySelector(".plot-exports");
  if (exports) exports.prepend(made);
  else area.after(made);
}

function offer() {
  for (const table of document.querySelectorAll("main table.table")) offerTable(table);
  for (const area of document.querySelectorAll("main .plot-area")) offerPlot(area);
}

offer();
let due = 0; // live parts come by several ways, and often
new MutationObserver(() => {
  cancelAnimationFrame(due);
  due = requestAnimationFrame(offer);
}).observe(document.querySelector("main"), { childList: true, subtree: true });
