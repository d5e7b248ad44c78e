"""How soon is a shift of the photos noticed, and how often is one seen that is none? On ELPV, shifts injected.

``python -m benchmarks.drift [--quick] [--seeds 10] [--level .005]``

A head is trained on 200 photos; 500 others are the reference. Then photos come one by one, 300 as before and up to 600
after the shift: *brightness* (pixels × .85), *blur* (Gaussian, σ = 1 pixel), *module type* (from monocrystalline to
polycrystalline cells; training and reference are monocrystalline) and *class balance* (from 3 in 10 to 6 in 10 cells
defective). After every 50 photos the last 100 are compared with the reference and, when there are as many, the last 300,
each at half the level. Streams without a shift (900 photos) say how often an alarm is false. No photo comes twice in a
stream.

``arriving``: whether photos that arrive in a batch are told apart before they are decided (``benchmarks.arriving``).
``watch``: how many decisions are made from a fall to the alarm, by schedule of the audit (``benchmarks.watch_delay``).

``delay_images``: the median number of photos from the shift to the first alarm after it, over the streams that noticed it
(``detected``, a share). ``first``: what gave the alarm, in how many streams. ``false_alarm_rate``: share of looks without
a shift that gave an alarm; at most ``level`` is promised.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from benchmarks import arriving, watch_delay
from inference import backbones, drift
from inference.embed import Embedder
from inference.heads import LogisticHead
from inference.photo import quality
from inference.store import EmbeddingStore

CACHE = Path(__file__).resolve().parent.parent / "var" / "benchmarks"
#: Photos that are also had darker and blurred.
SHIFTED = 1000

SHIFTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "brightness": lambda photo: photo.point([round(0.85 * v) for v in range(256)]),
    "blur": lambda photo: photo.filter(ImageFilter.GaussianBlur(1.0)),
}


@dataclass(frozen=True)
class Cells:
    """Embeddings (n, d), quality (n, 3), defective (n,) and polycrystalline (n,) of photos."""

    X: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float64]
    defective: npt.NDArray[np.bool_]
    poly: npt.NDArray[np.bool_]


def load() -> tuple[Cells, dict[str, tuple[npt.NDArray[np.int64], Cells]]]:
    """ELPV as it is, and shift -> (rows that were shifted, these photos after it)."""
    import elpv_dataset

    folder = Path(elpv_dataset.__file__).parent / "data"
    table = [line.split() for line in (folder / "labels.csv").read_text().splitlines() if line.strip()]
    contents = [(folder / row[0]).read_bytes() for row in table]
    defective = np.array([float(row[1]) > 0.5 for row in table])
    poly = np.array([row[2] == "poly" for row in table])
    plain = Cells(*embedded(contents), defective, poly)
    rows = np.sort(np.random.default_rng(0).choice(len(table), SHIFTED, replace=False))
    shifted = {}
    for name, change in SHIFTS.items():
        files = [encode(change(Image.open(io.BytesIO(contents[i])).convert("L"))) for i in rows.tolist()]
        shifted[name] = (rows, Cells(*embedded(files), defective[rows], poly[rows]))
    return plain, shifted


def encode(photo: Image.Image) -> bytes:
    stream = io.BytesIO()
    photo.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def embedded(files: list[bytes]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Embeddings, kept in ``var/benchmarks``, and quality."""
    keys = [hashlib.sha256(content).hexdigest() for content in files]
    backbone = backbones.load("efficientnet_lite0")
    store = EmbeddingStore(CACHE / "embeddings", backbone.content_hash, backbone.dim)
    by_key = dict(zip(keys, files, strict=True))
    if missing := store.missing(by_key):
        print(f"embedding {len(missing)} photos ...", file=sys.stderr, flush=True)
        embedder = Embedder(backbone, cache_dir=CACHE / "onnx")
        for batch in embedder.embed((key, by_key[key]) for key in missing):
            store.append(batch.keys, batch.vectors)
        store.compact()
    measured = [
        quality.measure(np.asarray(Image.open(io.BytesIO(content)).convert("L"))) for content in files
    ]
    return store.rows(keys), np.array(measured)


@dataclass(frozen=True)
class Stream:
    """Photos in the order in which they come: training, reference, before and after the shift."""

    X: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float64]
    defective: npt.NDArray[np.bool_]


TRAINING, REFERENCE, BEFORE, AFTER = 200, 500, 300, 600
EVERY, WINDOWS = 50, (100, 300)


