// The labeling screen. Photos come from the shelf, answers go to the outbox, and this file is what lies between:
// keys and buttons, what is shown, and what is said. An answer does only what the next frame needs; the rest of the
// work (storing, sending, announcing, counting) follows once that frame is painted.

import { deliver, post } from "./label-api.js";
import { Criteria } from "./label-criteria.js";
import { GuidelineWatch } from "./label-guideline.js";
import { digit, keyOf, uuid } from "./label-keys.js";
import { Lens } from "./label-lens.js";
import { Shelf } from "./label-shelf.js";
import { Status, say } from "./label-status.js";
import { startTour } from "./label-tour.js";
import { Outbox } from "./outbox.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const $ = (id) => document.getElementById(id);
const settings = read("hilltop-settings");
const texts = read("hilltop-texts");
let classByKey = new Map(settings.classes.map((row) => [row.key, row]));

const HISTORY = 5; // answers and skips that can be undone one after the other, while their time lasts
const TAKES_BACK = new Set(["undo", "unskip"]); // entries of the outbox after which the photo is ours again
const RENEW_MS = 20000;
const ACTIVE_MS = 120000; // leases of somebody who went away are not renewed

// What the benchmark of this screen reads: key press to next photo painted, in ms of the page's clock.
const measured = { lastAnswerMs: 0, answers: [] };
window.hilltop = measured;

const stage = $("main");
const holder = $("photos");
const outbox = new Outbox({ user: settings.user, send: (entry) => deliver(entry, settings.csrf) });
const status = new Status({ texts, outbox, trouble: () => claimTrouble });
const announce = (text) => status.announce(text);
const toast = (text) => status.toast(text);
const showState = () => status.showState();
const shelf = new Shelf({ holder, alt: texts.photo });
const criteria = new Criteria({
  memory: "hilltop-criteria",
  open: (kept, wide) => (kept ? kept === "open" : wide),
});
const guideline = new GuidelineWatch({ settings, ready: () => shelf.current || changeGuideline() });
const lens = new Lens({ stage, holder, photo: () => shelf.current?.photo ?? null });

let mode = "answer"; // or "hold", "unusable" (a reason is asked for), "ticks" (a checklist is)
let ticksOf = null;
let shownAt = null; // Date of the first frame of the photo on the screen; null before it is painted
let seenSince = 0; // performance.now() since when it is visible without a break
let seenMs = 0; // time it was visible before that
let history = []; // newest last: { key, task, label, skipped, until }
let queueState = "loading";
let queueMessage = "";
let claiming = false;
let claimAgain = false;
let claimTrouble = "";
let claimPause = 1000;
let claimTimer = 0;
let lastActive = performance.now();
let today = 0;
const session = { answers: 0, times: [] };

// ---- what the person did ---------------------------------------------------------------------------------------

function viewedMs() {
  return shownAt ? seenMs + (document.visibilityState === "visible" ? performance.now() - seenSince : 0) : 0;
}

/** Whether the photo on the screen may be answered now; if it is too soon, says so gently. */
function mayAnswer() {
  const task = shelf.current;
  if (!task?.ready || !shownAt) return false;
  const left = settings.minViewMs - viewedMs();
  if (left <= 0) return true;
  const line = $("wait");
  line.getAnimations().forEach((animation) => animation.cancel());
  line.animate([{ transform: `scaleX(${1 - left / settings.minViewMs})`, opacity: 1 }, { transform: "scaleX(1)", opacity: 1 }], left);
  announce(texts.tooSoon);
  return false;
}

function answer(event, { kind, key = "", reason = "", comment = "", checklist = [], label, button }) {
  const task = shelf.current;
  const viewMs = Math.round(viewedMs());
  const body = {
    key: uuid(),
    lease: task.lease,
    kind,
    class: key,
    reason,
    comment,
    checklist,
    shown_at: shownAt.toISOString(),
    view_ms: viewMs,
    guideline: settings.guideline.number,
  };
  light(button);
  if (mode !== "answer") setMode("answer");
  shelf.finish(task);
  showNext(event);
  afterPaint(() => {
    outbox.add({ kind: "answer", key: body.key, lease: task.lease, url: settings.urls.annotations, body, label, thumb: task.photo.thumb });
    remember({ key: body.key, task, label, until: Date.now() + settings.undoSeconds * 1000 });
    session.answers += 1;
    session.times.push(viewMs);
    today += 1;
    showProgress();
    untick();
    announce(say(shelf.current ? texts.answered : texts.answeredLast, { answer: label }));
    fill();
  });
}

