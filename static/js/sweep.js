// The sweep: a grid of photos that look like one class; the labeler marks those that are not. The grid is the server's to
// lend and the labeler's to mark; what is handed in goes through the same outbox as single answers, so a lost network loses
// nothing. This file is what lies between.

import { deliver, post } from "./label-api.js";
import { Criteria } from "./label-criteria.js";
import { digit, keyOf, uuid } from "./label-keys.js";
import { Lens } from "./label-lens.js";
import { Status, say } from "./label-status.js";
import { Outbox } from "./outbox.js";
import { Grid } from "./sweep-grid.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const $ = (id) => document.getElementById(id);
const settings = read("hilltop-settings");
const texts = read("hilltop-texts");
const classByKey = new Map(settings.classes.map((row) => [row.key, row]));

const RENEW_MS = 30000;
const ACTIVE_MS = 120000; // the loan of somebody who went away is not renewed
const NOT_ANSWERS = new Set(["off", "checklist", "no_model", "no_band", "no_gold", "forbidden"]);

const outbox = new Outbox({ user: settings.user, send: (entry) => deliver(entry, settings.csrf) });
const status = new Status({ texts, outbox, trouble: () => claimTrouble });
const grid = new Grid({ root: $("grid"), say: nameOf, icon: (key) => iconOf(key) });
// Photos first: what is asked, the grid's heading says.
const criteria = new Criteria({ memory: "hilltop-sweep-criteria", open: (kept, wide) => wide && kept === "open" });
const lens = new Lens({ stage: $("closer"), holder: $("closer-photo"), photo: () => closer?.photo ?? null });

let sweep = null; // { id, class, name, expires } on the screen
let prefer = ""; // class to go on with
let closer = null; // the cell that is looked at closely
let mode = "mark"; // or "hold", "unusable": a reason is asked for
let shownAt = null;
let seenSince = 0;
let seenMs = 0;
let handed = null; // the last hand-in: { key, sweep, photos, marks, until }
let missed = null; // what the last hand-in missed, while the page tells it
let state = "loading";
let message = "";
let claiming = false;
let claimTrouble = "";
let claimPause = 1000;
let claimTimer = 0;
let lastActive = performance.now();
let today = 0;
const session = { grids: 0, photos: 0 };

// ---- words -----------------------------------------------------------------------------------------------------

function nameOf(cell, n, all) {
  return cell.mark ? say(texts.cellMarked, { n, all, label: cell.mark.label }) : say(texts.cell, { n, all });
}

function iconOf(key) {
  return document.querySelector(`[data-mark-of="${CSS.escape(key)}"]`)?.firstElementChild?.cloneNode(true) ?? null;
}

const notThis = () => say(texts.notThis, { name: sweep.name });

// ---- marking ---------------------------------------------------------------------------------------------------

function setMark(cell, mark) {
  if (!cell || !sweep) return;
  grid.mark(cell, mark);
  showBar();
  status.announce(mark ? say(texts.marked, { label: mark.label }) : texts.unmarked);
}

/** Space, a click, the button: on and off. A photo that could not be loaded stays apart: nobody has seen it. */
function toggle(cell) {
  if (!cell || cell.broken) return;
  setMark(cell, cell.mark ? null : { kind: "apart", label: notThis() });
}

function markClass(key) {
  const row = classByKey.get(key);
  const cell = grid.current;
  if (!row || !cell || cell.broken) return;
  if (key === sweep.class) setMark(cell, null);
  else setMark(cell, { kind: "class", class: key, label: row.name });
}

function markReason(reason) {
  const row = settings.reasons[mode].find((one) => one.key === reason);
  const kind = mode;
  setMode("mark");
  if (!row || !grid.current || grid.current.broken) return;
  setMark(grid.current, { kind, reason, label: `${kind === "hold" ? texts.hold : texts.unusable}: ${row.name}` });
}

function setMode(next) {
  const focused = document.activeElement?.closest(".lb-answers");
  const before = mode;
  mode = next;
  $("answers").classList.toggle("away", next !== "mark");
  for (const bar of document.querySelectorAll("[data-reasons]")) bar.hidden = bar.dataset.reasons !== next;
  if (focused && next === "mark") document.querySelector(`[data-why="${before}"]`)?.focus({ preventScroll: true });
  else if (focused) document.querySelector(".lb-reasons:not([hidden]) button")?.focus({ preventScroll: true });
  if (next !== "mark") status.announce(next === "hold" ? texts.chooseHold : texts.chooseUnusable);
}

