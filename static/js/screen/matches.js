// Which of many classes are meant by what was typed: best first. It knows no page.

const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

/** How well `row` = { name, code, group } fits the folded text: 0 is best; Infinity where it does not. */
function rank(row, text) {
  const name = folded(row.name);
  if (row.code === text) return 0;
  if (name.startsWith(text)) return 1;
  if (row.code.startsWith(text)) return 2;
  if (name.split(/[\s\-_/().,]+/).some((word) => word.startsWith(text))) return 3;
  if (name.includes(text)) return 4;
  return folded(row.group ?? "").startsWith(text) ? 5 : Infinity;
}

/** The rows that fit, best first, in their own order where they fit alike; all of them where nothing was typed. */
export function matches(rows, typed) {
  const text = folded(typed);
  if (!text) return rows;
  return rows
    .map((row) => ({ row, rank: rank(row, text) }))
    .filter((each) => each.rank < Infinity)
    .sort((one, other) => one.rank - other.rank)
    .map(({ row }) => row);
}

/** Rows by their group, groups in the order in which they first come: [[group, rows], …]. */
export function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group ?? "", [...(groups.get(row.group ?? "") ?? []), row]);
  return [...groups];
}
