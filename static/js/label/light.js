// The light panel's sliders, and the line over the photo that says how it is looked at. What zoom and light do, the lens
// knows.

import { $, say, texts } from "../screen/page.js";

export function followLens(lens) {
  for (const name of ["brightness", "contrast"]) {
    $(name).addEventListener("input", (event) => lens.light({ [name]: Number(event.target.value) }));
  }
  lens.addEventListener("change", () => {
    const parts = [];
    if (lens.scale > 1) parts.push(say(texts.zoom, { n: Math.round(lens.scale * 100) }));
    for (const name of ["brightness", "contrast"]) {
      if (lens[name] !== 100) parts.push(say(texts[name], { n: lens[name] }));
      $(name).value = lens[name];
    }
    $("lens").hidden = !parts.length;
    $("lens").textContent = parts.join(" · ");
  });
}