// ---- handing in ------------------------------------------------------------------------------------------------

function viewedMs() {
  return shownAt ? seenMs + (document.visibilityState === "visible" ? performance.now() - seenSince : 0) : 0;
}

function mayHandIn() {
  if (!sweep) return false;
  if (!grid.ready || !shownAt) {
    status.toast(texts.stillLoading);
    return false;
  }
  const wanted = settings.minViewMs * grid.cells.length;
  const left = wanted - viewedMs();
  if (left <= 0) return true;
  const line = $("wait");
  line.getAnimations().forEach((animation) => animation.cancel());
  line.animate([{ transform: `scaleX(${1 - left / wanted})`, opacity: 1 }, { transform: "scaleX(1)", opacity: 1 }], left);
  status.announce(texts.tooSoon);
  return false;
}

function handIn() {
  if (!mayHandIn()) return;
  const button = $("hand-in");
  button.classList.add("lit");
  setTimeout(() => button.classList.remove("lit"), 180);
  const marks = new Map(grid.marked.map((cell) => [cell.id, cell.mark]));
  const key = uuid();
  const body = {
    key,
    marks: [...marks].map(([id, mark]) => ({ id, kind: mark.kind, class: mark.class ?? "", reason: mark.reason ?? "" })),
    shown_at: shownAt.toISOString(),
    view_ms: Math.round(viewedMs()),
    guideline: settings.guideline,
  };
  handed = {
    key,
    sweep,
    marks,
    photos: grid.cells.map(({ id, photo }) => ({ id, photo })),
    until: Date.now() + settings.undoSeconds * 1000,
  };
  outbox.add({
    kind: "hand-in",
    key,
    url: `${settings.urls.sweeps}/${sweep.id}/hand-in`,
    body,
    label: say(texts.handInLabel, { name: sweep.name, n: grid.cells.length }),
  });
  leaveGrid();
  state = "handing-in";
  showCard();
  showUndo();
}

function undo() {
  if (!handed || handed.until < Date.now()) {
    status.toast(handed ? texts.undoLate : texts.undoGone);
    handed = null;
    showUndo();
    return;
  }
  const last = handed;
  if (outbox.withdraw(last.key)) {
    handed = null;
    show(last.sweep, last.photos, last.marks);
    status.toast(texts.takenBack);
  } else if (outbox.trouble || !navigator.onLine) {
    status.toast(texts.undoOffline);
    return;
  } else {
    outbox.add({ kind: "sweep-undo", key: last.key, url: `${settings.urls.sweeps}/${last.sweep.id}/undo`, body: { key: last.key } });
    leaveGrid();
    state = "loading";
    showCard();
  }
  showUndo();
}

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (entry.kind === "hand-in" && result.outcome === "taken") onHandedIn(entry, result.data);
  else if (entry.kind === "sweep-undo" && result.outcome === "taken") onTakenBack(entry, result.data);
  else if (entry.kind === "hand-in" || entry.kind === "sweep-undo") {
    if (handed?.key === entry.key) handed = null;
    showUndo();
    if (!sweep) claim();
  }
});

function onHandedIn(entry, told) {
  const name = handed?.key === entry.key ? handed.sweep.name : "";
  session.grids += 1;
  if (told.counts) {
    session.photos += told.kept + told.marked;
    const gone = told.gone ? ` ${say(texts.gone, { n: told.gone })}` : "";
    if (name) status.toast(say(texts.handedIn, { kept: told.kept, marked: told.marked, name }) + gone);
    if (handed?.key === entry.key) handed.until = Date.now() + settings.undoSeconds * 1000;
    if (!sweep) claim();
  } else {
    if (handed?.key === entry.key) handed = null;
    missed = told.missed;
    state = "missed";
    if (sweep) leaveGrid(); // delivered late, from an earlier page: told before anything else is judged
    showCard();
  }
  showUndo();
}

function onTakenBack(entry, told) {
  const marks = handed?.key === entry.key ? handed.marks : new Map();
  handed = null;
  showUndo();
  missed = null;
  show({ ...told.sweep, expires: Date.parse(told.sweep.expires_at ?? "") }, told.sweep.photos, marks);
  status.toast(texts.takenBack);
}

// ---- what is on the screen -------------------------------------------------------------------------------------

