// What is seen: the camera's picture with the shot's outline, or a card in its place, and the buttons that belong to it. It
// knows what the shots and the camera are like; what a tap does, others know.

import { $, say, texts } from "../screen/page.js";

export class Scene {
  name = "start"; // or camera, fallback, checking, good, fault, review, sent, ended
  #plan;
  #camera;
  #spoken = 0;

  constructor({ plan, camera }) {
    this.#plan = plan;
    this.#camera = camera;
    for (const told of [plan, camera]) told.addEventListener("change", () => this.refresh());
  }

  /** To whoever does not see it. */
  announce(text) {
    clearTimeout(this.#spoken);
    this.#spoken = setTimeout(() => ($("live").textContent = text), 60);
  }

  /** `name` of what is shown, and what its card says: a list of `points`, a `photo` (a file). */
  show(name, { title = "", text = "", points = [], photo = null } = {}) {
    this.name = name;
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
    this.refresh();
  }

  refresh() {
    const { shots, there, current: shot } = this.#plan;
    $("count").textContent = say(texts.count, { n: there.length, of: shots.length });
    $("progress").value = there.length;
    $("torch").hidden = this.name !== "camera" || !this.#camera.hasTorch;
    $("torch").setAttribute("aria-pressed", String(this.#camera.torch));
    if (!shot) return;
    $("ask-name").textContent = shot.name;
    $("ask-advice").textContent = shot.advice.join(" ") || shot.hint;
    $("shutter").setAttribute("aria-label", say(texts.take, { shot: shot.name }));
    const drawing = $(`outline-${shot.outline}`);
    $("outline").toggleAttribute("hidden", !drawing);
    if (drawing) $("outline").firstElementChild.setAttribute("href", `#${drawing.id}`);
  }

  /** `lean` of the horizon in degrees, null where it is unknown. */
  level(lean) {
    const most = this.#plan.current?.max_tilt ?? null;
    $("level").hidden = lean === null || most === null;
    if ($("level").hidden) return;
    $("level").style.transform = `rotate(${-lean}deg)`;
    $("level").dataset.state = Math.abs(lean) > most ? "off" : "level";
  }
}
