// The capture page: a phone at the car. Shot after shot is taken, checked here, put into the outbox and checked again by the
// server; this file is what lies between: what is scene.name when, and what a tap does.

import { uuid } from "../screen/keys.js";
import { Outbox } from "../screen/outbox.js";
import { $, say, settings, texts } from "../screen/page.js";
import { Camera, drawn } from "./camera.js";
import { look, send } from "./delivery.js";
import { Network } from "./network.js";
import { Plan } from "./plan.js";
import { faultsOf, measure } from "./quality.js";
import { Scene } from "./scene.js";
import { Strip } from "./strip.js";
import { Tilt } from "./tilt.js";

const GOOD_MS = 350; // so long a photo that was taken is seen, before the next shot
const LOOK_MS = 4000; // between two looks whether a shot was recognised as another one
const LOOKS = 45;

const outbox = new Outbox({ user: `capture:${settings.link}`, send });
const plan = new Plan(settings.shots);
const camera = new Camera($("video"));
const tilt = new Tilt();
const scene = new Scene({ plan, camera });
const network = new Network({ outbox, announce: (text) => scene.announce(text) });
const strip = new Strip(plan, go);
let state = settings.state; // what the server said last
let looks = 0;

// ---- what is shown -----------------------------------------------------------------------------------------------

/** The camera, or what there is without one. */
function showCamera() {
  if (camera.state === "live") scene.show("camera");
  else scene.show("fallback", { title: texts.cameraTitles[camera.state], text: texts.cameras[camera.state] });
}

function showReview(refusal = "") {
  const { missing } = plan;
  scene.show("review", {
    title: missing.length ? say(texts.missing, { n: missing.length }) : texts.complete,
    text: refusal || (missing.length ? texts.missingText : texts.completeText),
    points: missing.map(({ name }) => name),
  });
  scene.announce($("card-title").textContent);
}

function showSent() {
  if (outbox.waiting.length) {
    scene.show("sent", { title: texts.keptTitle, text: network.away ? texts.keptAway : texts.keptSending });
  } else {
    scene.show("sent", { title: texts.sentTitle, text: state.recognising ? texts.sentLooking : texts.sentText });
  }
  camera.close();
}

function showEnded(message) {
  const n = outbox.waiting.filter(({ kind }) => kind === "photo").length;
  scene.show("ended", { title: message, text: n ? say(texts.endedWaiting, { n }) : texts.endedText });
  $("forget").hidden = !n;
  camera.close();
}

function showFault(shot, points, photo) {
  plan.go(shot);
  scene.show("fault", { title: say(texts.again, { shot: shot.name }), points, photo });
  navigator.vibrate?.([80, 60, 80]);
  scene.announce(`${$("card-title").textContent} ${points.join(" ")}`);
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
  scene.announce(`${shot.name}. ${shot.hint}`);
}

/** To the next shot that wants a photo, or to the end. */
function goOn() {
  const next = plan.next();
  if (next) go(next);
  else showReview();
}

async function shoot() {
  const [shot, lean] = [plan.current, tilt.lean];
  scene.show("checking");
  const { canvas, file } = await camera.take();
  if (file) keep(shot, { canvas, file, lean });
  else showCamera();
}

/** A photo from the phone's own camera app, or from its files. */
async function choose(file) {
  const shot = plan.current;
  scene.show("checking");
  let canvas = null;
  try {
    const bitmap = await createImageBitmap(file);
    canvas = drawn(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
  } catch {
    // A kind of photo that this browser cannot show: the server looks at it.
  }
  keep(shot, { canvas, file, lean: null });
}

/** Check the photo, and put it into the outbox if it is good. */
function keep(shot, { canvas, file, lean }) {
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
  scene.announce(say(texts.good, { shot: shot.name }));
  scene.show("good");
  setTimeout(() => scene.name === "good" && goOn(), GOOD_MS);
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
  else if (result.outcome === "refused") showReview(result.message);
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

/** Bring what is scene.name into line with what the server said. */
function told() {
  for (const shot of plan.told(state.shots)) takeAgain(shot);
  if (scene.name === "sent") showSent();
}

outbox.addEventListener("change", () => {
  if (outbox.trouble === "ended" && scene.name !== "ended") showEnded(outbox.message);
  else if (outbox.trouble !== "ended" && scene.name === "ended") lookAgain(); // it was prolonged
});

/** What the machine makes of the photos comes some seconds after them. */
async function lookAgain() {
  const result = await look(settings.urls.state);
  if (result.outcome === "taken") {
    if (scene.name === "ended") location.reload(); // what waits is kept
    state = result.data;
    told();
  } else if (result.why === "ended") showEnded(result.message);
  return result;
}

async function watch() {
  const visible = document.visibilityState === "visible";
  if (visible && state?.recognising && !outbox.waiting.length && scene.name !== "ended" && looks < LOOKS) {
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
    const text = say(begun ? texts.goOnText : texts.startText, { n: plan.shots.length });
    scene.show("start", { title: begun ? texts.goOnTitle : settings.title, text });
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
  finish: () => showReview(),
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
  const due = camera.state === "live" ? "camera" : "fallback";
  if (["camera", "fallback"].includes(scene.name) && scene.name !== due) showCamera();
});
tilt.addEventListener("change", () => scene.level(tilt.lean));

await outbox.open();
strip.show();
if (settings.ended) showEnded(settings.ended);
else resume();
network.show();
watch();
document.documentElement.dataset.ready = "";
