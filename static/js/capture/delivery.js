// How photos and the end of the inspection reach the server. The outbox of the screens keeps them; here stands how each is
// sent, and what the server's answers mean for it.

import { exchange } from "../screen/api.js";

const PHOTO_MS = 90000; // a slow network takes as long for a photo
const ENDED = new Set([404, 410]); // the link is none any more

/** A link that ended may be prolonged: what waits goes on waiting. */
const orEnded = (result) => (ENDED.has(result.status) ? { ...result, outcome: "later", why: "ended" } : result);

/** An entry of the outbox, as it wants it. */
export async function send({ kind, key, url, shot, file, tilt }) {
  const body = new FormData();
  if (kind === "photo") {
    body.append("shot", shot);
    body.append("photo", file, "photo.jpg");
    if (tilt !== null) body.append("tilt", String(tilt));
  }
  body.append("key", key);
  const result = orEnded(await exchange(url, { method: "POST", body, timeout: PHOTO_MS }));
  // Others than our server may say 200, too.
  if (result.outcome === "taken" && result.data?.key !== key) return { outcome: "later", why: "network" };
  return result;
}

export const look = async (url) => orEnded(await exchange(url));
