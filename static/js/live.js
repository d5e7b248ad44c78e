/* Live parts of a page, without reloading it.

   <section data-live="jobs progress" data-live-url="/…fragment…"> … </section>

   When the server says that one of the named kinds changed (server-sent events from <body data-events-url>), the
   fragment is fetched and takes the place of the element's content. Focus, caret, scroll and opened <details> stay
   as they are; while somebody types in the element, it waits. When the stream is down, everything is fetched every
   10 seconds. document.documentElement.dataset.live tells "on", "off" or "away" (signed out). */

import { marks } from "./person.js";

const POLL_MS = 10_000;
const EDITABLE = "input:not([type=button]):not([type=submit]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

const root = document.documentElement;
const eventsUrl = document.body.dataset.eventsUrl;
const states = new WeakMap(); // element -> {busy, again, waiting, text}
let stream = null;
let retry = null;
let poll = null;
let away = false;

const parts = () => [...document.querySelectorAll("[data-live][data-live-url]")];
const stateOf = (element) => {
  if (!states.has(element)) states.set(element, { busy: false, again: false, waiting: false, text: null });
  return states.get(element);
};

/* Every element and fragment that listens to `kind`; all of them without one. */
function refresh(kind) {
  if (away || document.hidden) return;
  for (const element of parts()) {
    if (!kind || element.dataset.live.split(/\s+/).includes(kind)) fetchInto(element);
  }
}

/* Where the element's content is, with what its reader looks for in it (data-live-carries). */
function address(element) {
  const url = new URL(element.dataset.liveUrl, location.href);
  for (const field of element.querySelectorAll("[data-live-carries]")) {
    if (field.value) url.searchParams.set(field.name, field.value);
  }
  return url;
}

async function fetchInto(element) {
  const state = stateOf(element);
  if (state.busy) {
    state.again = true;
    return;
  }
  state.busy = true;
  try {
    const response = await fetch(address(element), {
      credentials: "same-origin",
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "text/html", ...marks() },
    });
    if (response.status === 409 && response.headers.get("HX-Retarget") === "#messages") {
      leave(); // somebody else signed in: their forms do not come into this person's page
      document.getElementById("messages").innerHTML = await response.text();
      return;
    }
    if (response.redirected || response.status === 401) {
      leave(); // the session ended: what is on the page stays readable, and nobody asks any more
      return;
    }
    if (response.ok) put(element, await response.text());
  } catch {
    // The network is away. The stream notices too, and polling goes on until it is back.
  } finally {
    state.busy = false;
    if (state.again) {
      state.again = false;
      fetchInto(element);
    }
  }
}

function put(element, text) {
  const state = stateOf(element);
  if (!element.isConnected || state.text === text) return;
  const active = document.activeElement;
  if (active && active !== element && element.contains(active) && active.matches(EDITABLE)) {
    if (!state.waiting) {
      state.waiting = true;
      active.addEventListener(
        "blur",
        () => {
          state.waiting = false;
          fetchInto(element);
        },
        { once: true },
      );
    }
    return;
  }
  state.text = text;
  const focus = active && element.contains(active) ? trail(element, active) : null;
  const scrolls = scrolled(element);
  const opened = [...element.querySelectorAll("details")].map((details) => details.open);
  const page = [window.scrollX, window.scrollY];

  element.innerHTML = text;
  window.htmx?.process(element);

  [...element.querySelectorAll("details")].forEach((details, index) => {
    if (index < opened.length) details.open = opened[index];
  });
  for (const [path, left, top] of scrolls) {
    const found = follow(element, path);
    if (found) found.scrollTo({ left, top, behavior: "instant" });
  }
  if (focus) follow(element, focus)?.focus({ preventScroll: true });
  window.scrollTo({ left: page[0], top: page[1], behavior: "instant" });
  element.dispatchEvent(new CustomEvent("live:updated", { bubbles: true }));
}

/* Where a descendant is: by its id, or else by its place in the tree. */
function trail(element, node) {
  if (node.id) return node.id;
  const places = [];
  for (let at = node; at !== element; at = at.parentElement) {
    places.unshift([...at.parentElement.children].indexOf(at));
  }
  return places;
}

function follow(element, path) {
  if (typeof path === "string") return element.querySelector(`#${CSS.escape(path)}`);
  let at = element;
  for (const place of path) at = at?.children[place];
  return at;
}

function scrolled(element) {
  return [...element.querySelectorAll("*")]
    .filter((node) => node.scrollTop || node.scrollLeft)
    .map((node) => [trail(element, node), node.scrollLeft, node.scrollTop]);
}

/* The stream, and what happens without it. A hidden page holds none: browsers allow few connections a server. */
function connect() {
  clearTimeout(retry);
  if (!eventsUrl || away || document.hidden || stream || !parts().length) return;
  stream = new EventSource(eventsUrl);
  stream.addEventListener("watching", () => {
    tell("on");
    clearInterval(poll);
    poll = null;
    refresh(); // what happened between the page's rendering and now
  });
  for (const kind of ["jobs", "progress", "activity"]) stream.addEventListener(kind, () => refresh(kind));
  stream.addEventListener("error", () => {
    tell("off");
    startPolling();
    if (stream?.readyState === EventSource.CLOSED) {
      // Refused (not cut off), so the browser does not try again by itself; a fetch will tell why.
      disconnect();
      retry = setTimeout(connect, POLL_MS);
    }
  });
}

function disconnect() {
  stream?.close();
  stream = null;
}

function startPolling() {
  poll ??= setInterval(refresh, POLL_MS);
}

function leave() {
  away = true;
  tell("away");
  disconnect();
  clearInterval(poll);
  clearTimeout(retry);
}

function tell(state) {
  root.dataset.live = state;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect();
    clearInterval(poll);
    poll = null;
  } else if (eventsUrl) {
    connect();
  } else {
    refresh();
    startPolling();
  }
});
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", connect);
document.addEventListener("htmx:load", connect); // a live part may come with a swapped fragment

/* A service's refusal answers an htmx request with a 4xx and says where its message goes: let it in. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400 || !event.detail.xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

if (eventsUrl) connect();
else if (parts().length) startPolling();
