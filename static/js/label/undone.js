// What an earlier page did and this one can take back: what the server knows, and what still waits in the outbox.

import { settings } from "../screen/page.js";

/** What an entry of the outbox keeps of a photo, to show it again. */
export const seen = ({ photo }) => ({ photo, thumb: photo.thumb });

/** Entries of the undo stack, oldest first. `waiting`: the outbox's, which are newer than all that the server knows. */
export function earlier(waiting) {
  const undone = new Set(waiting.filter(({ kind }) => kind === "undo" || kind === "unskip").map(({ lease }) => lease));
  const told = settings.undoable.map((row) => ({ ...row, until: Date.now() + row.left }));
  const known = new Set(told.map(({ lease }) => lease));
  const kept = waiting
    .filter(({ kind, photo, lease }) => (kind === "answer" || kind === "skip") && photo && !known.has(lease))
    .map(({ key, lease, photo, label, kind, seq }) => {
      return { key, lease, photo, label, skipped: kind === "skip", until: seq / 1000 + settings.undoSeconds * 1000 };
    });
  return [...told, ...kept]
    .filter(({ lease }) => !undone.has(lease))
    .map(({ lease, photo, ...entry }) => ({ ...entry, task: { lease, photo, note: "" } }));
}