function answerClass(event, key) {
  const row = classByKey.get(key);
  if (!row || !mayAnswer()) return;
  const ticked = tickedOf(key);
  if (settings.checklistRequired && row.checklist.length && ticked.length < row.checklist.length) {
    focusClass(key);
    setMode("ticks", key);
    return;
  }
  answer(event, { kind: "class", key, checklist: ticked, label: row.name, button: answerButton(key) });
}

function answerReason(event, reason) {
  if (!mayAnswer()) return;
  const bar = document.querySelector(`[data-reasons="${mode}"]`);
  const input = bar.querySelector("[data-comment]");
  const row = settings.reasons[mode].find((one) => one.key === reason);
  const comment = input.value.trim();
  input.value = "";
  const name = mode === "hold" ? texts.hold : texts.unusable;
  answer(event, {
    kind: mode,
    reason,
    comment,
    label: `${name}: ${row.name}`,
    button: document.querySelector(`[data-why="${mode}"]`),
  });
}

function skip(event) {
  const task = shelf.current;
  if (!task) return;
  light(document.querySelector("[data-skip]"));
  if (mode !== "answer") setMode("answer");
  shelf.finish(task);
  showNext(event, { count: false });
  const key = uuid();
  afterPaint(() => {
    outbox.add({ kind: "skip", key, lease: task.lease, url: `${settings.urls.leases}${task.lease}/skip`, body: {} });
    remember({ key, task, skipped: true, until: Date.now() + settings.undoSeconds * 1000 });
    untick();
    announce(texts.skipped);
    fill();
  });
}

function undo() {
  const now = Date.now();
  const last = history.at(-1);
  if (!last || last.until < now) {
    toast(last ? texts.undoLate : texts.undoGone);
    history = [];
    showUndo();
    return;
  }
  history.pop();
  if (mode !== "answer") setMode("answer");
  leaveCard();
  lens.resetZoom();
  shelf.putBack(last.task);
  whenShown(last.task);
  // Not sent yet: it never was. Otherwise the server is told, in its turn, after the answer (or skip) itself.
  if (!outbox.withdraw(last.key)) {
    const { lease, photo } = last.task;
    outbox.add(
      last.skipped
        ? { kind: "unskip", key: last.key, lease, url: `${settings.urls.leases}${lease}/unskip`, body: {}, thumb: photo.thumb }
        : {
            kind: "undo",
            key: last.key,
            lease,
            url: `${settings.urls.annotations}/${last.key}/undo`,
            body: {},
            label: last.label,
            thumb: photo.thumb,
          },
    );
  }
  if (!last.skipped) {
    session.answers = Math.max(0, session.answers - 1);
    session.times.pop();
    today = Math.max(0, today - 1);
  }
  showProgress();
  showUndo();
  toast(last.skipped ? texts.unskipped : say(texts.undone, { answer: last.label }));
}

function remember(entry) {
  history.push(entry);
  history = history.slice(-HISTORY);
  showUndo();
}

// ---- what is on the screen -------------------------------------------------------------------------------------

/** The next photo, in this very frame; `event` is what the person did, from whose time the wait is measured. */
function showNext(event, { count = true } = {}) {
  shownAt = null;
  $("toast").hidden = true; // what it said was about the photo before
  lens.resetZoom();
  changeGuideline();
  const task = shelf.advance();
  if (task?.ready) {
    whenShown(task, count ? event?.timeStamp : undefined);
  } else {
    delete document.documentElement.dataset.shown;
    showNote(null);
    showCard();
  }
}

/** `task` is on the screen from the next frame on. */
function whenShown(task, since) {
  shownAt = null;
  showNote(task);
  afterPaint(() => {
    if (shelf.current !== task || !task.ready) return;
    const now = performance.now();
    shownAt = new Date();
    seenSince = now;
    seenMs = 0;
    document.documentElement.dataset.shown = task.lease;
    performance.mark("photo-shown", { detail: task.lease });
    if (since) {
      measured.lastAnswerMs = now - since;
      measured.answers.push(measured.lastAnswerMs);
    }
    shelf.tidy();
  });
}

