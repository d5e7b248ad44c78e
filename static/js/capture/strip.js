// The row of shots below the picture: which there are, how each stands, and a tap that goes to one.

import { $, say, texts } from "../screen/page.js";

const SIGN = { open: "", waiting: "…", accepted: "✓", refused: "!", skipped: "–" };

export class Strip {
  #plan;
  #items = new Map();

  /** `go(shot)`: somebody chose one. */
  constructor(plan, go) {
    this.#plan = plan;
    for (const shot of plan.shots) {
      const item = $("shot-template").content.firstElementChild.cloneNode(true);
      const button = item.querySelector("button");
      button.dataset.shot = shot.key;
      item.querySelector(".cp-name").textContent = shot.name;
      button.addEventListener("click", () => go(shot));
      this.#items.set(shot, button);
      $("strip").append(item);
    }
    plan.addEventListener("change", () => this.show());
  }

  show() {
    for (const [shot, button] of this.#items) {
      const said = say(texts.states[shot.state], { n: this.#plan.shots.indexOf(shot) + 1 });
      button.dataset.state = shot.state;
      button.setAttribute("aria-label", `${shot.name}: ${said}`);
      button.querySelector(".cp-sign").textContent = SIGN[shot.state];
      const image = button.querySelector("img");
      if (image.getAttribute("src") !== shot.thumb) image.src = shot.thumb;
      image.hidden = !shot.thumb;
      const here = shot === this.#plan.current;
      if (here === (button.getAttribute("aria-current") === "step")) continue;
      if (here) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      if (here) button.scrollIntoView({ block: "nearest", inline: "center" });
    }
  }
}
