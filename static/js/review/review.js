// The review desk: one key a ruling, the next dispute at once. Without this script the same forms post whole pages. This file
// is what lies between: which desk is shown when. How photos are compared, marked and taken back lies in files beside it.

import { csrfToken, marks } from "../person.js";
import { Earlier } from "../screen/earlier.js";
import { wakeFrame } from "../screen/frame.js";
import { isHeld, isShortcut, keyOf } from "../screen/keys.js";
import { oneTap } from "../screen/taps.js";
import { Compare } from "./compare.js";
import { findClasses } from "./find.js";
import { countDown } from "./fresh.js";
import { toggleKeys } from "./help.js";
import { Several } from "./several.js";

const desk = document.getElementById("desk");
const said = document.getElementById("desk-said");
let busy = false;
let viewer = null; // how the photo on the desk is looked at
let compare = null; // which similar photo lies over it
let several = null; // the grid, where that is on the desk

function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

function fail(text) {
  let box = desk.querySelector("[data-failed]");
  if (!box) {
    box = document.createElement("div");
    box.className = "notice error";
    box.dataset.failed = "";
    desk.prepend(box);
  }
  box.textContent = text;
  say(text);
}

// Put another desk in place. `where` is "push" for a new dispute, "replace" when the address stays as it was.
async function show(response, where) {
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const root = holder.content.querySelector(".desk-root");
  if (!root && !response.ok) { // what was typed stays
    const why = holder.content.querySelector("main [role=alert]");
    if (why) { fail(why.textContent.trim()); return; }
  }
  if (!root) { window.location.assign(response.url); return; }
  desk.replaceChildren(holder.content);
  const url = root.dataset.url;
  if (where === "push" && url !== window.location.pathname + window.location.search) history.pushState({ desk: true }, "", url);
  wake();
  const error = document.getElementById("desk-error");
  (error || desk.querySelector("[data-focus]"))?.focus({ preventScroll: !error });
  if (!error) window.scrollTo({ top: Math.min(window.scrollY, desk.offsetTop) });
  say(root.dataset.said);
}

async function go(url, options, where) {
  if (busy) return;
  busy = true;
  desk.setAttribute("aria-busy", "true");
  try {
    const headers = { [desk.dataset.fetchHeader]: "1", ...marks() };
    const response = await fetch(url, { credentials: "same-origin", ...options, headers });
    const kind = response.headers.get("Content-Type") || "";
    if (response.redirected && !response.url.includes("/review")) { window.location.assign(response.url); return; }
    if (response.status >= 500 || !kind.includes("text/html")) throw new Error(String(response.status));
    await show(response, where);
  } catch {
    fail(desk.dataset.saidFailed);
  } finally {
    busy = false;
    desk.removeAttribute("aria-busy");
  }
}

desk.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-desk-form]");
  if (!form) return;
  event.preventDefault();
  if (several?.form === form && !several.marked) { fail(desk.dataset.saidNoneMarked); return; }
  const button = event.submitter;
  button?.classList.add("struck");
  if (form.hasAttribute("data-ruling")) say(desk.dataset.saidSending);
  const body = new FormData(form, button);
  body.set("csrfmiddlewaretoken", csrfToken()); // a sign-in in another tab made a new one
  go(form.action, { method: "POST", body }, "push")
    .finally(() => button?.classList.remove("struck"));
});

desk.addEventListener("click", (event) => {
  const link = event.target.closest("[data-desk-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href, {}, "push");
});

window.addEventListener("popstate", () => go(window.location.href, {}, "replace"));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-toggle]")) toggleKeys();
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (field) {
    if (event.key === "Escape") { field.blur(); event.preventDefault(); }
    if (event.key === "Enter" && field.matches("input") && field.form?.matches("[data-ruling]")) event.preventDefault(); // typing never rules
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field.name === "comment") {
      field.form.querySelector('[value="send_back"]').click();
      event.preventDefault();
    }
    return;
  }
  const key = keyOf(event);
  if (isShortcut(event) || isHeld(event, key)) return;
  if (means(event, key)) event.preventDefault();
});

/** What the key means on this desk; whether it meant something. */
function means(event, key) {
  if (key === "b") return openPart(".more", "textarea, input");
  if (key === "e") return openPart("[data-amend]", "textarea");
  if (key === "f") return openPart("[data-filter]", ".chip");
  if (key === "/") return focusOn("[data-find-class]");
  if (key === "?") return toggleKeys();
  if (key === "Escape") return closeWhatIsOpen();
  if (several?.key(event, key) || compare?.key(key) || photoKey(event, key)) return true;
  const control = desk.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
  control?.click();
  return Boolean(control);
}

// Arrows move the photo where it has the focus; elsewhere they scroll the page.
function photoKey(event, key) {
  const stage = desk.querySelector("[data-stage]");
  return stage && (stage.contains(event.target) || !key.startsWith("Arrow")) && viewer.key(key);
}

function openPart(selector, inside) {
  const part = desk.querySelector(selector);
  if (!part) return false;
  part.open = true;
  const target = part.querySelector(inside);
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}

function focusOn(selector) {
  const target = desk.querySelector(selector);
  target?.focus();
  return Boolean(target);
}

function closeWhatIsOpen() {
  if (toggleKeys(false)) return true;
  const filter = desk.querySelector("[data-filter][open]");
  if (filter) {
    filter.open = false;
    filter.querySelector("summary").focus();
    return true;
  }
  return Boolean(compare?.release());
}

function wake() {
  const next = desk.querySelector("[data-next-photo]");
  if (next) { const image = new Image(); image.src = next.dataset.nextPhoto; image.decode?.().catch(() => {}); }
  const stage = desk.querySelector("[data-stage]");
  if (stage) viewer = wakeFrame(desk, { before: viewer, pageScrolls: true });
  compare = stage ? new Compare(desk, stage) : null;
  wakeEarlier();
  const grid = desk.querySelector("[data-several] form.several");
  several = grid ? new Several(grid, desk.dataset.saidMarked) : null;
  findClasses(desk);
  countDown(desk);
}

/** Its button carries the key; a photo beside the dispute before goes with that desk. */
function wakeEarlier() {
  document.body.classList.remove("with-earlier");
  const beside = document.getElementById("earlier");
  if (!beside) return;
  const { place, ...texts } = beside.dataset;
  const line = document.getElementById("earlier-said");
  const toast = (text) => { line.textContent = text; };
  new Earlier({ place: () => place, toast, announce: say, texts });
}

oneTap("[data-desk-form] button, [data-desk-link]");
wake();
