// What the card says, of a screen of single photos, when there is no photo to show.

import { texts } from "./page.js";

/** [title, text]. `queue` is what the server told of it; `trouble` why photos cannot be asked for. */
export function cardWords({ state, message }, { trouble, offline }) {
  if (trouble === "sign-in") return [texts.signInTitle, texts.signInText];
  if (trouble === "server") return [texts.errorTitle, texts.errorText];
  if (offline) return [texts.offlineTitle, texts.offlineText];
  if (state === "paused") return [texts.pausedTitle, message];
  if (state === "forbidden") return [texts.forbiddenTitle, message];
  if (state === "preparing") return [texts.preparingTitle, message];
  if (state === "open") return [texts.openTitle, message || texts.openText];
  return [texts.emptyTitle, message];
}
