// The sweep: a grid of photos that look like one class; the labeler marks those that are not. The grid is the server's to
// lend and the labeler's to mark; what is handed in goes through the same outbox as single answers, so a lost network loses
// nothing. This file is what lies between: what is shown when, and what a mark, a hand-in and an undo do.

import { AnswerBar } from "../screen/answers.js";
import { followBrightness } from "../screen/brightness-panel.js";
import { Claims } from "../screen/claims.js";
import { ViewClock, afterPaint } from "../screen/clock.js";
import { Criteria } from "../screen/criteria.js";
import { Halt } from "../screen/halt.js";
import { listen, onControl, uuid } from "../screen/keys.js";
import { ownKeys } from "../screen/own-keys.js";
import { $, say, settings, texts } from "../screen/page.js";
import { Panels } from "../screen/panels.js";
import { openScreen } from "../screen/screen.js";
import { oneTap } from "../screen/taps.js";
import { UndoStack } from "../screen/undo.js";
import { Closer } from "./closer.js";
import { Grid } from "./grid.js";
import { readAnew } from "./guideline.js";
import { Marking } from "./marking.js";
import { NOT_ANSWERS, cardWords, iconOf, missedWords, nameOf, showAsk, showMissed, toldGrid } from "./words.js";

const { Finder } = $("finder") ? await import("../screen/finder.js") : {}; // of few classes there is nothing to find

const RENEW_MS = 90000; // so long before the loan runs out
const OWN = new Set(["hand-in", "sweep-undo"]); // entries of the outbox that decide which grid is ours

const { outbox, status, announce, toast, card, tabs, memory } = openScreen("sweep", { trouble: () => claims.trouble });
const clock = new ViewClock();
const grid = new Grid({ root: $("grid"), say: nameOf, icon: iconOf });
const marking = new Marking({ grid, sweep: () => (halt.why ? null : sweep), announce });
const backToGrid = () => sweep && grid.moveTo(grid.focus);
const closer = new Closer({ closed: backToGrid });
const { brightness } = closer.viewer;
const asItIs = () => closer.viewer.asItIs();
const startsPlain = followBrightness(document.querySelector("[data-brightness]"), closer.viewer, { reset: asItIs });
const panels = new Panels(["help", "light"], { closed: backToGrid });
// Photos first: what is asked, the grid's heading says.
const criteria = new Criteria({ memory: "hilltop-sweep-criteria", open: (kept, wide) => wide && kept === "open" });
const undoable = new UndoStack({ keep: 1, toast, undo, memory }); // { key, sweep, photos, marks }
const bar = new AnswerBar({
  announce,
  ready: () => Boolean(sweep) && !halt.why,
  onClass: (event, row) => marking.byClass(row),
  onReason: (event, mark) => {
    bar.leave();
    marking.byReason(mark);
  },
  onButton: (event, { id }) => {
    if (id === "mark") marking.toggle(grid.current);
    else if (id === "hand-in") handIn();
  },
  onCancel: () => finder?.close() && (backToGrid(), true),
});
const finder = Finder && new Finder({
  announce,
  ready: () => Boolean(sweep) && !halt.why,
  onClass: (event, row) => {
    marking.byClass(row);
    backToGrid();
  },
  onLook: () => {}, // what the grid says stays in sight
});
if (finder) for (const row of settings.classes) row.number = null; // no digit is printed on any of so many
const claims = new Claims({
  url: settings.urls.sweeps,
  body: asked,
  may: () => halt.why !== "tab" && state !== "missed" && !outbox.waiting.some((entry) => OWN.has(entry.kind)),
  enough: () => Boolean(sweep),
  answered: onClaimed,
});

const halt = new Halt({ outbox, claims, card, toast, halted, released, tabs });
const handingIn = () => outbox.waiting.some((entry) => entry.kind === "hand-in");
let sweep = null; // { id, class, name, expires } on the screen
let prefer = ""; // class to go on with

/** The grid on the screen goes on, be it of chosen photos or not; else what the page was opened for. */
function asked() {
  if (sweep) return { class: sweep.class, over: sweep.over };
  return settings.over ? { class: settings.overClass, over: settings.over } : { class: prefer };
}
let missed = null; // what the last hand-in missed, while the page tells it
let state = "loading";
let message = "";
let today = 0;
const session = { grids: 0, photos: 0 };

// ---- handing in ------------------------------------------------------------------------------------------------

function mayHandIn() {
  if (!sweep || halt.why) return false;
  if (!grid.ready || !clock.shownAt) {
    toast(texts.stillLoading);
    return false;
  }
  if (clock.reached(settings.minViewMs * grid.cells.length)) return true;
  announce(texts.tooSoon);
  return false;
}

