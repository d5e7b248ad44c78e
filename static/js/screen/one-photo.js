// What the screens of one photo share, the labeling screen and a question sheet: what is on the screen while there is no photo
// or another tab works, that photos come, what keys do to the photo, what can be taken back. What is asked of the photo, and
// what becomes of an answer, is the screen's own.

import { AnswerBar } from "./answers.js";
import { Claims } from "./claims.js";
import { Criteria } from "./criteria.js";
import { Halt } from "./halt.js";
import { listen, onControl } from "./keys.js";
import { ownKeys } from "./own-keys.js";
import { $, settings, texts } from "./page.js";
import { Panels } from "./panels.js";
import { openScreen } from "./screen.js";
import { Stage } from "./stage.js";
import { oneTap } from "./taps.js";
import { UndoStack } from "./undo.js";
import { cardWords } from "./words.js";

// What this project has no use for is not loaded.
const { Earlier } = settings.earlier ? await import("./earlier.js") : {};

const MORE_MS = 300; // between two claims for what is held beyond the next photos
const HISTORY = 5; // answers and skips that can be undone one after the other, while their time lasts
/** Kinds of entries of the outbox after which the photo is ours again. */
export const TAKES_BACK = new Set(["undo", "unskip"]);

/**
 * `held` and `send` are as `openScreen` takes them, `bar` as `AnswerBar`, `claim` (`body`, `enough`) as `Claims`. `renewMs`:
 * so long before a lease runs out it is asked for anew. `lent()`: the address of the lease that an earlier photo is beside, if any.
 * `undo(entry)` takes an entry of the undo stack back, which `skip(event)` and the screen's answers make. `rest()`: what lies
 * over the bar goes. `left()` and `came()`: before and after the next photo is there; `seen()`: it is in sight. `taken(data)`:
 * what a claim brought; `done()`: what was achieved, in words.
 */
export function openOnePhoto(name, { held, send, bar: choices, claim, renewMs, lent, undo, skip, rest, left, came, seen, taken, done }) {
  const { outbox, status, announce, toast, card, tabs, memory } = openScreen(name, { trouble: () => claims.trouble, held, send });
  const ready = () => !halt.why && shelf.current?.ready;
  const panels = new Panels(["help", "light"]);
  const stage = new Stage({ may: () => !halt.why, asItIs });
  const { shelf, clock, viewer } = stage;
  const criteria = new Criteria({
    memory: "hilltop-criteria",
    open: (kept, wide) => (kept ? kept === "open" : wide),
  });
  const earlier = Earlier && new Earlier({
    place: () => (ready() && lent() ? `${lent()}/earlier` : ""),
    toast,
    announce,
    texts,
  });
  const undoable = new UndoStack({ keep: HISTORY, toast, undo: takeBack, memory }); // { key, task, label, skipped }
  const bar = new AnswerBar({ announce, ready, ...choices });
  const claims = new Claims({
    url: settings.urls.claims,
    may: () => halt.why !== "tab",
    ...claim,
    answered: onClaimed,
  });
  const halt = new Halt({ outbox, claims, card, toast, halted, released, tabs });
  let queue = { state: "loading", message: "" };

  /** Whether the photo on the screen may be answered now, after `wanted` ms; if it is too soon, says so gently. */
  function mayAnswer(wanted) {
    if (!ready() || !clock.shownAt) return false;
    if (clock.reached(wanted)) return true;
    announce(texts.tooSoon);
    return false;
  }

  function takeBack() {
    if (halt.why) return;
    const last = undoable.newest();
    if (!last) return;
    undoable.drop(last.key);
    rest();
    card.leave();
    undo(last);
  }

  /** `task`, of which something was taken back, is on the screen. */
  function putBack(task) {
    if (task !== shelf.current) {
      earlier?.leave();
      viewer.afresh();
      shelf.putBack(task);
    }
    stage.show(task);
  }

  /** Not sent yet: it never was. Otherwise the server is told, in its turn, after the answer (or skip) itself. `about`: what
   *  the outbox keeps of it beside. */
  function withdraw({ key, lease, skipped }, { annotations, leases }, about) {
    if (outbox.withdraw(key)) return;
    const [kind, url] = skipped ? ["unskip", `${leases}${lease}/unskip`] : ["undo", `${annotations}/${key}/undo`];
    outbox.add({ kind, key, lease, url, body: {}, ...about });
  }

  /** What waits in the outbox is of the lease that the server gave a photo in place of this one. */
  function follow(before, { lease }) {
    for (const { body } of outbox.waiting) if (body.lease === before) body.lease = lease;
  }

  /** The next photo, in this very frame; see `Stage`. */
  function showNext(event, options) {
    $("toast").hidden = true; // what it said was about the photo before
    earlier?.leave();
    left?.();
    const there = stage.next(event, options);
    came?.();
    if (!there) showCard();
  }

  function halted() {
    undoable.offer(false);
    rest();
    earlier?.leave();
    stage.leave();
    $("look-again").hidden = true;
  }

  function released() {
    undoable.offer(true);
    card.leave();
    if (shelf.current?.ready) show();
    else if (!shelf.current && shelf.ahead) showNext(null);
    else showCard();
    claims.askForMore();
  }

  function show() {
    stage.show(shelf.current);
    seen?.();
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
    card.say({ state: queue.state, title, text, done: done() });
  }

  function onClaimed({ outcome, code, message, data }) {
    if (outcome === "refused") queue = { state: code === "paused" ? "paused" : "forbidden", message };
    else if (outcome === "taken") taken((queue = data));
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

  function asItIs() {
    viewer.asItIs();
    announce(texts.reset);
  }

  const KEYS = { z: takeBack, s: skip, i: () => criteria.toggle(), "?": () => panels.toggle("help"), 0: asItIs, ".": () => earlier?.toggle() };

  /** Whether the key did something, where it means the same on both screens; undefined where it is the screen's own. */
  function commonKey(event, key) {
    if (bar.key(event, key)) return true;
    if (KEYS[key]) return KEYS[key](event), true;
    if (key === "Enter" && !onControl(event) && card.open) return claims.ask(), true;
    if (key.startsWith("Arrow") && event.target.closest("input[type=range]")) return false; // they move it
    if (viewer.key(key)) return true;
    return event.target.closest(".lb-aside, .lb-panel") ? false : undefined; // there, arrows scroll
  }

  claims.renew({ every: 5000, left: renewMs, expires: () => shelf.expires });
  shelf.addEventListener("ready", ({ detail: task }) => {
    if (task !== shelf.current || halt.why) return;
    card.leave();
    show();
  });
  shelf.addEventListener("broken", ({ detail: task }) => {
    if (task === shelf.current) showCard();
  });
  $("look-again").addEventListener("click", () => claims.ask());

  return {
    outbox, announce, toast, panels, stage, shelf, clock, criteria, undoable, bar, claims, halt, ready,
    mayAnswer, putBack, withdraw, follow, showNext, showCard, commonKey,
    askSoon: () => setTimeout(() => claims.askForMore(), MORE_MS),
    /** `onKey(event, key)` says whether the key did something; `taps`: what one tap presses. */
    listen(onKey, taps) {
      listen((event, key) => (halt.why ? halt.key(event, key) : onKey(event, key)), { own: ownKeys(() => bar.mode !== "answer") });
      oneTap(taps);
    },
  };
}
