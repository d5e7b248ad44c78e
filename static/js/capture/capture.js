// The capture page: a phone at the car. Shot after shot is taken, checked here, put into the outbox and checked again by the
// server; this file is what lies between: what is shown when, and what a tap does.

import { uuid } from "../screen/keys.js";
import { Outbox } from "../screen/outbox.js";
import { $, say, settings, texts } from "../screen/page.js";
import { Camera, drawn } from "./camera.js";
import { look, send } from "./delivery.js";
import { Network } from "./network.js";
import { Plan } from "./plan.js";
import { faultsOf, measure } from "./quality.js";
import { Strip } from "./strip.js";
import { Tilt } from "./tilt.js";

const GOOD_MS = 350; // so long a photo that was taken is seen, before the next shot
const LOOK_MS = 4000; // between two looks whether a shot was recognised as another one
const LOOKS = 45;

const outbox = new Outbox({ user: `capture:${settings.link}`, send });
const plan = new Plan(settings.shots);
const camera = new Camera($("video"));
const tilt = new Tilt();
const network = new Network({ outbox, announce });
const strip = new Strip(plan, go);
let state = settings.state; // what the server said last
let shown = "start"; // or camera, fallback, checking, fault, review, sent, ended
let looks = 0;
let spoken = 0;

// ---- what is shown -----------------------------------------------------------------------------------------------

function announce(text) {
  clearTimeout(spoken);
  spoken = setTimeout(() => ($("live").textContent = text), 60);
}

/** `name` of what is shown, and what its card says: a list of `points`, a `photo` (a file). */
function show(name, { title = "", text = "", points = [], photo = null } = {}) {
  shown = name;
  document.body.dataset.shown = name;
  for (const part of document.querySelectorAll("[data-in]")) part.hidden = !part.dataset.in.split(" ").includes(name);
  $("card-title").textContent = title;
  $("card-text").textContent = text;
  $("card-points").replaceChildren(
    ...points.map((point) => {
      const item = document.createElement("li");
      item.textContent = point;
      return item;
    }),
  );
  $("card-points").hidden = !points.length;
  $("card-photo").hidden = !photo;
  URL.revokeObjectURL($("card-photo").src);
  if (photo) $("card-photo").src = URL.createObjectURL(photo);
  if (title) $("card-title").focus({ preventScroll: true });
  showShot();
}

function showShot() {
  const shot = plan.current;
  $("count").textContent = say(texts.count, { n: plan.there.length, of: plan.shots.length });
  $("progress").value = plan.there.length;
  if (!shot) return;
  $("ask-name").textContent = shot.name;
  $("ask-advice").textContent = shot.hint;
  const drawing = $(`outline-${shot.outline}`);
  $("outline").toggleAttribute("hidden", !drawing);
  $("outline").firstElementChild.setAttribute("href", drawing ? `#${drawing.id}` : "");
  $("shutter").setAttribute("aria-label", say(texts.take, { shot: shot.name }));
  $("skip").hidden = !["camera", "fallback", "fault"].includes(shown);
  $("torch").hidden = shown !== "camera" || !camera.hasTorch;
  $("torch").setAttribute("aria-pressed", String(camera.torch));
}

/** The camera, or what there is without one. */
function showCamera() {
  if (camera.state === "live") show("camera");
  else show("fallback", { title: texts.cameraTitles[camera.state], text: texts.cameras[camera.state] });
}

function showReview() {
  const { missing } = plan;
  show("review", {
    title: missing.length ? say(texts.missing, { n: missing.length }) : texts.complete,
    text: missing.length ? texts.missingText : texts.completeText,
    points: missing.map(({ name }) => name),
  });
  announce($("card-title").textContent);
}

function showSent() {
  const waits = outbox.waiting.length;
  show("sent", {
    title: waits ? texts.keptTitle : texts.sentTitle,
    text: waits ? (network.away ? texts.keptAway : texts.keptSending) : state.recognising ? texts.sentLooking : texts.sentText,
  });
  camera.close();
}

function showEnded(message) {
  const n = outbox.waiting.filter(({ kind }) => kind === "photo").length;
  show("ended", { title: message, text: n ? say(texts.endedWaiting, { n }) : texts.endedText });
  $("forget").hidden = !n;
  camera.close();
}

function showFault(shot, points, photo) {
  plan.go(shot);
  show("fault", { title: say(texts.again, { shot: shot.name }), points, photo });
  navigator.vibrate?.([80, 60, 80]);
  announce(`${$("card-title").textContent} ${points.join(" ")}`);
}

// ---- what the photographer does ----------------------------------------------------------------------------------

async function begin() {
  tilt.start();
  await camera.open();
  go(plan.current ?? plan.next() ?? plan.shots[0]);
}

function go(shot) {
  plan.go(shot);
  if (camera.state === "closed") begin();
  else showCamera();
  announce(`${shot.name}. ${shot.hint}`);
}

/** To the next shot that wants a photo, or to the end. */
function goOn() {
  const next = plan.next();
  if (next) go(next);
  else showReview();
}

async function shoot() {
  const lean = tilt.lean;
  show("checking");
  const { canvas, file } = await camera.take();
  if (file) keep(canvas, file, lean);
  else showCamera();
}

