// The screen of a question sheet: one photo, the questions of several projects, one key each. Each answer goes to its own
// project as soon as it is given, through the same outbox as on the labeling screen, so what was answered is stored although
// the rest of the photo never is. This file is what lies between: what is asked when, and what an answer, a skip and an undo do.

import { afterPaint } from "../screen/clock.js";
import { uuid } from "../screen/keys.js";
import { TAKES_BACK, openOnePhoto } from "../screen/one-photo.js";
import { $, say, settings, texts } from "../screen/page.js";
import { about, isOlder } from "./about.js";
import { Photos } from "./photos.js";
import { Questions } from "./questions.js";

const MOST = 8; // photos that a claim may ask for

const screen = openOnePhoto("sheet", {
  bar: {
    onClass: answerClass,
    onReason: answerReason,
    onButton: (event, { dataset }) => {
      if (dataset.question) turn(questions.all.find(({ project }) => project === dataset.question));
      else if ("skip" in dataset) skip(event);
    },
  },
  claim: {
    // The server still counts as held what we have answered but could not deliver yet.
    body: () => ({ count: Math.min(MOST, settings.ahead + 1 + new Set(outbox.waiting.map(({ photo }) => photo)).size) }),
    enough: () => shelf.current && shelf.ahead >= settings.ahead,
  },
  renewMs: 90000,
  lent() {
    const [question] = questions.open;
    return question && `${about(question.project).url}leases/${question.lease}`;
  },
  undo,
  skip,
  rest: () => bar.leave(),
  came() {
    questions.of(shelf.current);
    criteria.rest();
  },
  seen: () => questions.appear(),
  taken,
  done: () => (session.photos ? say(texts.emptyDone, { n: session.photos, answers: session.answers }) : ""),
});
const { outbox, announce, toast, panels, shelf, clock, criteria, undoable, bar, claims, halt } = screen;
const photos = new Photos({ shelf });
const questions = new Questions({ clock });
const session = { photos: 0, answers: 0 };
let guidelines = {}; // in force, by project
let due = false; // the page is to be read anew as soon as what was answered is delivered

// ---- what the person did ---------------------------------------------------------------------------------------

function answerClass(event, row) {
  const { asked } = questions;
  if (!asked || !screen.mayAnswer(settings.minViewMs - asked.ms)) return;
  give(event, [asked], { kind: "class", class: row.key }, { label: row.name, ...questions.seen });
}

function answerReason(event, { kind, reason, label }) {
  const { asked, open } = questions;
  if (kind !== "all") {
    if (!asked || !screen.mayAnswer(settings.minViewMs - asked.ms)) return;
    give(event, [asked], { kind, reason, comment: bar.takeComment() }, { label, ...questions.seen });
    return;
  }
  // One look for all of them: its time is shared out, and has to do for each.
  const least = Math.max(...open.map(({ project }) => about(project).minViewMs)) * open.length;
  if (!asked || !screen.mayAnswer(least - (questions.seenOpen.ms - clock.ms))) return;
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
  due = isOlder(guidelines);
  shelf.finish(shelf.current);
  screen.showNext(event, { count });
}

function turn(question) {
  if (!question || halt.why) return;
  questions.turn(question);
  criteria.rest();
}

function undo({ task: before, parts, label, skipped }) {
  const task = photos.reopen(before, parts.map(({ lease }) => lease));
  screen.putBack(task);
  questions.of(task, task.questions.find(({ lease }) => lease === parts[0].lease));
  for (const { key, lease, project } of parts) {
    const { url } = about(project);
    const places = { annotations: `${url}annotations`, leases: `${url}leases/` };
    screen.withdraw({ key, lease, skipped }, places, { label, thumb: task.photo.thumb, photo: task.lease });
  }
  if (!skipped) session.answers -= parts.length;
  toast(skipped ? texts.unskipped : say(texts.undone, { answer: label }));
}

// ---- photos come, answers go -----------------------------------------------------------------------------------

function taken(data) {
  guidelines = data.guidelines;
  const names = data.paused.map((project) => about(project)?.name).filter(Boolean);
  $("paused").hidden = !names.length;
  $("paused").textContent = names.length ? say(texts.pausedIn, { projects: names.join(", ") }) : "";
  if (photos.merge(data.photos)) screen.askSoon();
  questions.refresh();
  due ||= !shelf.current && isOlder(guidelines);
  readAnew();
}

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (TAKES_BACK.has(entry.kind)) {
    if (result.outcome === "taken" && result.data?.task && photos.relent(entry.lease, result.data.task)) {
      screen.follow(entry.lease, result.data.task);
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
  const [name, now] = [`hilltop-sheet-guidelines:${settings.project}`, JSON.stringify(guidelines)];
  if (sessionStorage.getItem(name) === now) return;
  sessionStorage.setItem(name, now);
  location.reload();
}

// ---- keys, buttons ---------------------------------------------------------------------------------------------

function escape() {
  if (!bar.leave()) panels.close();
}

/** Whether the key did something. */
function onKey(event, key) {
  if (key === "Escape") return escape(), true;
  const did = screen.commonKey(event, key);
  if (did !== undefined) return did;
  const [aside, step] = { ArrowLeft: [false, -1], ArrowRight: [false, 1], ArrowUp: [true, -1], ArrowDown: [true, 1] }[key] ?? [];
  if (!step || !questions.asked) return false;
  if (aside) return criteria.move(step), true;
  turn(questions.next(step));
  announce(questions.words);
  return true;
}

screen.listen(onKey, "#bar button:not([data-question]), #undo");

// ---- begin -----------------------------------------------------------------------------------------------------

questions.of(null);
screen.showCard();
// What an earlier page could not deliver goes first: its questions are answered and must not be asked again.
await outbox.open();
for (const { kind, lease } of outbox.waiting) if (!TAKES_BACK.has(kind)) photos.markClosed(lease);
undoable.recall([], outbox.waiting);
claims.ask();