/** Another guideline takes the place of the one on the page, and stays announced until the person has closed that. */
function changeGuideline() {
  const inBar = $("bar").contains(document.activeElement);
  const { answer: key, why } = document.activeElement?.dataset ?? {};
  if (!guideline.swap()) return;
  classByKey = new Map(settings.classes.map((row) => [row.key, row]));
  if (mode !== "answer") setMode("answer");
  focusClass(settings.classes[0]?.key);
  const same = key ? answerButton(key) : document.querySelector(`[data-why="${why}"]`);
  if (inBar) (same ?? stage).focus({ preventScroll: true });
  const { number, note } = settings.guideline;
  $("changed-title").textContent = say(texts.guidelineChanged, { n: number });
  $("changed-note").textContent = note;
  $("changed").hidden = false;
  // After what is said of the answer that was just given.
  setTimeout(() => announce(`${$("changed-title").textContent}. ${note}`), 1000);
}

/** What a reviewer asks to look at, who sent this photo back. */
function showNote(task) {
  const note = document.getElementById("note");
  note.hidden = !task?.note;
  note.textContent = task?.note ? say(texts.sentBack, { note: task.note }) : "";
}

/** Runs `work` as soon as the next frame has been painted (or soon, where the page is hidden). */
function afterPaint(work) {
  if (document.visibilityState !== "visible") {
    setTimeout(work);
    return;
  }
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = work;
    channel.port2.postMessage(null);
  });
}

function light(button) {
  if (!button) return;
  button.classList.remove("lit");
  button.classList.add("lit");
  clearTimeout(button.unlight);
  button.unlight = setTimeout(() => button.classList.remove("lit"), 180);
}

function answerButton(key) {
  return document.querySelector(`[data-answer="${CSS.escape(key)}"]`);
}

function setMode(next, key = null) {
  const focused = document.activeElement?.closest(".lb-answers");
  const before = mode;
  mode = next;
  ticksOf = key;
  $("answers").classList.toggle("away", next !== "answer");
  for (const bar of document.querySelectorAll("[data-reasons]")) bar.hidden = bar.dataset.reasons !== next;
  for (const bar of document.querySelectorAll("[data-ticks]")) bar.hidden = next !== "ticks" || bar.dataset.ticks !== key;
  // Whoever works with Tab and Enter stays where the choice goes on.
  if (focused && next === "answer") document.querySelector(`[data-why="${before}"]`)?.focus({ preventScroll: true });
  else if (focused) document.querySelector(".lb-reasons:not([hidden]) button")?.focus({ preventScroll: true });
  if (next === "hold" || next === "unusable") announce(next === "hold" ? texts.chooseHold : texts.chooseUnusable);
  if (next === "ticks") {
    showTicks();
    announce(texts.tickAll);
  }
}

function focusClass(key, { scroll = true } = {}) {
  for (const section of document.querySelectorAll(".lb-class")) {
    const on = section.dataset.class === key;
    section.classList.toggle("focus", on);
    if (on && scroll) section.scrollIntoView({ block: "nearest" });
    const many = $("criteria").classList.contains("many");
    section.querySelector("[data-focus-class]").setAttribute("aria-expanded", String(on || !many));
  }
}

function moveFocus(step) {
  const keys = settings.classes.map((row) => row.key);
  const at = keys.indexOf(document.querySelector(".lb-class.focus")?.dataset.class);
  focusClass(keys[(at + step + keys.length) % keys.length]);
}

const boxes = (key) => [...document.querySelectorAll(`[data-of="${CSS.escape(key)}"]`)];
const tickedOf = (key) =>
  boxes(key).filter((box) => box.checked).map((box) => classByKey.get(key).checklist[Number(box.dataset.point)]);

function untick() {
  for (const box of document.querySelectorAll("[data-of]:checked")) box.checked = false;
}

function tick(point) {
  const box = boxes(ticksOf)[point];
  if (box) box.checked = !box.checked;
  showTicks();
}

function showTicks() {
  const bar = document.querySelector(`[data-ticks="${CSS.escape(ticksOf)}"]`);
  boxes(ticksOf).forEach((box, point) => {
    bar.querySelector(`[data-tick="${point}"]`)?.setAttribute("aria-pressed", String(box.checked));
  });
}

function handIn(event) {
  const key = ticksOf;
  if (tickedOf(key).length < classByKey.get(key).checklist.length) {
    toast(texts.tickMissing);
    return;
  }
  answerClass(event, key);
}

