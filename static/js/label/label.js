// The labeling screen. Photos come from the shelf, answers go to the outbox, and this file is what lies between: what is
// shown when, and what an answer, a skip and an undo do. An answer does only what the next frame needs; the rest of the
// work (storing, sending, announcing, counting) follows once that frame is painted.

import { AnswerBar } from "../screen/answers.js";
import { deliver } from "../screen/api.js";
import { Claims } from "../screen/claims.js";
import { afterPaint } from "../screen/clock.js";
import { Criteria } from "../screen/criteria.js";
import { Halt } from "../screen/halt.js";
import { listen, onControl, uuid } from "../screen/keys.js";
import { ownKeys } from "../screen/own-keys.js";
import { $, say, settings, texts } from "../screen/page.js";
import { Panels } from "../screen/panels.js";
import { openScreen } from "../screen/screen.js";
import { Stage } from "../screen/stage.js";
import { oneTap } from "../screen/taps.js";
import { UndoStack } from "../screen/undo.js";
import { cardWords } from "../screen/words.js";
import { BreakHint } from "./break-hint.js";
import { Checklist } from "./checklist.js";
import { GuidelineWatch } from "./guideline.js";
import { Progress } from "./progress.js";
import { startTour } from "./tour.js";
import { told } from "./undone.js";
import { Wanted } from "./wanted.js";

// What this project has no use for is not loaded.
const { Earlier } = settings.earlier ? await import("../screen/earlier.js") : {};
const { Finder } = $("finder") ? await import("../screen/finder.js") : {};
const { Recent } = $("finder") ? await import("../screen/recent.js") : {};

const MORE_MS = 300; // between two claims for what is held beyond the next photos
const HISTORY = 5; // answers and skips that can be undone one after the other, while their time lasts
const TAKES_BACK = new Set(["undo", "unskip"]); // entries of the outbox after which the photo is ours again
const RENEW_MS = settings.offline.seconds * 1000 - 5000; // so long before a lease runs out

const { outbox, status, announce, toast, card, tabs, memory } = openScreen("label", {
  trouble: () => claims.trouble,
  held: () => wanted,
  send,
});
const panels = new Panels(["help", "light"]);
const progress = new Progress();
const breakHint = new BreakHint({ memory: `hilltop-work ${settings.user}` });
const stage = new Stage({ may: () => !halt.why, asItIs });
const { shelf, clock, viewer } = stage;
const wanted = new Wanted({ shelf, progress });
const criteria = new Criteria({
  memory: "hilltop-criteria",
  open: (kept, wide) => (kept ? kept === "open" : wide),
});
const earlier = Earlier && new Earlier({
  place: () => (!halt.why && shelf.current?.ready ? `${settings.urls.leases}${shelf.current.lease}/earlier` : ""),
  toast,
  announce,
  texts,
});
const checklist = new Checklist();
const guideline = new GuidelineWatch({ announce, ready: () => shelf.current || changeGuideline() });
const undoable = new UndoStack({ keep: HISTORY, toast, undo, memory }); // { key, task, label, skipped }
const bar = new AnswerBar({
  announce,
  ready: () => !halt.why && shelf.current?.ready,
  onClass: answerClass,
  onReason: answerReason,
  onButton: (event, { dataset }) => {
    if (dataset.tick) checklist.tick(Number(dataset.tick));
    else if ("handIn" in dataset) handIn(event);
    else if ("skip" in dataset) skip(event);
  },
  onCancel: () => finder?.close(),
});
const recent = Recent && new Recent({ memory: `hilltop-recent ${settings.user} ${settings.project}` });
const finder = Finder && new Finder({
  announce,
  ready: () => !halt.why && shelf.current?.ready,
  onClass: answerClass,
  onLook: (row) => criteria.focus(row.key),
});
const claims = new Claims({
  url: settings.urls.claims,
  // The server still counts as held what we have answered but could not deliver yet.
  may: () => halt.why !== "tab",
  body: (delivered) => {
    progress.asked(outbox.waiting.length - delivered);
    return wanted.body(undelivered().length - delivered);
  },
  enough: () => shelf.current && wanted.enough,
  answered: onClaimed,
});

const halt = new Halt({ outbox, claims, card, toast, halted, released, tabs });
const undelivered = () => outbox.waiting.filter((entry) => !TAKES_BACK.has(entry.kind));
let queue = { state: "loading", message: "" };

// ---- what the person did ---------------------------------------------------------------------------------------

/** Whether the photo on the screen may be answered now; if it is too soon, says so gently. */
function mayAnswer() {
  if (halt.why || !shelf.current?.ready || !clock.shownAt) return false;
  if (clock.reached(settings.minViewMs)) return true;
  announce(texts.tooSoon);
  return false;
}