function show({ id, class: key, name, expires }, photos, marks) {
  sweep = { id, class: key, name, expires };
  prefer = key;
  shownAt = null;
  state = "open";
  setMode("mark");
  const ask = $("ask");
  const [before, after] = texts.ask.split("{name}");
  const shown = document.createElement("strong");
  shown.dir = "auto";
  const icon = iconOf(key);
  if (icon) shown.append(icon, " ");
  shown.append(name);
  ask.replaceChildren(before, shown, after ?? "");
  $("mark-text").textContent = notThis();
  for (const button of document.querySelectorAll("[data-answer]")) button.hidden = button.dataset.answer === key;
  for (const section of document.querySelectorAll(".lb-class")) section.classList.toggle("focus", section.dataset.class === key);
  $("card").hidden = true;
  $("bar").hidden = false;
  $("loading").hidden = true;
  $("work").hidden = false;
  $("main").classList.remove("without-photo");
  $("bar").inert = false;
  grid.show(photos, marks);
  grid.moveTo(0);
  showBar();
  status.announce(say(texts.newGrid, { all: photos.length, name }));
}

function leaveGrid() {
  closeCloser();
  sweep = null;
  shownAt = null;
  delete document.documentElement.dataset.shown;
  grid.clear();
  $("work").hidden = true;
  $("main").classList.add("without-photo");
  $("bar").inert = true;
}

grid.addEventListener("loaded", ({ detail: cell }) => {
  if (cell.broken) grid.mark(cell, { kind: "apart", label: texts.notSeen });
  showBar();
  if (!grid.ready || shownAt) return;
  requestAnimationFrame(() => {
    if (!sweep) return;
    shownAt = new Date();
    seenSince = performance.now();
    seenMs = 0;
    document.documentElement.dataset.shown = sweep.id;
  });
});
grid.addEventListener("pressed", ({ detail: cell }) => toggle(cell));
grid.addEventListener("closer", ({ detail: cell }) => openCloser(cell));
grid.addEventListener("moved", showBar);

function showBar() {
  const marked = grid.marked.length;
  $("hand-in-text").textContent = marked ? say(texts.handInMarked, { n: marked }) : texts.handIn;
  $("hand-in").setAttribute("aria-disabled", String(!grid.ready));
  $("mark").setAttribute("aria-pressed", String(grid.current?.mark?.kind === "apart"));
}

function showUndo() {
  const left = handed ? Math.ceil((handed.until - Date.now()) / 1000) : 0;
  $("undo").disabled = left <= 0;
  $("undo-seconds").textContent = left > 0 ? say(texts.seconds, { n: left }) : "";
}

function showToday() {
  $("today").hidden = !today;
  $("today").textContent = say(texts.today, { n: today });
}

function card() {
  const waiting = outbox.waiting.some((entry) => entry.kind === "hand-in");
  const offline = claimTrouble === "network" || outbox.trouble === "network" || !navigator.onLine;
  if (claimTrouble === "sign-in" || outbox.trouble === "sign-in") return [texts.signInTitle, texts.signInText];
  if (state === "missed") {
    return [texts.missedTitle, texts.missedText];
  }
  if (waiting && (offline || outbox.trouble)) return [texts.offlineTitle, texts.offlineText];
  if (claimTrouble === "server") return [texts.errorTitle, texts.errorText];
  if (offline) return [texts.offlineClaim, texts.offlineClaimText];
  if (state === "handing-in" || state === "loading" || waiting || (claiming && !claimTrouble)) return null;
  if (state === "paused") return [texts.pausedTitle, message];
  if (state === "forbidden") return [texts.forbiddenTitle, message];
  return [NOT_ANSWERS.has(state) ? texts.notHereTitle : texts.emptyTitle, message];
}

/** There is no grid: say why, what was achieved, and what happens next. */
function showCard() {
  if (sweep) return;
  const words = card();
  $("card").hidden = !words;
  $("bar").hidden = Boolean(words); // there is nothing to mark
  $("loading").hidden = Boolean(words);
  if (!words) {
    $("loading").textContent = state === "handing-in" ? texts.handingIn : texts.loading;
    return;
  }
  const [title, text] = words;
  const news = $("card-title").textContent !== title || $("card").dataset.state !== state;
  $("card").dataset.state = state;
  $("card-title").textContent = title;
  $("card-text").textContent = text;
  $("card-sign-in").hidden = title !== texts.signInTitle;
  $("go-on-text").textContent = state === "missed" ? texts.nextGrid : texts.lookAgain;
  $("go-on").hidden = NOT_ANSWERS.has(state);
  const done = state === "empty" || state === "gold_seen";
  $("card-done").hidden = !done || !session.grids;
  $("card-done").textContent = say(texts.emptyDone, { grids: session.grids, n: session.photos, today });
  showMissed();
  if (!news) return;
  status.announce(`${title}. ${state === "missed" ? `${missedWords()} ` : ""}${text}`);
  if (state === "missed") $("card-title").focus({ preventScroll: true });
}