function showUndo() {
  const last = history.at(-1);
  const left = last ? Math.ceil((last.until - Date.now()) / 1000) : 0;
  $("undo").disabled = left <= 0;
  $("undo-seconds").textContent = left > 0 ? say(texts.seconds, { n: left }) : "";
}

let progress = null;
function showProgress() {
  $("today").hidden = !today;
  $("today").textContent = say(texts.today, { n: today });
  const known = progress && progress.needed_in_band > 0;
  $("settled").hidden = !known;
  if (!known) return;
  const settled = Math.min(progress.settled_in_band, progress.needed_in_band);
  $("settled-bar").max = progress.needed_in_band;
  $("settled-bar").value = settled;
  $("settled-text").textContent = say(texts.settled, { settled, needed: progress.needed_in_band });
}

function showLens() {
  const parts = [];
  if (lens.scale > 1) parts.push(say(texts.zoom, { n: Math.round(lens.scale * 100) }));
  if (lens.brightness !== 100) parts.push(say(texts.brightness, { n: lens.brightness }));
  if (lens.contrast !== 100) parts.push(say(texts.contrast, { n: lens.contrast }));
  $("lens").hidden = !parts.length;
  $("lens").textContent = parts.join(" · ");
  $("brightness").value = lens.brightness;
  $("contrast").value = lens.contrast;
}

// ---- when there is no photo ------------------------------------------------------------------------------------

function leaveCard() {
  $("bar").inert = false;
  $("card").hidden = true;
  $("loading").hidden = true;
  stage.classList.remove("without-photo");
}

/** Nothing can be shown: say why, what was achieved, and what happens next. */
function showCard() {
  const task = shelf.current;
  stage.classList.toggle("without-photo", !task);
  $("bar").inert = !task;
  if (task || queueState === "loading" || (claiming && !claimTrouble)) {
    $("card").hidden = true;
    $("loading").textContent = task?.broken ? texts.photoBroken : texts.loading;
    $("loading").hidden = false;
    return;
  }
  const offline = claimTrouble === "network" || outbox.trouble === "network" || !navigator.onLine;
  const signIn = claimTrouble === "sign-in";
  let title = texts.emptyTitle;
  let text = queueMessage;
  if (signIn) [title, text] = [texts.signInTitle, texts.signInText];
  else if (claimTrouble === "server") [title, text] = [texts.errorTitle, texts.errorText];
  else if (offline) [title, text] = [texts.offlineTitle, texts.offlineText];
  else if (queueState === "paused") title = texts.pausedTitle;
  else if (queueState === "forbidden") title = texts.forbiddenTitle;
  else if (queueState === "preparing") title = texts.preparingTitle;
  else if (queueState === "open") [title, text] = [texts.openTitle, queueMessage || texts.openText];
  const news = $("card").hidden || $("card-title").textContent !== title;
  $("card-title").textContent = title;
  $("card-text").textContent = text;
  $("card-sign-in").hidden = !signIn;
  $("look-again").hidden = queueState === "forbidden";
  $("card-done").hidden = !session.answers;
  if (session.answers) {
    const sorted = [...session.times].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] / 1000;
    const pace = session.answers >= 5 ? ` ${say(texts.emptyPace, { n: median.toFixed(1) })}` : "";
    $("card-done").textContent = say(texts.emptyDone, { n: session.answers, today }) + pace;
  }
  $("loading").hidden = true;
  $("card").hidden = false;
  if (news) announce(`${title}. ${text}`);
}

// ---- photos come -----------------------------------------------------------------------------------------------

