"""Walk-rounds of made-up photos as whole calls, and senders that post them."""

from __future__ import annotations

import io
import json
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from benchmarks.wire import Wire

SHOTS = ("front", "rear", "left", "right", "interior-front", "interior-rear", "panel", "wheel")
BOUNDARY = "hilltop-benchmark"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
#: Of all photos: shares that are no photo, and too dark. Of all calls: share that is sent twice.
NO_PHOTO, DARK, TWICE = 0.01, 0.02, 0.05


def picture(dice: np.random.Generator, width: int, height: int, *, dark: bool = False) -> bytes:
    """A JPEG that looks like no other, and as sharp as a photo."""
    coarse = Pillow.fromarray(dice.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize((width, height))
    grain = dice.integers(-25, 25, (height, width, 1), dtype=np.int16)
    pixels = np.clip((np.asarray(coarse) + grain) // (12 if dark else 1), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=80)
    return file.getvalue()


def body(number: int, dice: np.random.Generator, size: tuple[int, int], told: Counter[str]) -> bytes:
    """A whole call, as a client sends it."""
    said = {
        "external_id": f"W-{number}",
        "asset": {"identifier": f"car {number % 997}", "site": f"site {number % 7}"},
        "event": "wash",
        "photographer": f"person {number % 23}",
    }
    parts: list[tuple[str, str, bytes]] = [("inspection", "", json.dumps(said).encode())]
    for shot in SHOTS:
        lot = dice.random()
        kind = "no_photo" if lot < NO_PHOTO else "dark" if lot < NO_PHOTO + DARK else "good"
        told[kind] += 1
        data = b"none" if kind == "no_photo" else picture(dice, *size, dark=kind == "dark")
        parts.append((shot, f"{shot}.jpg", data))
    lines = []
    for name, file, data in parts:
        named = f'; filename="{file}"' if file else ""
        lines += [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode(),
            data,
            b"\r\n",
        ]
    return b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


def written(folder: Path, *, inspections: int, size: tuple[int, int], seed: int) -> Counter[str]:
    """All calls as files, made on all cores, so that no picture is made while the server is measured."""
    write = partial(_write, folder, size, seed)
    with ProcessPoolExecutor() as pool:
        return sum(pool.map(write, range(inspections), chunksize=16), Counter())


def _write(folder: Path, size: tuple[int, int], seed: int, number: int) -> Counter[str]:
    told: Counter[str] = Counter()
    (folder / str(number)).write_bytes(body(number, np.random.default_rng([seed, number]), size, told))
    return told


def send(
    url: str, token: str, folder: Path, numbers: list[int], seed: int
) -> tuple[list[float], Counter[str]]:
    """Post these calls one after the other; seconds each took, and answers by status."""
    wire, dice = Wire(url, token, timeout=120), random.Random(seed)
    took, answers = [], Counter[str]()
    for number in numbers:
        payload = (folder / str(number)).read_bytes()
        for _time in range(2 if dice.random() < TWICE else 1):
            began = time.perf_counter()
            status, content = wire.ask("POST", "protocols/washes/inspections", payload, FORM)
            took.append(time.perf_counter() - began)
            answers[str(status)] += 1
            if status not in {200, 201}:
                raise SystemExit(f"inspection {number}: {status} {content[:500]!r}")
    wire.close()
    return took, answers