function missedWords() {
  return missed?.length === 1 ? say(texts.missedOne, { name: missed[0].name }) : texts.missedMany;
}

function showMissed() {
  const told = state === "missed" && missed?.length;
  $("missed").hidden = !told;
  $("missed").replaceChildren();
  if (!told) return;
  const words = document.createElement("p");
  words.textContent = missedWords();
  $("missed").append(
    words,
    ...missed.map(({ photo, name }) => {
      const figure = document.createElement("figure");
      const image = new Image();
      image.src = photo.screen;
      image.alt = name;
      const caption = document.createElement("figcaption");
      caption.dir = "auto";
      caption.textContent = name;
      figure.append(image, caption);
      return figure;
    }),
  );
}

// ---- a closer look ---------------------------------------------------------------------------------------------

function openCloser(cell) {
  if (!cell) return;
  closer = cell;
  lens.resetZoom();
  const image = new Image();
  image.className = "lb-photo on";
  image.alt = nameOf(cell, grid.focus + 1, grid.cells.length);
  image.draggable = false;
  image.src = cell.photo.screen;
  $("closer-photo").replaceChildren(image);
  $("closer").hidden = false;
}

function closeCloser() {
  if (!closer) return;
  closer = null;
  lens.resetZoom();
  $("closer").hidden = true;
  $("closer-photo").replaceChildren();
  if (sweep) grid.moveTo(grid.focus);
}

// ---- grids come ------------------------------------------------------------------------------------------------

/** Ask for a grid. The server answers with the one that we hold, so asking twice does no harm, and renews its loan. */
async function claim() {
  if (claiming || outbox.waiting.some((entry) => entry.kind === "hand-in" || entry.kind === "sweep-undo")) return;
  claiming = true;
  clearTimeout(claimTimer);
  showCard();
  const result = await post(settings.urls.sweeps, { class: prefer }, settings.csrf);
  claiming = false;
  if (result.outcome === "later") {
    claimTrouble = result.why;
    claimTimer = setTimeout(claim, claimPause);
    claimPause = Math.min(claimPause * 2, 15000);
  } else {
    claimTrouble = "";
    claimPause = 1000;
    if (result.outcome === "refused") [state, message] = ["forbidden", result.message];
    else take(result.data);
  }
  status.showState();
  showCard();
}

function take(told) {
  const waits = outbox.waiting.some((entry) => entry.kind === "hand-in");
  today = told.progress.answered_today;
  showToday();
  if (waits) return; // handed in while the answer was under way
  if (!sweep && readAnew(told.guideline)) return;
  message = told.message;
  const next = told.sweep;
  if (sweep && next?.id === sweep.id) {
    sweep.expires = Date.parse(next.expires_at);
    return;
  }
  if (sweep) {
    leaveGrid();
    if (next) status.toast(texts.expired);
  }
  if (next) show({ ...next, expires: Date.parse(next.expires_at) }, next.photos, new Map());
  else {
    state = told.state;
    // Nothing moves that the person did not move, except that a grid comes when there was none.
    if (state === "empty") claimTimer = setTimeout(claim, 15000);
  }
}

/** Between two grids, a page that shows an older guideline is loaded anew: the grid on loan stays ours. Once a version. */
function readAnew(number) {
  const tried = `hilltop-sweep-guideline:${settings.project}`;
  if (!(number > settings.guideline) || Number(sessionStorage.getItem(tried)) >= number) return false;
  sessionStorage.setItem(tried, number);
  location.reload();
  return true;
}

setInterval(() => {
  if (!sweep || document.visibilityState !== "visible" || performance.now() - lastActive > ACTIVE_MS) return;
  if (sweep.expires - Date.now() < RENEW_MS * 3 && !claimTrouble) claim();
}, RENEW_MS / 3);
setInterval(() => {
  if (handed) showUndo();
}, 1000);
addEventListener("online", () => {
  clearTimeout(claimTimer);
  claimPause = 1000;
  if (!sweep && state !== "missed") claim();
});
outbox.addEventListener("change", () => {
  if (!sweep) showCard();
});

function goOn() {
  if (state === "missed") {
    missed = null;
    state = "loading";
  }
  claim();
}

