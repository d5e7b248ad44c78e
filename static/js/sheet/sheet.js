// The screen of a question sheet: one photo, the questions of several projects, one key each. Each answer goes to its own
// project as soon as it is given, through the same outbox as on the labeling screen, so what was answered is stored although
// the rest of the photo never is. This file is what lies between: what is asked when, and what an answer, a skip and an undo do.

import { AnswerBar } from "../screen/answers.js";
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
import { about, isOlder } from "./about.js";
import { Photos } from "./photos.js";
import { Questions } from "./questions.js";

// What this project has no use for is not loaded.
const { Earlier } = settings.earlier ? await import("../screen/earlier.js") : {};

const MOST = 8; // photos that a claim may ask for
const MORE_MS = 300;
const HISTORY = 5;
const TAKES_BACK = new Set(["undo", "unskip"]);
const RENEW_MS = 90000; // so long before a lease runs out

const { outbox, status, announce, toast, card, tabs, memory } = openScreen("sheet", { trouble: () => claims.trouble });
const panels = new Panels(["help", "light"]);
const stage = new Stage({ may: () => !halt.why, asItIs });
const { shelf, clock, viewer } = stage;
const photos = new Photos({ shelf });
const questions = new Questions({ clock });
const criteria = new Criteria({
  memory: "hilltop-criteria",
  open: (kept, wide) => (kept ? kept === "open" : wide),
});
const earlier = Earlier && new Earlier({
  place: () => {
    const [question] = !halt.why && shelf.current?.ready ? questions.open : [];
    return question ? `${about(question.project).url}leases/${question.lease}/earlier` : "";
  },
  toast,
  announce,
  texts,
});
const undoable = new UndoStack({ keep: HISTORY, toast, undo, memory }); // { key, task, label, skipped, parts }
const bar = new AnswerBar({
  announce,
  ready: () => !halt.why && shelf.current?.ready,
  onClass: answerClass,
  onReason: answerReason,
  onButton: (event, { dataset }) => {
    if (dataset.question) turn(questions.all.find(({ project }) => project === dataset.question));
    else if ("skip" in dataset) skip(event);
  },
});
const claims = new Claims({
  url: settings.urls.claims,
  may: () => halt.why !== "tab",
  // The server still counts as held what we have answered but could not deliver yet.
  body: () => ({ count: Math.min(MOST, settings.ahead + 1 + new Set(outbox.waiting.map(({ photo }) => photo)).size) }),
  enough: () => shelf.current && shelf.ahead >= settings.ahead,
  answered: onClaimed,
});
const halt = new Halt({ outbox, claims, card, toast, halted, released, tabs });
const session = { photos: 0, answers: 0 };
let queue = { state: "loading", message: "", guidelines: {} };
let due = false; // the page is to be read anew as soon as what was answered is delivered

// ---- what the person did ---------------------------------------------------------------------------------------

/** Whether the question may be answered now, after `wanted` ms; if it is too soon, says so gently. */
function mayAnswer(wanted) {
  if (halt.why || !shelf.current?.ready || !questions.asked || !clock.shownAt) return false;
  if (clock.reached(wanted)) return true;
  announce(texts.tooSoon);
  return false;
}

function answerClass(event, row) {
  const { asked } = questions;
  if (!asked || !mayAnswer(settings.minViewMs - asked.ms)) return;
  give(event, [asked], { kind: "class", class: row.key }, { label: row.name, ...questions.seen });
}

function answerReason(event, { kind, reason, label }) {
  const { asked, open } = questions;
  if (kind !== "all") {
    if (!asked || !mayAnswer(settings.minViewMs - asked.ms)) return;
    give(event, [asked], { kind, reason, comment: bar.takeComment() }, { label, ...questions.seen });
    return;
  }
  // One look for all of them: its time is shared out, and has to do for each.
  const least = Math.max(...open.map(({ project }) => about(project).minViewMs)) * open.length;
  if (!asked || !mayAnswer(least - (questions.seenOpen.ms - clock.ms))) return;
  const { ms, at } = questions.seenOpen;
  give(event, open, { kind: "unusable", reason, comment: bar.takeComment() }, { label, ms: ms / open.length, at });
}

