"""How much memory a photo takes while it is decoded, and a process: measured as the kernel counts it, in bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the kernel does not tell peaks"
)

#: In a process of its own, as the peak of this one is another test's.
_MEASURE = """
import ctypes, gc, io, json, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from PIL import Image
from benchmarks.photo_files import encoded, png, tiff
from inference.photo.header import read_header
from inference.photo.pixels import decode_pixels, memory_needed
from inference.photo.room import room

def now(line):
    return 1024 * int(next(l for l in open("/proc/self/status") if l.startswith(line)).split()[1])

def peak(do):
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    open("/proc/self/clear_refs", "w").write("5")
    before = now("VmRSS")
    do()
    return now("VmHWM") - before
"""
_EACH = """
side = 2000
plain = lambda mode: Image.new(mode, (side, side))
files = {
    "PNG, 16 bits, see-through": lambda: png(np.zeros((side, side, 4), np.uint16)),
    "PNG, palette": lambda: encoded(plain("P"), "PNG", transparency=0),
    "TIFF, floats": lambda: tiff(np.ones((side, side), np.float32)),
    "TIFF, turned": lambda: encoded(plain("RGB"), "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
    "WEBP, see-through": lambda: encoded(plain("RGBA"), "WEBP"),
    "JPEG, progressive": lambda: encoded(plain("CMYK"), "JPEG", progressive=True, subsampling=0),
    "AVIF": lambda: encoded(plain("RGB"), "AVIF", speed=10),
}
told = {}
for name, make in files.items():
    data = make()
    for least in (224, side):
        need = memory_needed(read_header(data, max_pixels=10**9), least)
        took = peak(lambda: decode_pixels(data, max_pixels=10**9, min_side=least))
        told[f"{name}, {least}"] = [took, need, len(data), side * side]
print(json.dumps(told))
"""
_TOGETHER = """
data = encoded(Image.new("RGB", (2000, 2000)), "WEBP")
def all_at_once():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: decode_pixels(data, max_pixels=10**9, min_side=224).shape, range(8)))
print(json.dumps([peak(all_at_once), room.most]))
"""


def measured(code: str, **environment: str) -> object:
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE + code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(run.stdout)


def test_no_photo_takes_more_than_its_header_lets_expect_and_that_is_a_few_bytes_a_pixel() -> None:
    told = measured(_EACH)
    assert isinstance(told, dict) and len(told) == 14
    for name, (took, need, size, pixels) in told.items():
        assert took <= need, name
        assert need <= 32 * pixels + 2 * size + 2**26, name


def test_many_photos_at_once_take_no_more_than_the_room_of_the_process() -> None:
    # Eight of them would take eight times 64 MB.
    took, most = measured(_TOGETHER, HILLTOP_PHOTO_MEMORY=str(250 * 2**20))  # type: ignore[misc]
    assert took <= most == 250 * 2**20
