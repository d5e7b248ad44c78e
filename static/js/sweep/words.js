// What the page of sweeps says: what a grid asks, how its photos are called, and in the place of a grid the card's words and
// what one that does not count has missed. It knows no key and sends nothing.

import { $, say, settings, texts } from "../screen/page.js";

/** The grid that the server told with the page, if it can be taken back: an entry of the undo stack. */
export function toldGrid() {
  if (!settings.undoable) return [];
  const { marks, left, ...entry } = settings.undoable;
  return [{ ...entry, marks: marks.map(({ id, ...mark }) => [id, mark]), until: Date.now() + left }];
}

/** States in which no grid will come by asking again. */
export const NOT_ANSWERS = new Set(["off", "checklist", "no_model", "no_band", "no_gold", "forbidden"]);

/** A photo's name for who cannot see it: the nth of all. */
export function nameOf(cell, n, all) {
  return cell.mark ? say(texts.cellMarked, { n, all, label: cell.mark.label }) : say(texts.cell, { n, all });
}

/** What stands before the words of a mark, by the key of its class or its kind. */
export function iconOf(key) {
  return document.querySelector(`[data-mark-of="${CSS.escape(key)}"]`)?.firstElementChild?.cloneNode(true) ?? null;
}

export const notThis = (sweep) => say(texts.notThis, { name: sweep.name });

/** The question over the grid, and what the button to mark says. */
export function showAsk(sweep) {
  const [before, after] = texts.ask.split("{name}");
  const name = document.createElement("strong");
  name.dir = "auto";
  const icon = iconOf(sweep.class);
  if (icon) name.append(icon, " ");
  name.append(sweep.name);
  $("ask").replaceChildren(before, name, after ?? "");
  $("mark-text").textContent = notThis(sweep);
}

/** [title, text], or null while a grid is under way. `waiting`: one is handed in and not delivered yet. */
export function cardWords({ state, message, waiting, offline, claims, outbox }) {
  if (claims.trouble === "sign-in" || outbox.trouble === "sign-in") return [texts.signInTitle, texts.signInText];
  if (state === "missed") return [texts.missedTitle, texts.missedText];
  if (waiting && (offline || outbox.trouble)) return [texts.offlineTitle, texts.offlineText];
  if (claims.trouble === "server") return [texts.errorTitle, texts.errorText];
  if (offline) return [texts.offlineClaim, texts.offlineClaimText];
  if (state === "handing-in" || state === "loading" || waiting || claims.asking) return null;
  if (state === "paused") return [texts.pausedTitle, message];
  if (state === "forbidden") return [texts.forbiddenTitle, message];
  return [NOT_ANSWERS.has(state) ? texts.notHereTitle : texts.emptyTitle, message];
}

/** In one sentence; `missed` is what the server told: [{ photo, name }]. */
export function missedWords(missed) {
  return missed?.length === 1 ? say(texts.missedOne, { name: missed[0].name }) : texts.missedMany;
}

/** With their photos; nothing without any. */
export function showMissed(missed) {
  $("missed").hidden = !missed?.length;
  $("missed").replaceChildren();
  if (!missed?.length) return;
  const words = document.createElement("p");
  words.textContent = missedWords(missed);
  $("missed").append(words, ...missed.map(figureOf));
}

function figureOf({ photo, name }) {
  const figure = document.createElement("figure");
  const link = document.createElement("a");
  const { screen, width, height, tiles } = photo;
  link.href = screen;
  Object.assign(link.dataset, { photo: name, width, height, tiles: tiles ?? "" }); // as the template tag `opens` writes them
  const image = new Image();
  image.src = screen;
  image.alt = name;
  link.append(image);
  const caption = document.createElement("figcaption");
  caption.dir = "auto";
  caption.textContent = name;
  figure.append(link, caption);
  return figure;
}
