// The line over the photo that says how it is looked at: zoom, whether its own pixels are seen, brightness. The rest it
// leaves to those who know it.

import { $, say, texts } from "./page.js";

export function followLens({ lens, detail, brightness }) {
  const show = () => {
    const parts = [];
    if (lens.scale > 1) parts.push(say(texts.zoom, { n: Math.round(lens.scale * 100) }));
    if (detail.state === "whole") parts.push(texts.ownPixels);
    if (brightness.levelled) parts.push(texts.levelled);
    for (const name of ["brightness", "contrast"]) {
      if (brightness[name] !== 100) parts.push(say(texts[name], { n: brightness[name] }));
    }
    $("lens").hidden = !parts.length;
    $("lens").textContent = parts.join(" · ");
  };
  for (const each of [lens, detail, brightness]) each.addEventListener("change", show);
}
