"""How fast do photos become vectors on disk, and what holds it back?

``python -m benchmarks.embed [--quick] [--device cpu|cuda] [--backbone NAME] [--source elpv|jpeg] [--photos N]``

From encoded files to stored vectors with ``inference.embed``, beside its parts in the same run on the same photos:
the network alone on pixels that lie ready (on a CPU bare ONNX Runtime, the faster of one network over all cores and one a
core), PyTorch eager, and decoding alone. The parts and the whole take turns, several rounds of each, and the best round
of each counts, so that a moment in which the machine was busy with something else spoils none.

``--source elpv``: the 300 x 300 grey PNGs of the demo; ``jpeg``: 1440 x 1080 colour JPEGs made on the spot.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference import backbones
from inference.backbones import Backbone
from inference.embed import LANE_VIEWS, Embedder, Forward, cpu_forward
from inference.photo.pixels import decode_pixels
from inference.store import EmbeddingStore

CACHE = Path(__file__).resolve().parent.parent / "var" / "benchmarks"
LIMIT = 100_000_000

Pixels = npt.NDArray[np.uint8]
Photo = tuple[str, bytes]


def elpv_photos(count: int) -> list[Photo]:
    """The first ``count`` photos of solar cells, by name."""
    import elpv_dataset

    folder = Path(elpv_dataset.__file__).parent / "data" / "images"
    return [_keyed(path.read_bytes()) for path in sorted(folder.glob("*.png"))[:count]]


def jpeg_photos(count: int) -> list[Photo]:
    """``count`` different colour photos of 1440 x 1080, about as many bytes a pixel as a camera's.

    Soft shapes with the noise of a sensor: 48 of them, and each further one differs in its comment only.
    """
    made = [_made_jpeg(seed) for seed in range(min(count, 48))]
    photos = []
    for at in range(count):
        data = made[at % len(made)]
        comment = f"photo {at}".encode()
        marked = data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]
        photos.append(_keyed(marked))
    return photos


def _made_jpeg(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(30, 225, (27, 36, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize((1440, 1080), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = rng.normal(0, 5, (1080, 1440, 1)).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def _keyed(data: bytes) -> Photo:
    return hashlib.sha256(data).hexdigest(), data


def store_all(embedder: Embedder, photos: Sequence[Photo], folder: Path) -> None:
    """What a worker does: embed, and append to a store on disk, some hundreds at a time."""
    store = EmbeddingStore(folder, embedder.backbone.content_hash, embedder.backbone.dim)
    for start in range(0, len(photos), 256):
        batches = list(embedder.embed(photos[start : start + 256]))
        assert not any(batch.failures for batch in batches)
        store.append(
            [k for batch in batches for k in batch.keys], np.concatenate([b.vectors for b in batches])
        )


def in_lanes(forward: Forward, pixels: Pixels, threads: int, views: int) -> None:
    """The whole array through the network, a few photos at a time, one lane a thread."""
    step = max(1, LANE_VIEWS // views) * views
    with ThreadPoolExecutor(threads) as lanes:
        list(lanes.map(forward, [pixels[start : start + step] for start in range(0, len(pixels), step)]))


def in_batches(forward: Forward, pixels: Pixels, size: int) -> None:
    for start in range(0, len(pixels), size):
        forward(pixels[start : start + size])


def decode_all(backbone: Backbone, photos: Sequence[Photo], threads: int) -> Pixels:
    """Encoded files to the network's pixels, on all threads."""
    preprocessing = backbone.preprocessing

    def one(photo: Photo) -> Pixels:
        decoded = decode_pixels(photo[1], max_pixels=LIMIT, min_side=preprocessing.min_side)
        return preprocessing.pixels(decoded)

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(one, photos)))


