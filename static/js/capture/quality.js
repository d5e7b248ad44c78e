// What a photo is like, measured as the server measures it, so that both say the same: the mean of luma, and the variance of
// its Laplacian (four neighbours; Pech-Pacheco et al. 2000), of the photo as it is shown on a screen.

const LOBES = 3; // of Lanczos' window, as the server's

/** Luma of ITU-R BT.601 in whole numbers. `pixels`: RGBA. */
function lumaOf(pixels) {
  const luma = new Uint8Array(pixels.length / 4);
  for (let at = 0, from = 0; at < luma.length; at += 1, from += 4) {
    luma[at] = (pixels[from] * 19595 + pixels[from + 1] * 38470 + pixels[from + 2] * 7471 + 32768) >> 16;
  }
  return luma;
}

function lanczos(x) {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const p = Math.PI * x;
  return (LOBES * Math.sin(p) * Math.sin(p / LOBES)) / (p * p);
}

/** For each of `to` places: the first of the `from` values that it is made of, and their weights. */
function windows(from, to) {
  const scale = from / to;
  const reach = LOBES * Math.max(1, scale);
  return Array.from({ length: to }, (_, place) => {
    const middle = (place + 0.5) * scale;
    const first = Math.max(0, Math.round(middle - reach));
    const last = Math.min(from, Math.round(middle + reach));
    const weights = new Float32Array(last - first);
    for (let at = first; at < last; at += 1) weights[at - first] = lanczos((at + 0.5 - middle) / Math.max(1, scale));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** (height, width) to (toHeight, toWidth). */
function resized(luma, width, height, toWidth, toHeight) {
  // Stored in a Uint8ClampedArray values are rounded, and cut at 0 and 255. Rows are gone along as they lie in memory.
  const narrow = new Uint8ClampedArray(toWidth * height);
  const across = windows(width, toWidth);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < toWidth; x += 1) {
      const { first, weights } = across[x];
      let sum = 0;
      for (let at = 0, from = y * width + first; at < weights.length; at += 1) sum += weights[at] * luma[from + at];
      narrow[y * toWidth + x] = sum;
    }
  }
  const out = new Uint8ClampedArray(toWidth * toHeight);
  const line = new Float32Array(toWidth);
  windows(height, toHeight).forEach(({ first, weights }, y) => {
    line.fill(0);
    weights.forEach((weight, at) => {
      const from = (first + at) * toWidth;
      for (let x = 0; x < toWidth; x += 1) line[x] += weight * narrow[from + x];
    });
    out.set(line, y * toWidth);
  });
  return out;
}

function sharpnessOf(luma, width, height) {
  if (width < 3 || height < 3) return 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1, at = y * width + 1; x < width - 1; x += 1, at += 1) {
      const value = luma[at - width] + luma[at + width] + luma[at - 1] + luma[at + 1] - 4 * luma[at];
      sum += value;
      squares += value * value;
    }
  }
  const count = (width - 2) * (height - 2);
  return squares / count - (sum / count) ** 2;
}

/**
 * `canvas` holds the photo, upright, with all its pixels; `longest` is the longest side at which the server measures.
 * -> { width, height, brightness (0 to 255), sharpness }
 */
export function measure(canvas, longest) {
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height).data;
  const scale = Math.min(1, longest / Math.max(width, height));
  const [toWidth, toHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  let luma = lumaOf(pixels);
  if (scale < 1) luma = resized(luma, width, height, toWidth, toHeight);
  const brightness = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  return { width, height, brightness, sharpness: sharpnessOf(luma, toWidth, toHeight) };
}

/** Codes of what is wrong with a photo of this shot, as the server names them. `tilt`: degrees, null where unknown. */
export function faultsOf({ width, height, brightness, sharpness }, tilt, shot) {
  const faults = [];
  if (Math.min(width, height) < shot.min_side) faults.push("small");
  if (brightness < shot.min_brightness) faults.push("dark");
  if (brightness > shot.max_brightness) faults.push("bright");
  if (sharpness < shot.min_sharpness) faults.push("blurred");
  if (tilt !== null && shot.max_tilt !== null && Math.abs(tilt) > shot.max_tilt) faults.push("tilted");
  return faults;
}
