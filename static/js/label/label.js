// The labeling screen. Photos come from the shelf, answers go to the outbox, and this file is what lies between: what is
// shown when, and what an answer, a skip and an undo do. An answer does only what the next frame needs; the rest of the
// work (storing, sending, announcing, counting) follows once that frame is painted.

import { deliver } from "../screen/api.js";
import { afterPaint } from "../screen/clock.js";
import { onControl, uuid } from "../screen/keys.js";
import { TAKES_BACK, openOnePhoto } from "../screen/one-photo.js";
import { $, say, settings, texts } from "../screen/page.js";
import { BreakHint } from "./break-hint.js";
import { Checklist } from "./checklist.js";
import { GuidelineWatch } from "./guideline.js";
import { Progress } from "./progress.js";
import { startTour } from "./tour.js";
import { told } from "./undone.js";
import { Wanted } from "./wanted.js";

// What this project has no use for is not loaded.
const { Finder } = $("finder") ? await import("../screen/finder.js") : {};
const { Recent } = $("finder") ? await import("../screen/recent.js") : {};

const screen = openOnePhoto("label", {
  held: () => wanted,
  send,
  bar: {
    onClass: answerClass,
    onReason: answerReason,
    onButton: (event, { dataset }) => {
      if (dataset.tick) checklist.tick(Number(dataset.tick));
      else if ("handIn" in dataset) handIn(event);
      else if ("skip" in dataset) skip(event);
    },
    onCancel: () => finder?.close(),
  },
  claim: {
    // The server still counts as held what we have answered but could not deliver yet.
    body: (delivered) => {
      progress.asked(outbox.waiting.length - delivered);
      return wanted.body(undelivered().length - delivered);
    },
    enough: () => shelf.current && wanted.enough,
  },
  renewMs: settings.offline.seconds * 1000 - 5000,
  lent: () => `${settings.urls.leases}${shelf.current.lease}`,
  undo,
  skip,
  rest() {
    finder?.close();
    bar.leave();
  },
  left: changeGuideline,
  taken,
  done: () => progress.words,
});
const { outbox, announce, toast, panels, shelf, clock, criteria, undoable, bar, claims, halt, mayAnswer } = screen;
const progress = new Progress();
const breakHint = new BreakHint({ memory: `hilltop-work ${settings.user}` });
const wanted = new Wanted({ shelf, progress });
const checklist = new Checklist();
const guideline = new GuidelineWatch({ announce, ready: () => shelf.current || changeGuideline() });
const recent = Recent && new Recent({ memory: `hilltop-recent ${settings.user} ${settings.project}` });
const finder = Finder && new Finder({
  announce,
  ready: screen.ready,
  onClass: answerClass,
  onLook: (row) => criteria.focus(row.key),
});
const undelivered = () => outbox.waiting.filter((entry) => !TAKES_BACK.has(entry.kind));

// ---- what the person did ---------------------------------------------------------------------------------------

function answerClass(event, row) {
  if (!mayAnswer(settings.minViewMs)) return;
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
  if (!mayAnswer(settings.minViewMs)) return;
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
  screen.showNext(event, { count });
}

function undo({ key, task, label, skipped }) {
  screen.putBack(task);
  screen.withdraw({ key, lease: task.lease, skipped }, settings.urls, { label, thumb: task.photo.thumb });
  if (!skipped) progress.takenBack();
  toast(skipped ? texts.unskipped : say(texts.undone, { answer: label }));
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

// ---- photos come, answers go -----------------------------------------------------------------------------------

function taken(data) {
  progress.told(data.progress, outbox.waiting.filter((entry) => entry.kind === "answer").length);
  const came = shelf.merge(data.tasks);
  if (wanted.told(data.order, came)) claims.ask();
  else if (came) screen.askSoon();
  guideline.seen(data.guideline);
}

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (TAKES_BACK.has(entry.kind) && result.outcome === "taken" && result.data?.task) {
    shelf.relent(entry.lease, result.data.task);
    screen.follow(entry.lease, result.data.task);
  }
  if (entry.kind === "unskip" && result.outcome === "refused" && shelf.current?.lease === entry.lease) {
    shelf.finish(shelf.current); // others have it now
    screen.showNext(null);
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

/** Whether the key did something. */
function onKey(event, key) {
  const control = onControl(event);
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
  const did = screen.commonKey(event, key);
  if (did !== undefined) return did;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[key];
  return Boolean(step) && (criteria.move(step), true);
}

screen.listen(onKey, "#bar button:not([data-tick]), #bar [role=option], #undo");
for (const type of ["pointerover", "focusin"]) {
  $("bar").addEventListener(type, (event) => {
    const key = event.target.closest?.("[data-answer]")?.dataset.answer;
    if (key) criteria.focus(key, { scroll: false });
  });
}

// ---- begin -----------------------------------------------------------------------------------------------------

criteria.focus("");
const tour = startTour();
screen.showCard();
// What an earlier page could not deliver goes first: its photos are answered and must not be shown again.
await outbox.open();
for (const { lease } of undelivered()) shelf.markHandled(lease);
undoable.recall(told(outbox.waiting), outbox.waiting);
claims.ask();