/** The same is said of these questions, each looked at for `ms` since `at`. */
function give(event, of, said, { label, ms, at }) {
  const task = shelf.current;
  const parts = of.map((question) => ({ question, key: uuid(), lease: question.lease, project: question.project }));
  for (const { question } of parts) photos.close(question, label);
  go(event);
  afterPaint(() => {
    for (const { key, lease, project } of parts) {
      const { url, guideline, question } = about(project);
      const seen = { shown_at: at.toISOString(), view_ms: Math.round(ms), guideline };
      const body = { key, lease, class: "", reason: "", comment: "", checklist: [], ...said, ...seen };
      const shown = { label: `${question} ${label}`, thumb: task.photo.thumb, photo: task.lease };
      outbox.add({ kind: "answer", key, lease, url: `${url}annotations`, body, ...shown });
    }
    session.answers += parts.length;
    remember(task, parts, { label });
    told(label);
  });
}

/** This photo is left to others, with all that is open of it. */
function skip(event) {
  const task = shelf.current;
  if (!task || halt.why || !questions.asked) return;
  const parts = questions.open.map((question) => ({ question, key: uuid(), lease: question.lease, project: question.project }));
  for (const { question } of parts) photos.close(question, texts.skipped);
  go(event, { count: false });
  afterPaint(() => {
    for (const { key, lease, project } of parts) {
      const url = `${about(project).url}leases/${lease}/skip`;
      outbox.add({ kind: "skip", key, lease, url, body: {}, thumb: task.photo.thumb, photo: task.lease });
    }
    remember(task, parts, { skipped: true });
    announce(texts.skipped);
    claims.askForMore();
  });
}

function remember(task, parts, more) {
  const kept = parts.map(({ key, lease, project }) => ({ key, lease, project }));
  undoable.push({ key: kept[0].key, task, parts: kept, ...more }, Math.min(...parts.map(({ project }) => about(project).undoSeconds)));
}

/** What was answered, and what is asked now, aloud. */
function told(answer) {
  if (!shelf.current) announce(say(texts.noneLeft, { answer }));
  else announce(say(questions.all.some(({ said }) => said) ? texts.answeredThen : texts.nextPhoto, { answer, next: questions.words }));
  if (!shelf.current || shelf.ahead < settings.ahead) claims.askForMore();
}

/** On to the next open question of the photo, or the next photo, in this very frame. */
function go(event, { count = true } = {}) {
  const before = questions.asked;
  const next = questions.next();
  bar.leave();
  if (next) {
    turn(next);
    bar.light(questions.chip(before));
    return;
  }
  session.photos += 1;
  due = isOlder(queue.guidelines);
  shelf.finish(shelf.current);
  showNext(event, { count });
}

function turn(question) {
  if (!question || halt.why) return;
  questions.turn(question);
  criteria.rest();
}

function undo() {
  if (halt.why) return;
  const last = undoable.newest();
  if (!last) return;
  const { key, parts, label, skipped } = last;
  undoable.drop(key);
  bar.leave();
  card.leave();
  const task = photos.reopen(last.task, parts.map(({ lease }) => lease));
  if (task !== shelf.current) {
    earlier?.leave();
    viewer.afresh();
    shelf.putBack(task);
  }
  stage.show(task);
  questions.of(task, task.questions.find(({ lease }) => lease === parts[0].lease));
  for (const part of parts) {
    // Not sent yet: it never was. Otherwise the server is told, in its turn, after the answer (or skip) itself.
    if (outbox.withdraw(part.key)) continue;
    const { url } = about(part.project);
    const [kind, address] = skipped
      ? ["unskip", `${url}leases/${part.lease}/unskip`]
      : ["undo", `${url}annotations/${part.key}/undo`];
    outbox.add({ kind, key: part.key, lease: part.lease, url: address, body: {}, label, thumb: task.photo.thumb, photo: task.lease });
  }
  if (!skipped) session.answers -= parts.length;
  toast(skipped ? texts.unskipped : say(texts.undone, { answer: label }));
}

// ---- what is on the screen -------------------------------------------------------------------------------------

function showNext(event, options) {
  $("toast").hidden = true; // what it said was about the photo before
  earlier?.leave();
  const there = stage.next(event, options);
  questions.of(shelf.current);
  criteria.rest();
  if (!there) showCard();
}

function halted() {
  undoable.offer(false);
  bar.leave();
  earlier?.leave();
  stage.leave();
  $("look-again").hidden = true;
}

function released() {
  undoable.offer(true);
  card.leave();
  if (shelf.current?.ready) {
    stage.show(shelf.current);
    questions.appear();
  } else if (!shelf.current && shelf.ahead) showNext(null);
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
  const done = session.photos ? say(texts.emptyDone, { n: session.photos, answers: session.answers }) : "";
  card.say({ state: queue.state, title, text, done });
}

// ---- photos come, answers go -----------------------------------------------------------------------------------

