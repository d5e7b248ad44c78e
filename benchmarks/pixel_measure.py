"""One tree's decoders on a folder of photos, for ``benchmarks.pixels``; prints one JSON object. Run by path, in that tree.

``python -P pixel_measure.py FOLDER now|before``. The folder has ``files.json``: name -> what it is for. "before" is the tree
of the two decoders, people's in ``labeling.catalog.photos`` and the model's in ``inference.decode``.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Decode = Callable[[bytes, int | None], Pixels]

LIMIT = 10**9
#: What a screen rendition and what a network of 224 pixels ask for.
SCREEN, NETWORK = 1600, 256


def ways(which: str) -> tuple[Decode, Decode]:
    """(people's, the model's): a file's bytes, and how large the pixels have to be (``None``: all), to (H, W, 1 or 3)."""
    if which == "now":
        from inference.photo.header import read_header
        from inference.photo.pixels import decode_pixels

        def now(data: bytes, least: int | None) -> Pixels:
            header = read_header(data, max_pixels=LIMIT)
            if least == SCREEN:
                least = max(1, min(header.width, header.height) * SCREEN // max(header.width, header.height))
            return decode_pixels(header, max_pixels=LIMIT, min_side=least)

        return now, now
    from django.conf import settings

    settings.configure(INTAKE_MAX_BYTES=LIMIT, INTAKE_MAX_PIXELS=LIMIT, INTAKE_MIN_SIDE=1, USE_I18N=False)
    import warnings

    from inference.decode import decode_pixels as model  # type: ignore[import-not-found]

    from labeling.catalog import photos

    warnings.simplefilter("ignore")
    people: Any = photos

    def before(data: bytes, least: int | None) -> Pixels:
        header = people._open(data)
        image = people._upright(header, people._exif(header).get(0x0112, 1))
        pixels = np.asarray(people._fit(image, least) if least else image)
        return pixels.reshape(*pixels.shape[:2], -1)

    return before, lambda data, least: model(data, max_pixels=LIMIT, min_side=least)


def kernel_says(line: str) -> int:
    return 1024 * int(
        next(
            each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(line)
        ).split()[1]
    )


def peak(do: Callable[[], object]) -> int:
    """Bytes that the process grew by at most."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = kernel_says("VmRSS")
    do()
    return kernel_says("VmHWM") - before


def main() -> None:
    folder, which = Path(sys.argv[1]), sys.argv[2]
    people, model = ways(which)
    expected = np.load(folder / "upright.npy").astype(int)
    files: dict[str, str] = json.loads((folder / "files.json").read_text())
    told: dict[str, Any] = {"wrongly_turned": 0, "refused": [], "largest_difference": 0, "differ": []}
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for name, purpose in files.items():
        data = (folder / name).read_bytes()
        if purpose in ("compare", "turned"):
            try:
                one, other = (each(data, None).astype(int) for each in (people, model))
            except Exception as error:
                told["refused"].append(f"{name}: {error}"[:120])
                continue
            if purpose == "turned":
                for each in (one, other):
                    upright = each.shape == expected.shape and np.abs(each - expected).mean() < 8
                    told["wrongly_turned"] += 0 if upright else 1
            difference = int(np.abs(one - other).max()) if one.shape[:2] == other.shape[:2] else 255
            told["differ"] += [name] if difference else []
            told["largest_difference"] = max(told["largest_difference"], difference)
            continue
        for whose, decode, least in (("people", people, SCREEN), ("model", model, NETWORK)):
            peaks[f"{name}, {whose}"] = peak(partial(decode, data, least)) / 1e6
            if purpose == "speed":
                began, rounds = time.perf_counter(), 0
                while rounds < 3 or time.perf_counter() - began < 1:
                    decode(data, least)
                    rounds += 1
                seconds[f"{name}, {whose}"] = (time.perf_counter() - began) / rounds
    told |= {
        "differ": len(told["differ"]),
        "refused": len(told["refused"]),
        "photos_per_s": round(len(seconds) / sum(seconds.values()), 2),
        "photos_per_s_each": {name: round(1 / each, 1) for name, each in seconds.items()},
        "peak_mb": round(max(peaks.values())),
        "peak_mb_each": {name: round(each) for name, each in peaks.items()},
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
