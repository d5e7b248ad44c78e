// The tour: three short steps beside real photos, once in a person's life. It takes no focus, but while it runs
// the keys are its own: nobody answers a photo by trying what they are being told.

import { post } from "../screen/api.js";
import { $ } from "../screen/page.js";

/** Returns { running, next(), end() }, or null where the page has no tour, for those who have seen it. */
export function startTour() {
  const panel = $("tour");
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
      post(panel.dataset.url, {});
    },
  };
  function show() {
    steps.forEach((step, index) => (step.hidden = index !== at));
    $("tour-step").textContent = String(at + 1);
  }
  $("tour-next").addEventListener("click", () => tour.next());
  $("tour-end").addEventListener("click", () => tour.end());
  panel.hidden = false;
  show();
  return tour;
}