def eager(backbone: Backbone, pixels: Pixels, device: str) -> None:
    """PyTorch as it comes: float32, normalised on the CPU, batches of 32."""
    import torch

    network = backbone.module().to(device)
    views = backbone.preprocessing.views
    colour = np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels
    with torch.inference_mode():
        for start in range(0, len(colour), 32 * views):
            batch = torch.from_numpy(backbone.preprocessing.normalised(colour[start : start + 32 * views]))
            if views > 1:
                batch = batch.reshape(-1, views, *batch.shape[1:])
            network(batch.to(device)).cpu()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs it and prints its JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed", description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument(
        "--weights", type=Path, help="a weights file or folder, for backbones without a package"
    )
    parser.add_argument("--source", choices=("elpv", "jpeg"), default="elpv")
    parser.add_argument("--photos", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch", type=int, help="photos in a batch; 32 on a CPU, 256 on a GPU")
    parser.add_argument("--quick", action="store_true", help="256 photos, 2 rounds")
    chosen = parser.parse_args(arguments)
    count = min(chosen.photos, 256) if chosen.quick else chosen.photos
    rounds = min(chosen.rounds, 2) if chosen.quick else chosen.rounds
    batch = chosen.batch or (32 if chosen.device == "cpu" else 256)

    import torch

    torch.set_num_threads(chosen.threads)
    backbone = backbones.load(chosen.backbone, weights=chosen.weights)
    views = backbone.preprocessing.views
    photos = elpv_photos(count) if chosen.source == "elpv" else jpeg_photos(count)
    count = len(photos)
    cache = CACHE / "onnx"
    embedder = Embedder(backbone, chosen.device, batch, chosen.threads, cache_dir=cache)
    pixels = decode_all(backbone, photos, chosen.threads)

    forward: dict[str, Callable[[], object]] = {}
    decode: Callable[[], object] = partial(decode_all, backbone, photos, chosen.threads)
    if chosen.device == "cpu":
        narrow, wide = (cpu_forward(backbone, cache, threads) for threads in (1, chosen.threads))
        forward = {
            "one network a core": lambda: in_lanes(narrow, pixels, chosen.threads, views),
            "one network over all cores": lambda: in_batches(wide, pixels, 32 * views),
        }
    else:
        from inference.gpu import decode_only, forward_only

        assert embedder.gpu is not None
        on_gpu = embedder.gpu
        forward = {"on the GPU": lambda: forward_only(on_gpu, count)}
        decode = partial(decode_only, on_gpu, photos)
    few = min(count, 64 if chosen.device == "cpu" else count)

    with tempfile.TemporaryDirectory() as folder:
        # Once for the caches; the store of a round is its own.
        store_all(embedder, photos[: 2 * batch], Path(folder) / "warm")
        times: dict[str, list[float]] = {}
        for number in range(rounds):
            turns: dict[str, Callable[[], object]] = {
                "whole": lambda: store_all(embedder, photos, Path(folder) / str(number)),
                "decode": decode,
                **forward,
                "eager": lambda: eager(backbone, pixels[: few * views], chosen.device),
            }
            for name, work in turns.items():
                times.setdefault(name, []).append(seconds(work))
                print(f"round {number + 1}, {name}: {times[name][-1]:.2f} s", file=sys.stderr, flush=True)
    best = {name: min(each) for name, each in times.items()}
    forwards = {name: round(count / best[name], 1) for name in forward}
    whole, alone = count / best["whole"], max(forwards.values())
    result = {
        "benchmark": "embed",
        "photos_per_s": round(whole, 1),
        "forward_only_per_s": alone,
        "eager_per_s": round(few / best["eager"], 1),
        "decode_only_per_s": round(count / best["decode"], 1),
        "of_forward_only": round(whole / alone, 3),
        "times_eager": round(whole * best["eager"] / few, 2),
        "forward_only": forwards,
        "n": count,
        "rounds": rounds,
        "device": _device(chosen.device),
        "threads": chosen.threads,
        "backbone": backbone.name,
        "dim": backbone.dim,
        "source": chosen.source,
        "how": "each part and the whole in turn, the best round of each; eager on "
        f"{few} photos; forward_only is the fastest of forward_only's entries",
    }
    print(json.dumps(result))
    return result


def _device(device: str) -> str:
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name(device)


if __name__ == "__main__":
    main()
