"""A pool's photos as the network sees them, decoded once into a file: an epoch then costs no decoding."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.batches import next_batch
from inference.photo import DECODER_VERSION, DecodeError
from inference.photo.pixels import decode_pixels

Pixels = npt.NDArray[np.uint8]
_AT_ONCE = 64


def decoded_squares(
    folder: Path,
    backbone: Backbone,
    keys: Sequence[str],
    read: Callable[[str], bytes],
    *,
    threads: int,
    max_pixels: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Pixels, list[str]]:
    """(n, S, S, 3) memory-mapped from ``folder``, and the n keys that could be decoded, in order.

    What an earlier call with the same keys made is used again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told, data = folder / "squares.json", folder / "squares.bin"
    side = backbone.input_size
    digest = hashlib.sha256(
        json.dumps([DECODER_VERSION, backbone.preprocessing.spec(), list(keys)], sort_keys=True).encode()
    ).hexdigest()
    earlier = _kept_of(told, digest)
    if earlier is not None and data.is_file() and data.stat().st_size == len(earlier) * side * side * 3:
        return np.memmap(data, np.uint8, "r", shape=(len(earlier), side, side, 3)), earlier

    def square(content: bytes) -> Pixels | None:
        try:
            photo = decode_pixels(
                content,
                max_pixels=max_pixels,
                min_side=backbone.preprocessing.min_side,
                levels=backbone.preprocessing.levels,
            )
        except DecodeError:
            return None
        (pixels,) = backbone.preprocessing.with_tiles(0).pixels(photo)
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels

    kept = []
    told.unlink(missing_ok=True)
    with data.open("wb") as file, ThreadPoolExecutor(threads) as pool:
        done = 0
        # Read in the caller's thread: it may have a database connection, the pool's threads have none.
        source = ((key, read(key)) for key in keys)
        while part := next_batch(source, _AT_ONCE):
            contents = [content for _key, content in part]
            for (key, _content), pixels in zip(part, pool.map(square, contents), strict=True):
                if pixels is not None:
                    file.write(pixels.tobytes())
                    kept.append(key)
            done += len(part)
            if on_progress is not None:
                on_progress(done, len(keys))
        file.flush()
        os.fsync(file.fileno())
    if not kept:
        return np.empty((0, side, side, 3), np.uint8), kept
    # Whole or not at all: a half would stop every later run of the same training.
    hidden = folder / ".squares.json.new"
    hidden.write_text(json.dumps({"digest": digest, "keys": kept}))
    os.replace(hidden, told)
    return np.memmap(data, np.uint8, "r", shape=(len(kept), side, side, 3)), kept


def _kept_of(told: Path, digest: str) -> list[str] | None:
    """The keys that an earlier call kept of the same photos; ``None`` where there is nothing that can be read."""
    try:
        found = json.loads(told.read_text())
        return [str(key) for key in found["keys"]] if found["digest"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