/** A photo from the phone's own camera app, or from its files. */
async function choose(file) {
  show("checking");
  let canvas = null;
  try {
    const bitmap = await createImageBitmap(file);
    canvas = drawn(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
  } catch {
    // A kind of photo that this browser cannot show: the server looks at it.
  }
  keep(canvas, file, null);
}

/** Check the photo of the current shot, and put it into the outbox if it is good. */
function keep(canvas, file, lean) {
  const shot = plan.current;
  const faults = canvas ? faultsOf(measure(canvas, settings.longest), lean, shot) : [];
  if (file.size > settings.mostBytes) faults.push("too_large");
  if (faults.length) {
    showFault(shot, adviceFor(shot, faults), file);
    return;
  }
  plan.taken(shot.key, file);
  const tilted = lean === null ? null : Math.round(lean * 10) / 10;
  outbox.add({ kind: "photo", key: uuid(), url: settings.urls.photos, shot: shot.key, file, tilt: tilted });
  navigator.vibrate?.(40);
  announce(say(texts.good, { shot: shot.name }));
  show("good");
  setTimeout(() => shown === "good" && goOn(), GOOD_MS);
}

const adviceFor = (shot, faults) => [...faults.map((fault) => shot.says[fault]), shot.hint].filter(Boolean);

function submit() {
  if (!outbox.waiting.some(({ kind }) => kind === "hand-in")) {
    outbox.add({ kind: "hand-in", key: uuid(), url: settings.urls.submit });
  }
  showSent();
}

/** What waits here is deleted: the link ended, and nobody will prolong it. */
function forget() {
  outbox.discard();
  showEnded($("card-title").textContent);
}

// ---- what the server says ----------------------------------------------------------------------------------------

outbox.addEventListener("settled", ({ detail: { entry, result } }) => {
  if (result.data?.state) state = result.data.state;
  if (entry.kind === "photo") arrived(entry, result);
  else if (result.outcome === "refused") showReview();
  if (result.outcome === "refused") outbox.dismissRefused(); // it is said where the shot is
  told();
});

function arrived({ shot: key }, { outcome, data, message }) {
  if (outbox.waiting.some(({ shot }) => shot === key)) return; // a newer one of it is on its way
  const accepted = outcome !== "refused" && (!data || !data.photo.faults.length);
  const advice = data ? data.photo.advice : [message].filter(Boolean);
  plan.arrived(key, { accepted, advice });
  if (!accepted) takeAgain(plan.of(key));
}

/** A photo that was sent is refused: said at once, whatever is going on, and nothing is handed in without it. */
function takeAgain(shot) {
  for (const { key, kind } of [...outbox.waiting]) if (kind === "hand-in") outbox.withdraw(key);
  showFault(shot, shot.advice, shot.file);
}

/** Bring what is shown into line with what the server said. */
function told() {
  for (const shot of plan.told(state.shots)) takeAgain(shot);
  if (shown === "sent") showSent();
}

outbox.addEventListener("change", () => {
  showShot();
  if (outbox.trouble === "ended" && shown !== "ended") showEnded(outbox.message);
  else if (outbox.trouble !== "ended" && shown === "ended") lookAgain(); // it was prolonged
});

/** What the machine makes of the photos comes some seconds after them. */
async function lookAgain() {
  const result = await look(settings.urls.state);
  if (result.outcome === "taken") {
    if (shown === "ended") location.reload(); // what waits is kept
    state = result.data;
    told();
  } else if (result.why === "ended") showEnded(result.message);
  return result;
}

async function watch() {
  const visible = document.visibilityState === "visible";
  if (visible && state?.recognising && !outbox.waiting.length && shown !== "ended" && looks < LOOKS) {
    looks += 1;
    await lookAgain();
  }
  setTimeout(watch, LOOK_MS);
}

// ---- beginning ---------------------------------------------------------------------------------------------------

function resume() {
  for (const { kind, shot, file } of outbox.waiting) if (kind === "photo") plan.taken(shot, file);
  plan.told(state.shots);
  plan.current = plan.next() ?? plan.shots[0];
  const handedIn = state.submitted_at || outbox.waiting.some(({ kind }) => kind === "hand-in");
  if (handedIn && !plan.missing.length) showSent();
  else {
    const begun = plan.there.length;
    show("start", { title: begun ? texts.goOnTitle : settings.title, text: say(begun ? texts.goOnText : texts.startText, { n: plan.shots.length }) });
  }
}

for (const [id, tapped] of Object.entries({
  begin,
  shutter: shoot,
  again: () => (camera.state === "closed" ? begin() : showCamera()),
  retry: begin,
  skip: () => {
    plan.skip(plan.current);
    goOn();
  },
  finish: showReview,
  back: () => go(plan.missing[0] ?? plan.shots[0]),
  submit,
  torch: () => camera.light(!camera.torch),
  look: () => {
    outbox.retryNow();
    lookAgain();
  },
  forget,
})) {
  $(id).addEventListener("click", tapped);
}
$("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (file) choose(file);
});
camera.addEventListener("change", () => {
  if (["camera", "fallback"].includes(shown)) showCamera();
  else showShot();
});
tilt.addEventListener("change", () => {
  const most = plan.current?.max_tilt ?? null;
  $("level").hidden = tilt.lean === null || most === null;
  $("level").style.transform = `rotate(${-(tilt.lean ?? 0)}deg)`;
  $("level").dataset.state = tilt.lean !== null && most !== null && Math.abs(tilt.lean) > most ? "off" : "level";
});
plan.addEventListener("change", showShot);

await outbox.open();
strip.show();
if (settings.ended) showEnded(settings.ended);
else resume();
network.show();
watch();
document.documentElement.dataset.ready = "";
