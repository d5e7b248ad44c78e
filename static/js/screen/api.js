// How a screen talks to the server: every call ends as taken, refused, or to be tried later.

import { marks } from "../person.js";

const TIMEOUT_MS = 20000;
const TRY_LATER = new Set([408, 425, 429]);

/**
 * POST `body` as JSON.
 * -> { outcome: "taken", data, serverTime } | { outcome: "refused", status, code, message }
 *  | { outcome: "later", why, message }
 */
export const post = (url, body) =>
  exchange(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...marks() },
    body: JSON.stringify(body ?? {}),
  });

/** Any request that is answered in JSON, with the options of `fetch`; it ends as `post` does. */
export async function exchange(url, { headers = {}, timeout = TIMEOUT_MS, ...options } = {}) {
  let response;
  let data = null;
  try {
    response = await fetch(url, {
      ...options,
      headers: { Accept: "application/json", ...headers },
      signal: AbortSignal.timeout(timeout),
      redirect: "error", // a sign-in page or a hotel's portal is no answer
    });
    if (response.status !== 204) {
      const text = await response.text();
      data = text && (response.headers.get("Content-Type") || "").includes("json") ? JSON.parse(text) : null;
    }
  } catch {
    return { outcome: "later", why: "network" };
  }
  if (response.ok) {
    if (response.status !== 204 && data === null) return { outcome: "later", why: "network" };
    return { outcome: "taken", data, serverTime: Date.parse(response.headers.get("Date") || "") || 0 };
  }
  const error = data?.error ?? {};
  if (error.code === "another_person") return { outcome: "later", why: "another", message: error.message || "" };
  if (response.status === 401 || error.code === "csrf") return { outcome: "later", why: "sign-in" };
  if (response.status >= 500 || TRY_LATER.has(response.status)) return { outcome: "later", why: "server" };
  if (data === null) return { outcome: "later", why: "server" }; // not our server's words
  return { outcome: "refused", status: response.status, code: error.code || "", message: error.message || "" };
}

/** Send an entry of the outbox, with `more` in its body. What carries a key must come back with it: others than our server
 *  may say 200, too. */
export async function deliver(entry, more = {}) {
  const result = await post(entry.url, { ...entry.body, ...more });
  const keyed = entry.kind === "answer" || entry.kind === "hand-in";
  if (result.outcome === "taken" && keyed && result.data?.key !== entry.key) return { outcome: "later", why: "network" };
  return result;
}
