// Two taps on a phone are one: whatever the first did, nobody has judged in so short a time what came in its place.

const SECOND_TAP_MS = 250;

/** Swallows the second of two taps (or clicks) on what `selector` names. A key that presses a button is no tap. */
export function oneTap(selector) {
  let last = -Infinity;
  document.addEventListener("click", (event) => {
    if (!event.detail || !event.target.closest?.(selector)) return;
    if (event.timeStamp - last < SECOND_TAP_MS) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      last = event.timeStamp;
    }
  }, { capture: true });
}