// ---- keys, buttons ---------------------------------------------------------------------------------------------

function showHelp(open = $("help").hidden) {
  $("help").hidden = !open;
  $("help-toggle").setAttribute("aria-expanded", String(open));
  if (open) $("help-title").focus();
  else if (sweep) grid.moveTo(grid.focus);
}

function escape() {
  if (mode !== "mark") setMode("mark");
  else if (closer) closeCloser();
  else if (!$("help").hidden) showHelp(false);
}

function onKey(event) {
  lastActive = performance.now();
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return undefined;
  const key = keyOf(event);
  const onButton = event.target.closest("button, a, summary");
  const done = () => event.preventDefault();
  if (event.repeat && !key.startsWith("Arrow") && !"+-=[]{}".includes(key)) {
    if ((key === " " || key === "Enter") && !onButton) done();
    return undefined;
  }
  if (key === "Escape") return done(), escape();
  if (key === "z") return done(), undo();
  if (key === "i") return done(), criteria.toggle();
  if (key === "?") return done(), showHelp();
  if (!sweep) {
    if (key === "Enter" && !onButton && !$("card").hidden && !$("go-on").hidden) return done(), goOn();
    return undefined;
  }
  const n = digit(key);
  if (mode !== "mark") {
    const row = settings.reasons[mode].find((one) => one.number === n);
    if (row) return done(), markReason(row.key);
    if (n) return done();
  } else if (n) {
    const row = settings.classes.find((one) => one.number === n);
    if (row) return done(), markClass(row.key);
    return undefined;
  }
  if (closer && closerKey(key)) return done();
  if (key === "h" || key === "u") {
    const why = key === "h" ? "hold" : "unusable";
    return done(), setMode(mode === why ? "mark" : why);
  }
  if (key === "+" || key === "=") return done(), openCloser(grid.current);
  if (onButton) return undefined; // there, Space and Enter press
  if (key === " ") return done(), toggle(grid.current);
  if (key === "Enter") return done(), mode === "mark" ? handIn() : undefined;
  if (event.target.closest(".lb-aside, .lb-panel")) return undefined; // there, arrows scroll
  if (key.startsWith("Arrow") || key === "Home" || key === "End") {
    done();
    grid.move(key);
    if (closer) openCloser(grid.current);
  }
  return undefined;
}

/** Zoom and light of the closer look; says whether the key meant them. */
function closerKey(key) {
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
  const down = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
  if (key === "+" || key === "=") lens.zoomIn();
  else if (key === "-" && lens.scale === 1) closeCloser();
  else if (key === "-") lens.zoomOut();
  else if (key === "[") lens.light({ brightness: lens.brightness - 10 });
  else if (key === "]") lens.light({ brightness: lens.brightness + 10 });
  else if (key === "{") lens.light({ contrast: lens.contrast - 10 });
  else if (key === "}") lens.light({ contrast: lens.contrast + 10 });
  else if ((across || down) && lens.scale > 1) lens.pan(across, down);
  else return false;
  return true;
}

document.addEventListener("keydown", onKey);
for (const type of ["pointerdown", "pointermove"]) {
  document.addEventListener(type, () => (lastActive = performance.now()), { passive: true });
}
document.addEventListener("visibilitychange", () => {
  if (!shownAt) return;
  if (document.visibilityState === "visible") seenSince = performance.now();
  else seenMs += performance.now() - seenSince;
});
$("bar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !sweep) return;
  const { answer, why, reason } = button.dataset;
  if (button.id === "mark") toggle(grid.current);
  else if (button.id === "hand-in") handIn();
  else if (answer) markClass(answer);
  else if (why) setMode(why);
  else if (reason) markReason(reason);
  else if ("cancel" in button.dataset) setMode("mark");
});
$("undo").addEventListener("click", undo);
$("go-on").addEventListener("click", goOn);
$("closer-end").addEventListener("click", closeCloser);
$("help-toggle").addEventListener("click", () => showHelp());
$("criteria").addEventListener("click", (event) => {
  const key = event.target.closest("[data-focus-class]")?.dataset.focusClass;
  if (!key) return;
  for (const section of document.querySelectorAll(".lb-class")) section.classList.toggle("focus", section.dataset.class === key);
});
for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => showHelp(false));

// ---- begin -----------------------------------------------------------------------------------------------------

showCard();
// What an earlier page could not deliver goes first: its grid is handed in and must not be shown again.
await outbox.open();
claim();