/** Ask to hold enough photos. The server answers with all that we hold, so asking twice does no harm. */
async function fill({ renew = false } = {}) {
  if (claiming) {
    claimAgain = true;
    return;
  }
  if (!renew && claimTrouble) return; // a timer tries again
  if (!renew && shelf.current && shelf.ahead >= settings.ahead) return;
  claiming = true;
  claimAgain = false;
  clearTimeout(claimTimer);
  // The server still counts as held what we have answered but could not deliver yet.
  const undelivered = outbox.waiting.filter((entry) => !TAKES_BACK.has(entry.kind)).length;
  const result = await post(settings.urls.claims, { count: Math.min(20, settings.ahead + 1 + undelivered) }, settings.csrf);
  claiming = false;
  if (result.outcome === "later") {
    claimTrouble = result.why;
    claimTimer = setTimeout(() => fill({ renew: true }), claimPause);
    claimPause = Math.min(claimPause * 2, 15000);
  } else {
    claimTrouble = "";
    claimPause = 1000;
    if (result.outcome === "refused") {
      queueState = result.code === "paused" ? "paused" : "forbidden";
      queueMessage = result.message;
    } else {
      queueState = result.data.state;
      queueMessage = result.data.message;
      progress = result.data.progress;
      const uncounted = outbox.waiting.filter((entry) => entry.kind === "answer").length;
      today = (progress?.answered_today ?? 0) + uncounted;
      shelf.merge(result.data.tasks, result.serverTime);
      guideline.seen(result.data.guideline);
    }
    showProgress();
  }
  showState();
  if (!shelf.current) showFirst();
  if (claimAgain) fill();
  else if (!shelf.current && !claimTrouble && queueState !== "forbidden") {
    // Nothing moves that the person did not move, except that photos come when there were none.
    claimTimer = setTimeout(() => fill({ renew: true }), queueState === "preparing" ? 3000 : 15000);
  }
}

function showFirst() {
  if (shelf.ahead) {
    leaveCard();
    showNext(null, { count: false });
  } else {
    showCard();
  }
}

shelf.addEventListener("ready", ({ detail: task }) => {
  if (task !== shelf.current) return;
  leaveCard();
  whenShown(task);
});
shelf.addEventListener("broken", ({ detail: task }) => {
  if (task === shelf.current) showCard();
});

setInterval(() => {
  if (document.visibilityState !== "visible" || performance.now() - lastActive > ACTIVE_MS) return;
  if (!shelf.current && !shelf.ahead) return;
  if (shelf.timeLeft() < RENEW_MS * 2 && !claimTrouble) fill({ renew: true });
}, RENEW_MS / 4);

// ---- answers go ------------------------------------------------------------------------------------------------

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (TAKES_BACK.has(entry.kind) && result.outcome === "taken" && result.data?.task) {
    shelf.relent(entry.lease, result.data.task);
    for (const later of outbox.waiting) {
      if (later.body.lease === entry.lease) later.body.lease = result.data.task.lease;
    }
  }
  if (entry.kind === "unskip" && result.outcome === "refused" && shelf.current?.lease === entry.lease) {
    shelf.finish(shelf.current); // others have it now
    showNext(null, { count: false });
  }
  // A grid that was handed in without a network, on the page of sweeps.
  if (entry.kind === "hand-in" && result.data?.counts === false) toast(texts.sweepVoid);
  if (result.outcome === "refused") {
    history = history.filter((one) => one.key !== entry.key);
    showUndo();
  }
  fill();
});

addEventListener("online", () => {
  clearTimeout(claimTimer);
  claimPause = 1000;
  fill({ renew: true });
});

// ---- keys, buttons ---------------------------------------------------------------------------------------------

const PANELS = ["help", "light"];

function toggle(id, open = $(id).hidden) {
  if (open) for (const other of PANELS) if (other !== id) toggle(other, false);
  $(id).hidden = !open;
  $(`${id}-toggle`).setAttribute("aria-expanded", String(open));
  if (open && id === "help") $("help-title").focus();
}

function escape() {
  if (mode !== "answer") setMode("answer");
  else if (tour?.running) tour.end();
  else {
    $("changed").hidden = true;
    for (const id of PANELS) toggle(id, false);
  }
}

