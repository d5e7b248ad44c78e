// A table as it is shown, as CSV that a spreadsheet opens rightly: it knows the letters, and runs nothing that somebody typed.
// The server's exports follow the same rules (labeling/exchange/tables/csv.py).

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^[+-]?[\d.,\s]+%?$/;

export function asCsv(table) {
  const rows = [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].flatMap(cellsOf));
  return `\ufeff${rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("")}`;
}

function cellsOf(cell) {
  return [text(cell), ...Array(cell.colSpan - 1).fill("")];
}

function text(cell) {
  const chosen = cell.querySelector("select")?.selectedOptions[0]?.textContent;
  if (chosen) return plain(chosen);
  const copy = cell.cloneNode(true);
  for (const extra of copy.querySelectorAll(".sr-only, button, input, textarea, script, template, svg title")) extra.remove();
  for (const time of copy.querySelectorAll("time[datetime]")) time.textContent = time.dateTime;
  // Parts that stand one below the other would run into each other.
  for (const part of copy.querySelectorAll("div, p, li, br")) part.append(" ");
  return plain(copy.textContent);
}

const plain = (words) => words.replace(/[\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim();

function quoted(value) {
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