function answerClass(event, row) {
  if (!mayAnswer()) return;
  if (settings.checklistRequired && !checklist.complete(row)) {
    criteria.focus(row.key);
    checklist.ask(row);
    bar.show("ticks", row.key);
    announce(texts.tickAll);
    return;
  }
  recent?.use(row.key);
  const body = { kind: "class", class: row.key, checklist: checklist.ticked(row) };
  answer(event, body, { label: row.name, button: bar.classButton(row.key) });
}

/** The checklist in the bar is handed in. */
function handIn(event) {
  if (checklist.complete(checklist.row)) answerClass(event, checklist.row);
  else toast(texts.tickMissing);
}

function answerReason(event, { kind, reason, label }) {
  if (!mayAnswer()) return;
  answer(event, { kind, reason, comment: bar.takeComment() }, { label, button: bar.whyButton(kind) });
}

function answer(event, given, { label, button }) {
  const task = shelf.current;
  const body = {
    key: uuid(),
    lease: task.lease,
    class: "",
    reason: "",
    comment: "",
    checklist: [],
    ...given,
    shown_at: clock.shownAt.toISOString(),
    view_ms: Math.round(clock.ms),
    guideline: settings.guideline.number,
  };
  const { key, lease } = body;
  leave(task, event, button);
  afterPaint(() => {
    outbox.add({ kind: "answer", key, lease, url: settings.urls.annotations, body, label, thumb: task.photo.thumb });
    undoable.push({ key, task, label });
    progress.answered(body.view_ms);
    breakHint.worked();
    checklist.clear();
    criteria.rest();
    announce(say(shelf.current ? texts.answered : texts.answeredLast, { answer: label }));
    if (outbox.trouble) claims.askForMore(); // otherwise the answer asks, when it is sent
  });
}

/** An answer asks for what comes next, where that is wanted: one round trip for both. */
async function send(entry) {
  // One that another page of this person left behind is of another project, and asks for nothing here.
  const claim = entry.kind === "answer" && entry.url === settings.urls.annotations ? claims.along() : null;
  if (!claim) return deliver(entry);
  const result = { ...(await deliver(entry, { claim })), asked: true };
  if (result.outcome === "later") claims.brought(result); // the outbox keeps it; otherwise once it has let go of it
  return result;
}

function skip(event) {
  const task = shelf.current;
  if (!task || halt.why) return;
  const key = uuid();
  const { lease } = task;
  leave(task, event, document.querySelector("[data-skip]"), { count: false });
  afterPaint(() => {
    outbox.add({ kind: "skip", key, lease, url: `${settings.urls.leases}${lease}/skip`, body: {}, thumb: task.photo.thumb });
    undoable.push({ key, task, skipped: true });
    checklist.clear();
    criteria.rest();
    announce(texts.skipped);
    claims.askForMore();
  });
}

/** What was done to the photo on the screen is acknowledged, and the next one is there, in this very frame. */
function leave(task, event, button, { count = true } = {}) {
  bar.light(button);
  bar.leave();
  shelf.finish(task);
  showNext(event, { count });
}

function undo() {
  if (halt.why) return;
  const last = undoable.newest();
  if (!last) return;
  const { key, task, label, skipped } = last;
  const { lease, photo } = task;
  undoable.drop(key);
  finder?.close();
  bar.leave();
  card.leave();
  earlier?.leave();
  viewer.afresh();
  shelf.putBack(task);
  stage.show(task);
  // Not sent yet: it never was. Otherwise the server is told, in its turn, after the answer (or skip) itself.
  if (!outbox.withdraw(key)) {
    const [kind, url] = skipped
      ? ["unskip", `${settings.urls.leases}${lease}/unskip`]
      : ["undo", `${settings.urls.annotations}/${key}/undo`];
    outbox.add({ kind, key, lease, url, body: {}, label, thumb: photo.thumb });
  }
  if (!skipped) progress.takenBack();
  toast(skipped ? texts.unskipped : say(texts.undone, { answer: label }));
}

// ---- what is on the screen -------------------------------------------------------------------------------------

/** The next photo, in this very frame; see `Stage`. */
function showNext(event, options) {
  $("toast").hidden = true; // what it said was about the photo before
  earlier?.leave();
  changeGuideline();
  if (!stage.next(event, options)) showCard();
}

/** Another guideline, if one waits, takes the place of the one on the page. */
function changeGuideline() {
  if (!guideline.waiting) return;
  bar.leave();
  finder?.close();
  guideline.swap();
  recent?.show();
  criteria.focus("");
}

function halted() {
  undoable.offer(false);
  finder?.close();
  bar.leave();
  earlier?.leave();
  stage.leave();
  $("look-again").hidden = true;
}

function released() {
  undoable.offer(true);
  card.leave();
  if (shelf.current?.ready) stage.show(shelf.current);
  else if (!shelf.current && shelf.ahead) showNext(null);
  else showCard();
  claims.askForMore();
}

