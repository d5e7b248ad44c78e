// What the page of sweeps says in the place of a grid: the card's words, and what a grid that does not count has missed.

import { $, say, texts } from "../screen/page.js";

/** States in which no grid will come by asking again. */
export const NOT_ANSWERS = new Set(["off", "checklist", "no_model", "no_band", "no_gold", "forbidden"]);

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
  const image = new Image();
  image.src = photo.screen;
  image.alt = name;
  const caption = document.createElement("figcaption");
  caption.dir = "auto";
  caption.textContent = name;
  figure.append(image, caption);
  return figure;
}