function handIn() {
  if (!mayHandIn()) return;
  const marks = grid.marked.map((cell) => [cell.id, cell.mark]);
  const key = uuid();
  const body = {
    key,
    marks: marks.map(([id, mark]) => ({ id, kind: mark.kind, class: mark.class ?? "", reason: mark.reason ?? "" })),
    shown_at: clock.shownAt.toISOString(),
    view_ms: Math.round(clock.ms),
    guideline: settings.guideline,
  };
  undoable.push({ key, sweep, marks, photos: grid.cells.map(({ id, photo }) => ({ id, photo })) });
  outbox.add({
    kind: "hand-in",
    key,
    url: `${settings.urls.sweeps}/${sweep.id}/hand-in`,
    body,
    label: say(texts.handInLabel, { name: sweep.name, n: grid.cells.length }),
  });
  leaveGrid("handing-in");
}

function undo() {
  if (halt.why) return;
  const last = undoable.newest();
  if (!last) return;
  const { key } = last;
  if (last.photos && outbox.withdraw(key)) {
    undoable.drop(key);
    show(last.sweep, last.photos, new Map(last.marks));
    toast(texts.takenBack);
  } else if (outbox.trouble || !navigator.onLine) {
    toast(texts.undoOffline);
  } else {
    outbox.add({ kind: "sweep-undo", key, url: `${settings.urls.sweeps}/${last.sweep.id}/undo`, body: { key } });
    leaveGrid("loading");
  }
}

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (!OWN.has(entry.kind)) return;
  const taken = result.outcome === "taken";
  if (taken && entry.kind === "hand-in") onHandedIn(entry.key, result.data);
  else if (taken) onTakenBack(entry.key, result.data);
  else undoable.drop(entry.key);
  if (!sweep) claims.ask();
});

function onHandedIn(key, told) {
  session.grids += 1;
  if (!told.counts) {
    undoable.drop(key);
    missed = told.missed;
    leaveGrid("missed"); // one that came since, too: this is told before anything else is judged
    return;
  }
  session.photos += told.kept + told.marked;
  const name = undoable.find(key)?.sweep.name; // none where an earlier page handed it in
  const gone = told.gone ? ` ${say(texts.gone, { n: told.gone })}` : "";
  if (name) toast(say(texts.handedIn, { kept: told.kept, marked: told.marked, name }) + gone);
  undoable.restart(key);
}

function onTakenBack(key, told) {
  const marks = undoable.find(key)?.marks;
  undoable.drop(key);
  missed = null;
  show(lent(told.sweep), told.sweep.photos, new Map(marks));
  toast(texts.takenBack);
}

// ---- what is on the screen -------------------------------------------------------------------------------------

/** A grid as the server tells it, without its photos. */
const lent = ({ id, class: key, name, over, expires_at: until }) => ({ id, class: key, name, over, expires: Date.parse(until ?? "") });

function show(next, photos, marks = new Map()) {
  sweep = { ...next };
  prefer = sweep.class;
  clock.stop();
  state = "open";
  bar.leave();
  showAsk(sweep);
  for (const button of document.querySelectorAll("[data-answer]")) button.hidden = button.dataset.answer === sweep.class;
  criteria.focus(sweep.class, { scroll: false });
  card.leave();
  $("bar").hidden = false;
  $("work").hidden = false;
  if (startsPlain()) brightness.reset();
  grid.show(photos, marks);
  grid.moveTo(0);
  marking.show();
  announce(say(texts.newGrid, { all: photos.length, name: sweep.name }));
}

function leaveGrid(next) {
  closer.close();
  sweep = null;
  state = next;
  clock.stop();
  delete document.documentElement.dataset.shown;
  grid.clear();
  $("work").hidden = true;
  showCard();
}

grid.addEventListener("loaded", ({ detail: cell }) => {
  light(cell);
  if (cell.broken) grid.mark(cell, { kind: "apart", label: texts.notSeen });
  marking.show();
  if (!grid.ready || clock.shownAt) return;
  const shown = sweep;
  afterPaint(() => {
    if (sweep !== shown) return;
    clock.start();
    document.documentElement.dataset.shown = sweep.id;
  });
});
grid.addEventListener("pressed", ({ detail: cell }) => marking.toggle(cell));
grid.addEventListener("closer", lookCloser);
grid.addEventListener("moved", () => marking.show());

/** Each photo is levelled by itself: one is darker than another. */
function light(cell) {
  cell.image.style.filter = brightness.filter(cell.image);
}

function lookCloser() {
  const cell = grid.current;
  if (cell) closer.show(cell, nameOf(cell, grid.focus + 1, grid.cells.length));
}