def stream(
    shift: str, seed: int, plain: Cells, shifted: dict[str, tuple[npt.NDArray[np.int64], Cells]]
) -> Stream:
    """One stream with its training and reference photos in front."""
    rng = np.random.default_rng(seed)
    first = TRAINING + REFERENCE + BEFORE
    order = rng.permutation(len(plain.X))
    if shift in shifted:
        rows, after = shifted[shift]
        late = rng.permutation(len(rows))[:AFTER]
        early = order[~np.isin(order, rows[late])][:first]
        return Stream(
            np.concatenate([plain.X[early], after.X[late]]),
            np.concatenate([plain.quality[early], after.quality[late]]),
            np.concatenate([plain.defective[early], after.defective[late]]),
        )
    if shift == "module type":
        order = np.concatenate([order[~plain.poly[order]][:first], order[plain.poly[order]][:AFTER]])
    elif shift == "class balance":
        rest = order[first:]
        defects, sound = rest[plain.defective[rest]], rest[~plain.defective[rest]]
        late = np.concatenate([defects[: int(0.6 * AFTER)], sound[: AFTER - int(0.6 * AFTER)]])
        order = np.concatenate([order[:first], rng.permutation(late)])
    else:
        order = order[: first + AFTER]
    return Stream(plain.X[order], plain.quality[order], plain.defective[order])


def watch(photos: Stream, level: float, seed: int) -> list[tuple[int, str | None]]:
    """Looks: (photos that came so far, what gave the alarm or None)."""
    head = LogisticHead(seed=seed).fit(photos.X[:TRAINING], photos.defective[:TRAINING].astype(np.int64))
    scores = head.predict_proba(photos.X)
    predicted = np.where(scores[:, 1] > 0.5, "defective", "functional")

    def known(rows: slice) -> drift.Photos:
        return drift.Photos(
            embeddings=photos.X[rows],
            scores=scores[rows],
            classes=predicted[rows].tolist(),
            quality={name: photos.quality[rows, i] for i, name in enumerate(quality.NAMES)},
        )

    begin = TRAINING + REFERENCE
    reference = known(slice(TRAINING, begin))
    looks = []
    for came in range(EVERY, len(photos.X) - begin + 1, EVERY):
        alarm = None
        for size in WINDOWS:
            if came < size or alarm is not None:
                continue
            report = drift.compare(
                reference,
                known(slice(begin + came - size, begin + came)),
                level=level / len(WINDOWS),
                seed=came,
            )
            if report.alarm:
                alarm = report.findings[0].drift.name
        looks.append((came, alarm))
    return looks


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs the streams and prints its JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--level", type=float, default=0.005, help="share of looks that may give a false alarm"
    )
    parser.add_argument("--quick", action="store_true", help="2 seeds")
    chosen = parser.parse_args(arguments)
    seeds = min(chosen.seeds, 2) if chosen.quick else chosen.seeds
    began = time.perf_counter()
    plain, shifted = load()
    result: dict[str, Any] = {}
    quiet: list[str | None] = []
    for shift in ("none", *SHIFTS, "module type", "class balance"):
        delays, first = [], Counter[str]()
        for seed in range(seeds):
            looks = watch(stream(shift, seed, plain, shifted), chosen.level, seed)
            # A look sees the shift from the first photo after it on.
            quiet += [alarm for came, alarm in looks if shift == "none" or came <= BEFORE]
            found = [(came - BEFORE, alarm) for came, alarm in looks if came > BEFORE and alarm is not None]
            if found:
                delays.append(found[0][0])
                first[str(found[0][1])] += 1
        print(f"{shift}: {delays} {dict(first)}", file=sys.stderr, flush=True)
        if shift != "none":
            result[shift] = {
                "delay_images": float(np.median(delays)) if delays else None,
                "detected": round(len(delays) / seeds, 3),
                "first": dict(first),
            }
    alarms = sum(alarm is not None for alarm in quiet)
    result |= {
        "benchmark": "drift",
        "arriving": arriving.rows(plain.X, plain.defective, plain.poly, 10 * seeds),
        "watch": watch_delay.rows(20 * seeds),
        "false_alarm_rate": round(alarms / len(quiet), 5),
        "false_alarms": alarms,
        "looks_without_shift": len(quiet),
        "level": chosen.level,
        "every": EVERY,
        "windows": WINDOWS,
        "n": len(plain.X),
        "seeds": seeds,
        "device": "cpu",
        "backbone": "efficientnet_lite0",
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
