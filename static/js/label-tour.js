// The tour: three short steps beside real photos, once in a person's life. It takes no focus, but while it runs
// the keys are its own: nobody answers a photo by trying what they are being told.

import { post } from "./label-api.js";

/** `panel` is null for those who have seen it. Returns { running, next(), end() } or null. */
export function startTour(panel, csrf) {
  if (!panel) return null;
  const steps = [...panel.querySelectorAll("[data-step]")];
  let at = 0;
  const tour = {
    running: true,
    next() {
      at += 1;
      if (at >= steps.length) tour.end();
      else show();
    },
    end() {
      tour.running = false;
      panel.hidden = true;
      post(panel.dataset.url, {}, csrf);
    },
  };
  function show() {
    steps.forEach((step, index) => (step.hidden = index !== at));
    panel.querySelector("#tour-step").textContent = String(at + 1);
  }
  panel.querySelector("#tour-next").addEventListener("click", () => tour.next());
  panel.querySelector("#tour-end").addEventListener("click", () => tour.end());
  panel.hidden = false;
  show();
  return tour;
}
