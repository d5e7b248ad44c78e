// The review desk: one key a ruling, the next dispute at once. Without this script the same forms post whole pages.

import { isShortcut, keyOf } from "./screen/keys.js";

const desk = document.getElementById("desk");
const said = document.getElementById("desk-said");
let busy = false;

function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

function fail(text) {
  let box = desk.querySelector("[data-failed]");
  if (!box) {
    box = document.createElement("div");
    box.className = "notice error";
    box.dataset.failed = "";
    desk.prepend(box);
  }
  box.textContent = text;
  say(text);
}

// Put another desk in place. `where` is "push" for a new dispute, "replace" when the address stays as it was.
async function show(response, where) {
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const root = holder.content.querySelector(".desk-root");
  if (!root) { window.location.assign(response.url); return; }
  desk.replaceChildren(holder.content);
  const url = root.dataset.url;
  if (where === "push" && url !== window.location.pathname) history.pushState({ desk: true }, "", url);
  wake();
  const error = document.getElementById("desk-error");
  (error || desk.querySelector("[data-focus]"))?.focus({ preventScroll: !error });
  if (!error) window.scrollTo({ top: Math.min(window.scrollY, desk.offsetTop) });
  say(root.dataset.said);
}

async function go(url, options, where) {
  if (busy) return;
  busy = true;
  desk.setAttribute("aria-busy", "true");
  try {
    const headers = { [desk.dataset.fetchHeader]: "1" };
    const response = await fetch(url, { credentials: "same-origin", ...options, headers });
    const kind = response.headers.get("Content-Type") || "";
    if (response.redirected && !response.url.includes("/review")) { window.location.assign(response.url); return; }
    if (response.status >= 500 || !kind.includes("text/html")) throw new Error(String(response.status));
    await show(response, where);
  } catch {
    fail(desk.dataset.saidFailed);
  } finally {
    busy = false;
    desk.removeAttribute("aria-busy");
  }
}

desk.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-desk-form]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter;
  button?.classList.add("struck");
  if (form.hasAttribute("data-ruling")) say(desk.dataset.saidSending);
  go(form.action, { method: "POST", body: new FormData(form, button) }, "push")
    .finally(() => button?.classList.remove("struck"));
});

desk.addEventListener("click", (event) => {
  const link = event.target.closest("[data-desk-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href, {}, "push");
});

window.addEventListener("popstate", () => go(window.location.href, {}, "replace"));

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (field) {
    if (event.key === "Escape") { field.blur(); event.preventDefault(); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field.name === "comment") {
      field.form.querySelector('[value="send_back"]').click();
      event.preventDefault();
    }
    return;
  }
  if (isShortcut(event) || event.repeat) return;
  const key = keyOf(event);
  if (key === "b") return openPart(event, ".more", "textarea");
  if (key === "e") return openPart(event, "[data-amend]", "textarea");
  const control = desk.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (control) { event.preventDefault(); control.click(); }
});

function openPart(event, selector, inside) {
  const part = desk.querySelector(selector);
  if (!part) return;
  event.preventDefault();
  part.open = true;
  const target = part.querySelector(inside);
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

// --- the photo: zoom about the pointer, drag to move --------------------------------------------------------------

const STEPS = [1, 1.5, 2, 3, 4, 6, 8];

function wake() {
  const next = desk.querySelector("[data-next-photo]");
  if (next) { const image = new Image(); image.src = next.dataset.nextPhoto; image.decode?.().catch(() => {}); }
  const frame = desk.querySelector("[data-zoom]");
  if (!frame) return;
  const image = frame.querySelector("img");
  const output = desk.querySelector("[data-zoom-said]");
  desk.querySelector(".zoom-tools").hidden = false;
  const view = { scale: 1, x: 0, y: 0 };

  const draw = () => {
    const roomX = (frame.clientWidth * (view.scale - 1)) / 2;
    const roomY = (frame.clientHeight * (view.scale - 1)) / 2;
    view.x = Math.max(-roomX, Math.min(roomX, view.x));
    view.y = Math.max(-roomY, Math.min(roomY, view.y));
    image.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    frame.classList.toggle("zoomed", view.scale > 1);
    output.textContent = `${Math.round(view.scale * 100)} %`;
  };
  // (px, py): the point, from the frame's middle, that stays where it is
  const zoomTo = (scale, px = 0, py = 0) => {
    const ratio = scale / view.scale;
    view.x = px - (px - view.x) * ratio;
    view.y = py - (py - view.y) * ratio;
    view.scale = scale;
    draw();
  };
  const step = (direction, px, py) => {
    if (direction === 0) { view.x = view.y = 0; zoomTo(1); return; }
    const at = STEPS.findIndex((s) => s >= view.scale - 0.001);
    zoomTo(STEPS[Math.max(0, Math.min(STEPS.length - 1, at + direction))], px, py);
  };
  const fromMiddle = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };

  for (const button of desk.querySelectorAll("[data-zoom-by]")) {
    button.addEventListener("click", () => step(Number(button.dataset.zoomBy)));
  }
  frame.addEventListener("dblclick", (event) => (view.scale > 1 ? step(0) : zoomTo(3, ...fromMiddle(event))));
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && view.scale === 1 && event.deltaY > 0) return; // let the page scroll on
    event.preventDefault();
    step(event.deltaY < 0 ? 1 : -1, ...fromMiddle(event));
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (view.scale === 1) return;
    frame.setPointerCapture(event.pointerId);
    let [lastX, lastY] = [event.clientX, event.clientY];
    const move = (e) => {
      view.x += e.clientX - lastX;
      view.y += e.clientY - lastY;
      [lastX, lastY] = [e.clientX, e.clientY];
      draw();
    };
    frame.addEventListener("pointermove", move);
    const end = () => frame.removeEventListener("pointermove", move);
    frame.addEventListener("pointerup", end, { once: true });
    frame.addEventListener("pointercancel", end, { once: true });
  });
  frame.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const key = keyOf(event);
    if (key === "+" || key === "=") step(1);
    else if (key === "-") step(-1);
    else if (key === "0") step(0);
    else if (moves[event.key] && view.scale > 1) {
      view.x += moves[event.key][0] * 60;
      view.y += moves[event.key][1] * 60;
      draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

wake();