function showCard() {
  if (halt.why) return;
  const task = shelf.current;
  if (task || queue.state === "loading" || (claims.asking && !claims.trouble)) {
    card.wait(task?.broken ? texts.photoBroken : texts.loading, { photo: Boolean(task) });
    return;
  }
  const [title, text] = cardWords(queue, { trouble: claims.trouble, offline: status.offline });
  $("look-again").hidden = queue.state === "forbidden";
  card.say({ state: queue.state, title, text, done: progress.words });
}

// ---- photos come, answers go -----------------------------------------------------------------------------------

function onClaimed({ outcome, code, message, data }) {
  if (outcome === "refused") {
    queue = { state: code === "paused" ? "paused" : "forbidden", message };
  } else if (outcome === "taken") {
    queue = data;
    progress.told(data.progress, outbox.waiting.filter((entry) => entry.kind === "answer").length);
    const came = shelf.merge(data.tasks);
    if (wanted.told(data.order, came)) claims.ask();
    else if (came) setTimeout(() => claims.askForMore(), MORE_MS);
    guideline.seen(data.guideline);
  }
  status.showState();
  halt.look();
  if (halt.why) return;
  if (!shelf.current && shelf.ahead) {
    card.leave();
    showNext(null);
  } else if (!shelf.current) {
    showCard();
  }
  if (shelf.current || claims.trouble || queue.state === "forbidden") return;
  // Nothing moves that the person did not move, except that photos come when there were none.
  claims.askIn(queue.state === "preparing" ? 3000 : 15000);
}

claims.renew({ every: 5000, left: RENEW_MS, expires: () => shelf.expires });

shelf.addEventListener("ready", ({ detail: task }) => {
  if (task !== shelf.current || halt.why) return;
  card.leave();
  stage.show(task);
});
shelf.addEventListener("broken", ({ detail: task }) => {
  if (task === shelf.current) showCard();
});

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (TAKES_BACK.has(entry.kind) && result.outcome === "taken" && result.data?.task) {
    shelf.relent(entry.lease, result.data.task);
    for (const later of outbox.waiting) {
      if (later.body.lease === entry.lease) later.body.lease = result.data.task.lease;
    }
  }
  if (entry.kind === "unskip" && result.outcome === "refused" && shelf.current?.lease === entry.lease) {
    shelf.finish(shelf.current); // others have it now
    showNext(null);
  }
  // A grid that was handed in without a network, on the page of sweeps.
  if (entry.kind === "hand-in" && result.data?.counts === false) toast(texts.sweepVoid);
  if (result.outcome === "refused") undoable.drop(entry.key);
  if (result.asked) claims.brought(result);
  else if (outbox.waiting[0]?.kind !== "answer") claims.askForMore(); // which is sent now, and asks
});

// ---- keys, buttons ---------------------------------------------------------------------------------------------

function escape() {
  if (bar.leave()) return;
  if (tour?.running) return tour.end();
  guideline.close();
  panels.close();
}

function asItIs() {
  viewer.asItIs();
  announce(texts.reset);
}

const KEYS = { z: undo, s: skip, i: () => criteria.toggle(), "?": () => panels.toggle("help"), 0: asItIs, ".": () => earlier?.toggle() };

/** Whether the key did something. */
function onKey(event, key) {
  const control = onControl(event);
  if (halt.why) return halt.key(event, key);
  if (bar.mode === "answer" && !tour?.running && finder?.key(event, key)) return true;
  if (key === "Escape") return escape(), true;
  if (tour?.running) {
    if (key === "Enter" && !control) tour.next();
    return !control && key !== "Tab";
  }
  if (bar.mode === "ticks") {
    if (checklist.key(key)) return true;
    if (key === "Enter" && !control?.closest(".lb-bar")) return handIn(event), true;
  }
  if (bar.key(event, key)) return true;
  if (KEYS[key]) return KEYS[key](event), true;
  if (key === "Enter" && !control && card.open) return claims.ask(), true;
  const slider = event.target.closest("input[type=range]"); // arrows move it
  if (slider && key.startsWith("Arrow")) return false;
  if (viewer.key(key)) return true;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[key];
  if (!step || event.target.closest(".lb-aside, .lb-panel")) return false; // there, arrows scroll
  return criteria.move(step), true;
}

listen(onKey, { own: ownKeys(() => bar.mode !== "answer") });
oneTap("#bar button:not([data-tick]), #bar [role=option], #undo");
for (const type of ["pointerover", "focusin"]) {
  $("bar").addEventListener(type, (event) => {
    const key = event.target.closest?.("[data-answer]")?.dataset.answer;
    if (key) criteria.focus(key, { scroll: false });
  });
}
$("look-again").addEventListener("click", () => claims.ask());

// ---- begin -----------------------------------------------------------------------------------------------------

criteria.focus("");
const tour = startTour();
showCard();
// What an earlier page could not deliver goes first: its photos are answered and must not be shown again.
await outbox.open();
for (const { lease } of undelivered()) shelf.markHandled(lease);
undoable.recall(told(outbox.waiting), outbox.waiting);
claims.ask();