function halted() {
  undoable.offer(false);
  closer.close();
  bar.leave();
  clock.stop();
  delete document.documentElement.dataset.shown;
  $("work").hidden = true;
  $("go-on").hidden = true;
}

function released() {
  undoable.offer(true);
  if (sweep) show(sweep, grid.cells, new Map(grid.marked.map(({ id, mark }) => [id, mark])));
  else showCard();
  claims.askForMore();
}

/** There is no grid: say why, what was achieved, and what happens next. */
function showCard() {
  if (sweep || halt.why) return;
  const words = cardWords({ state, message, waiting: handingIn(), offline: status.offline, claims, outbox });
  $("bar").hidden = Boolean(words); // there is nothing to mark
  if (!words) {
    card.wait(state === "handing-in" ? texts.handingIn : texts.loading);
    return;
  }
  const [title, text] = words;
  const tells = state === "missed";
  $("go-on-text").textContent = tells ? texts.nextGrid : texts.lookAgain;
  $("go-on").hidden = NOT_ANSWERS.has(state);
  showMissed(tells ? missed : null);
  const achieved = session.grids && (state === "empty" || state === "gold_seen");
  const news = card.say({
    state,
    title,
    text,
    aloud: tells ? `${missedWords(missed)} ${text}` : text,
    done: achieved ? say(texts.emptyDone, { grids: session.grids, n: session.photos, today }) : "",
  });
  if (news && tells) $("card-title").focus({ preventScroll: true });
}

outbox.addEventListener("change", showCard);

// ---- grids come ------------------------------------------------------------------------------------------------

function onClaimed({ outcome, message: why, data }) {
  halt.look();
  if (outcome === "refused") [state, message] = ["forbidden", why];
  else if (outcome === "taken" && !halt.why) take(data);
  status.showState();
  showCard();
}

function take(told) {
  today = told.progress.answered_today;
  $("today").hidden = !today;
  $("today").textContent = say(texts.today, { n: today });
  if (handingIn() || (!sweep && claims.again)) return; // handed in while the answer was under way, which may tell that grid
  if (!sweep && readAnew(told.guideline)) return;
  message = told.message;
  const next = told.sweep;
  if (sweep && next?.id === sweep.id) {
    sweep.expires = lent(next).expires;
    return;
  }
  if (sweep) {
    leaveGrid("loading");
    if (next) toast(texts.expired);
  }
  if (next) {
    show(lent(next), next.photos);
    return;
  }
  state = told.state;
  // Nothing moves that the person did not move, except that a grid comes when there was none.
  if (state === "empty") claims.askIn(15000);
}

claims.renew({ every: 10000, left: RENEW_MS, expires: () => sweep?.expires ?? Infinity });

function goOn() {
  if (state === "missed") {
    missed = null;
    state = "loading";
  }
  claims.ask();
  showCard();
}

// ---- keys, buttons ---------------------------------------------------------------------------------------------

function escape() {
  if (!bar.leave() && !closer.close()) panels.close();
}

const KEYS = { Escape: escape, z: undo, i: () => criteria.toggle(), "?": () => panels.toggle("help"), 0: asItIs };

/** Whether the key did something. */
function onKey(event, key) {
  const control = onControl(event);
  if (halt.why) return halt.key(event, key);
  if (bar.mode === "answer" && finder?.key(event, key)) return true;
  if (KEYS[key]) return KEYS[key](), true;
  if (!sweep) return key === "Enter" && !control && card.open && !$("go-on").hidden && (goOn(), true);
  if (bar.key(event, key) || closer.key(key)) return true;
  if (brightness.key(key)) return true;
  if (key === "+" || key === "=") return lookCloser(), true;
  if (control) return false; // there, Space and Enter press
  if (key === " ") return marking.toggle(grid.current), true;
  if (key === "Enter") return bar.mode === "answer" && handIn(), true;
  if (event.target.closest(".lb-aside, .lb-panel")) return false; // there, arrows scroll
  if (!key.startsWith("Arrow") && key !== "Home" && key !== "End") return false;
  grid.move(key);
  if (closer.open) lookCloser();
  return true;
}

listen(onKey, { own: ownKeys(() => bar.mode !== "answer") });
brightness.addEventListener("change", () => grid.cells.forEach(light));
oneTap("#bar button, #undo, #go-on");
$("go-on").addEventListener("click", goOn);

// ---- begin -----------------------------------------------------------------------------------------------------

showCard();
// What an earlier page could not deliver goes first: its grid is handed in and must not be shown again.
await outbox.open();
undoable.recall(toldGrid(), outbox.waiting);
claims.ask();