function onClaimed({ outcome, code, message, data }) {
  if (outcome === "refused") {
    queue = { ...queue, state: code === "paused" ? "paused" : "forbidden", message };
  } else if (outcome === "taken") {
    queue = data;
    const names = data.paused.map((project) => about(project)?.name).filter(Boolean);
    $("paused").hidden = !names.length;
    $("paused").textContent = names.length ? say(texts.pausedIn, { projects: names.join(", ") }) : "";
    if (photos.merge(data.photos)) setTimeout(() => claims.askForMore(), MORE_MS);
    due ||= !shelf.current && isOlder(data.guidelines);
    readAnew();
  }
  status.showState();
  halt.look();
  if (halt.why) return;
  if (!shelf.current && shelf.ahead) {
    card.leave();
    showNext(null);
  } else if (!shelf.current) {
    showCard();
  } else {
    questions.refresh();
  }
  if (shelf.current || claims.trouble || queue.state === "forbidden") return;
  claims.askIn(queue.state === "preparing" ? 3000 : 15000);
}

claims.renew({ every: 5000, left: RENEW_MS, expires: () => shelf.expires });

shelf.addEventListener("ready", ({ detail: task }) => {
  if (task !== shelf.current || halt.why) return;
  card.leave();
  stage.show(task);
  questions.appear();
});
shelf.addEventListener("broken", ({ detail: task }) => {
  if (task === shelf.current) showCard();
});

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (TAKES_BACK.has(entry.kind)) {
    if (result.outcome === "taken" && result.data?.task && photos.relent(entry.lease, result.data.task)) {
      for (const later of outbox.waiting) {
        if (later.body.lease === entry.lease) later.body.lease = result.data.task.lease;
      }
    }
    // It stands as it was: nothing is asked here any more.
    const question = result.outcome === "refused" ? photos.question(entry.lease) : null;
    if (question && !question.said) {
      photos.close(question, entry.label || texts.skipped);
      if (question === questions.asked) go(null, { count: false });
      else if (shelf.current) questions.of(shelf.current, questions.asked);
    }
  } else if (result.outcome === "refused") {
    undoable.drop(entry.key);
  }
  if (!outbox.waiting.length) claims.askForMore();
  readAnew();
});

/** Another guideline, or other projects, between two photos: no key changes its meaning under a finger, what is on loan stays
 *  ours, and nothing waits here that leaving the page could lose. Once for each. */
function readAnew() {
  if (!due || outbox.waiting.length) return;
  const [name, now] = [`hilltop-sheet-guidelines:${settings.project}`, JSON.stringify(queue.guidelines)];
  if (sessionStorage.getItem(name) === now) return;
  sessionStorage.setItem(name, now);
  location.reload();
}

// ---- keys, buttons ---------------------------------------------------------------------------------------------

function escape() {
  if (!bar.leave()) panels.close();
}

function asItIs() {
  viewer.asItIs();
  announce(texts.reset);
}

const KEYS = { Escape: escape, z: undo, s: skip, i: () => criteria.toggle(), "?": () => panels.toggle("help"), 0: asItIs, ".": () => earlier?.toggle() };

/** Whether the key did something. */
function onKey(event, key) {
  const control = onControl(event);
  if (halt.why) return halt.key(event, key);
  if (bar.key(event, key)) return true;
  if (KEYS[key]) return KEYS[key](event), true;
  if (key === "Enter" && !control && card.open) return claims.ask(), true;
  const slider = event.target.closest("input[type=range]"); // arrows move it
  if (slider && key.startsWith("Arrow")) return false;
  if (viewer.key(key)) return true;
  if (event.target.closest(".lb-aside, .lb-panel")) return false; // there, arrows scroll
  const [aside, step] = { ArrowLeft: [false, -1], ArrowRight: [false, 1], ArrowUp: [true, -1], ArrowDown: [true, 1] }[key] ?? [];
  if (!step || !questions.asked) return false;
  if (aside) return criteria.move(step), true;
  turn(questions.next(step));
  announce(questions.words);
  return true;
}

listen(onKey, { own: ownKeys(() => bar.mode !== "answer") });
oneTap("#bar button:not([data-question]), #undo");
$("look-again").addEventListener("click", () => claims.ask());

// ---- begin -----------------------------------------------------------------------------------------------------

questions.of(null);
showCard();
// What an earlier page could not deliver goes first: its questions are answered and must not be asked again.
await outbox.open();
for (const { kind, lease } of outbox.waiting) if (!TAKES_BACK.has(kind)) photos.markClosed(lease);
undoable.recall([], outbox.waiting);
claims.ask();