function onKey(event) {
  lastActive = performance.now();
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target.closest("input:not([type=range], [type=checkbox]), textarea, select");
  if (typing) {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      typing.blur();
    }
    return;
  }
  const key = keyOf(event);
  const slider = event.target.closest("input[type=range]");
  const onButton = event.target.closest("button, a, summary");
  const steady = key.startsWith("Arrow") || key === "+" || key === "-" || key === "=" || "[]{}".includes(key);
  if (event.repeat && !steady) return;
  const n = digit(key);
  const done = () => event.preventDefault();

  if (key === "Escape") return done(), escape();
  if (tour?.running) {
    if (key === "Enter" && !onButton) return done(), tour.next();
    if (!onButton && key !== "Tab") done();
    return undefined;
  }
  if (mode === "ticks") {
    if (n) return done(), tick(n - 1);
    if (key === "Enter" && !onButton?.closest(".lb-bar")) return done(), handIn(event);
  } else if (mode !== "answer") {
    const row = settings.reasons[mode].find((one) => one.number === n);
    if (row) return done(), answerReason(event, row.key);
    if (key === "c") return done(), document.querySelector(`[data-reasons="${mode}"] [data-comment]`).focus();
    if (n) return done();
  } else if (n) {
    const row = settings.classes.find((one) => one.number === n);
    if (row) return done(), answerClass(event, row.key);
    return undefined;
  }
  switch (key) {
    case "h":
    case "u": {
      const why = key === "h" ? "hold" : "unusable";
      if (mode === why) setMode("answer");
      else if (shelf.current?.ready) setMode(why);
      return done();
    }
    case "z":
      return done(), undo();
    case "s":
      return done(), skip(event);
    case "i":
      return done(), criteria.toggle();
    case "?":
      return done(), toggle("help");
    case "+":
    case "=":
      return done(), lens.zoomIn();
    case "-":
      return done(), lens.zoomOut();
    case "0":
      return done(), resetLens();
    case "[":
      return done(), lens.light({ brightness: lens.brightness - 10 });
    case "]":
      return done(), lens.light({ brightness: lens.brightness + 10 });
    case "{":
      return done(), lens.light({ contrast: lens.contrast - 10 });
    case "}":
      return done(), lens.light({ contrast: lens.contrast + 10 });
    case "Enter":
      if (onButton) return undefined;
      if (!$("card").hidden) return done(), fill({ renew: true });
      return undefined;
    default:
  }
  if (key.startsWith("Arrow") && !slider) {
    const right = { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
    if (lens.scale > 1) return done(), lens.pan(right, down);
    if (event.target.closest(".lb-aside, .lb-panel")) return undefined; // there, arrows scroll
    return done(), moveFocus(right + down);
  }
  return undefined;
}

function resetLens() {
  lens.resetZoom();
  lens.light({ brightness: 100, contrast: 100 });
  announce(texts.reset);
}

document.addEventListener("keydown", onKey);
document.addEventListener("pointerdown", () => (lastActive = performance.now()), { passive: true });
document.addEventListener("pointermove", () => (lastActive = performance.now()), { passive: true });
document.addEventListener("visibilitychange", () => {
  if (!shownAt) return;
  if (document.visibilityState === "visible") seenSince = performance.now();
  else seenMs += performance.now() - seenSince;
});

$("bar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { answer: key, why, reason, tick: point } = button.dataset;
  if (key) answerClass(event, key);
  else if (why && shelf.current?.ready) setMode(why);
  else if (reason) answerReason(event, reason);
  else if (point) tick(Number(point));
  else if ("handIn" in button.dataset) handIn(event);
  else if ("cancel" in button.dataset) setMode("answer");
  else if ("skip" in button.dataset) skip(event);
});
for (const type of ["pointerover", "focusin"]) {
  $("bar").addEventListener(type, (event) => {
    const key = event.target.closest?.("[data-answer]")?.dataset.answer;
    if (key) focusClass(key, { scroll: false });
  });
}
$("criteria").addEventListener("click", (event) => {
  const key = event.target.closest("[data-focus-class]")?.dataset.focusClass;
  if (key) focusClass(key);
});
$("undo").addEventListener("click", undo);
$("help-toggle").addEventListener("click", () => toggle("help"));
$("light-toggle").addEventListener("click", () => toggle("light"));
$("brightness").addEventListener("input", (event) => lens.light({ brightness: Number(event.target.value) }));
$("contrast").addEventListener("input", (event) => lens.light({ contrast: Number(event.target.value) }));
$("light-reset").addEventListener("click", resetLens);
$("look-again").addEventListener("click", () => fill({ renew: true }));
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => toggle(button.dataset.close, false));
}
$("changed-close").addEventListener("click", () => ($("changed").hidden = true));
lens.addEventListener("change", showLens);
setInterval(() => {
  if (history.length) showUndo();
}, 1000);

// ---- begin -----------------------------------------------------------------------------------------------------

focusClass(settings.classes[0]?.key);
const tour = startTour($("tour"), settings.csrf);
showCard();
// What an earlier page could not deliver goes first: its photos are answered and must not be shown again.
await outbox.open();
for (const entry of outbox.waiting) {
  if (TAKES_BACK.has(entry.kind)) continue;
  shelf.markHandled(entry.lease);
}
fill({ renew: true });
