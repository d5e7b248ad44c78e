// What the server told with the page that can be taken back.

import { settings } from "../screen/page.js";

/** Entries of the undo stack, oldest first, but for those that what waits in the outbox takes back already. */
export function told(waiting) {
  const undone = new Set(waiting.filter(({ kind }) => kind === "undo" || kind === "unskip").map(({ lease }) => lease));
  return settings.undoable
    .filter(({ lease }) => !undone.has(lease))
    .map(({ lease, photo, left, ...entry }) => ({ ...entry, until: Date.now() + left, task: { lease, photo, note: "" } }));
}
