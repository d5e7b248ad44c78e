// The controls of how a photo is looked at: buttons that level, invert, mirror and turn it, two sliders, and whether each new
// photo starts as it is. The last is the person's, so it is sent to the server and holds wherever they sign in.

const NAMES = ["brightness", "contrast"];

/** Ties the form to a viewer, and returns what says whether a new photo starts as it is. `reset()` brings all back. */
export function followBrightness(form, { brightness, orientation }, { reset }) {
  const [level, invert, mirror, turn] = ["level", "invert", "mirror", "turn"].map((name) => form.querySelector(`[data-${name}]`));
  const sliders = NAMES.map((name) => form.querySelector(`[data-of="${name}"]`));
  const startsPlain = form.elements.reset;
  level.addEventListener("click", () => brightness.level());
  invert.addEventListener("click", () => brightness.invert());
  mirror.addEventListener("click", () => orientation.mirror());
  turn.addEventListener("click", () => orientation.turn());
  form.querySelector("[data-as-it-is]").addEventListener("click", reset);
  for (const slider of sliders) {
    slider.addEventListener("input", () => brightness.set({ [slider.dataset.of]: Number(slider.value) }));
  }
  const show = () => {
    level.setAttribute("aria-pressed", String(brightness.levelled));
    invert.setAttribute("aria-pressed", String(brightness.inverted));
    mirror.setAttribute("aria-pressed", String(orientation.mirrored));
    for (const slider of sliders) slider.value = brightness[slider.dataset.of];
  };
  for (const each of [brightness, orientation]) each.addEventListener("change", show);
  show();
  form.addEventListener("submit", (event) => event.preventDefault());
  startsPlain.addEventListener("change", () => remember(form));
  return () => startsPlain.checked;
}

function remember(form) {
  const headers = { Accept: "application/json" };
  // Where it cannot be kept it holds on this page, and is asked again on the next: nothing is lost by that.
  fetch(form.action, { method: "POST", body: new FormData(form), headers, keepalive: true }).catch(() => {});
}
