"""What do the embeddings and renditions of 10⁷ and 10⁹ photos cost in machines and hours?

``python -m benchmarks.mass [--quick] [--backbone NAME] [--source elpv|jpeg] [--photos N] [--rounds N] [--price MONEY]``

Measures this machine: each stage of embedding alone (read, decode, network, store), the whole as a worker does it, the whole
in a Ray cluster of this machine alone, and renditions in both ways. All take turns on the same photos, several rounds, and
the best round of each counts. Ray's rate is that between its first block and its last; what comes before is ``start_s``,
paid once a run. The table is arithmetic: so many machines like this one, each at Ray's rate, and what they draw together
from the store of photos, which has to bear it.

No database is asked; photos and vectors lie in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embed import Photo, decode_all, elpv_photos, in_lanes, jpeg_photos, seconds

SCALES = (10**7, 10**9)
MACHINES = (1, 10, 100, 1_000)
#: Of these the first is not counted: what comes before it is the start.
BLOCKS = 9


@contextmanager
def own_folder() -> Iterator[Path]:
    """Where Hilltop of this process and of those that it starts keeps all it has, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="hilltop-mass-") as folder:
        os.environ["HILLTOP_VAR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        os.environ.pop("HILLTOP_STORAGE", None)
        import django

        django.setup()
        yield Path(folder)


@contextmanager
def own_cluster(folder: Path) -> Iterator[float]:
    """A cluster of this machine; in how many seconds it was there."""
    from labeling.jobs import on_ray

    os.environ["RAY_TMPDIR"] = str(folder)  # sockets, whose names may not be long, and logs
    # As the plain worker is not nice to others either.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  (Ray names it so)
    began = time.monotonic()
    on_ray.connect()
    import ray

    yield time.monotonic() - began
    ray.shutdown()


class Embedded:
    """Photos to vectors on disk, in the two ways and stage by stage."""

    def __init__(self, backbone: str, photos: Sequence[Photo], folder: Path, threads: int) -> None:
        from labeling.learning.compute.stores import device, embedder_for, load_backbone

        self._photos = photos
        self._hashes = [sha256 for sha256, _data in photos]
        self._threads = threads
        self._backbone = load_backbone(backbone)
        self.device = device()
        self._embedder = embedder_for(backbone, self.device)
        self.dim = self._backbone.dim
        self._folder = folder

    def stages(self) -> dict[str, Callable[[], object]]:
        from inference.embed import cpu_forward
        from inference.shard_writer import ShardWriter
        from labeling.catalog import storage
        from labeling.learning.compute.stores import networks_folder

        vectors = np.random.default_rng(0).normal(size=(len(self._photos), self.dim))
        writer = ShardWriter(self._folder / "shards", self.dim)

        def read() -> None:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(storage.original_of, self._hashes))

        stages: dict[str, Callable[[], object]] = {
            "read": read,
            "decode": partial(decode_all, self._backbone, self._photos, self._threads),
            "store": lambda: writer.write(self._hashes, vectors, "float32"),
        }
        if self.device == "cpu":  # of a GPU, benchmarks.embed tells
            pixels = decode_all(self._backbone, self._photos, self._threads)
            forward = cpu_forward(self._backbone, networks_folder())
            views = self._backbone.preprocessing.views
            stages["network"] = lambda: in_lanes(forward, pixels, self._threads, views)
        return stages

    def plain(self) -> float:
        """Photos a second, by what a worker runs."""
        from labeling.learning.compute.embedding import Tally, embed_missing

        self._forget()
        tally = Tally()
        took = seconds(
            lambda: embed_missing(
                store=self._store(),
                embedder=self._embedder,
                hashes=self._hashes,
                tally=tally,
                report=lambda: None,
            )
        )
        assert tally.embedded == len(self._hashes)
        return len(self._hashes) / took

    def in_cluster(self) -> tuple[float, float]:
        """Photos a second, and seconds until the first block."""
        self._forget()
        given = {
            "backbone": self._backbone.name,
            "backbone_hash": self._backbone.content_hash,
            "dtype": "float32",
        }
        found = followed("labeling.learning.compute.on_ray.Embedding", given, self._hashes)
        assert not self._store().missing(self._hashes)
        return found

    def _forget(self) -> None:
        from labeling.store.folders import VECTORS

        shutil.rmtree(VECTORS.root / self._backbone.content_hash, ignore_errors=True)

    def _store(self) -> Any:
        from labeling.learning.compute.stores import store_of

        return store_of(self._backbone)


class Rendered:
    """Renditions made anew, in the two ways."""

    def __init__(self, hashes: Sequence[str], threads: int) -> None:
        self._hashes = hashes
        self._threads = threads

    def plain(self) -> float:
        from labeling.catalog.remaking import made_again

        self._forget()
        with ThreadPoolExecutor(self._threads) as pool:
            took = seconds(lambda: list(pool.map(made_again, self._hashes)))
        return len(self._hashes) / took

    def in_cluster(self) -> tuple[float, float]:
        self._forget()
        return followed("labeling.catalog.remaking_on_ray.Remaking", {}, self._hashes)

    def _forget(self) -> None:
        from django.core.files.storage import default_storage

        from labeling.catalog import storage

        for sha256 in self._hashes:
            for variant in storage.VARIANTS:
                default_storage.delete(storage.rendition_name(sha256, variant))


def followed(work: str, given: dict[str, Any], hashes: Sequence[str]) -> tuple[float, float]:
    """Photos a second from the first block to the last, and seconds until the first."""
    from labeling.jobs import on_ray

    began, first, counted = time.monotonic(), 0.0, 0
    for block in on_ray.outcomes(hashes, work, given, gpus=True):
        assert not any("trouble" in each or "reason" in each for each in block), block[0]
        counted += len(block) if first else 0
        first = first or time.monotonic()
    return counted / (time.monotonic() - first), first - began


def cost(rates: dict[str, float], mean_bytes: float, dim: int, price: float | None) -> list[dict[str, Any]]:
    """A line for each number of photos and machines: hours, machine-hours, what the store of photos has to bear, money."""
    lines: list[dict[str, Any]] = []
    for work, rate in rates.items():
        for photos in SCALES:
            for machines in MACHINES:
                hours = photos / rate / machines / 3600
                line = {
                    "work": work,
                    "photos": photos,
                    "machines": machines,
                    "photos_per_s": round(rate * machines, 1),
                    "hours": round(hours, 2),
                    "machine_hours": round(hours * machines),
                    "reads_mb_per_s": round(rate * machines * mean_bytes / 1e6, 1),
                    "vectors_tb": round(photos * dim * 4 / 1e12, 2) if work == "embed" else 0,
                }
                lines.append(line | ({} if price is None else {"price": round(hours * machines * price)}))
    return lines


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs it and prints its JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mass", description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--source", choices=("elpv", "jpeg"), default="elpv")
    parser.add_argument("--photos", type=int, default=2_592)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--price", type=float, help="of a machine like this one for an hour")
    parser.add_argument("--quick", action="store_true", help="288 photos, 1 round")
    chosen = parser.parse_args(arguments)
    count = min(chosen.photos, 288) if chosen.quick else chosen.photos
    rounds = 1 if chosen.quick else chosen.rounds
    photos = elpv_photos(count) if chosen.source == "elpv" else jpeg_photos(count)
    threads = len(os.sched_getaffinity(0))
    rates: dict[str, dict[str, list[float]]] = {"stages": {}, "plain": {}, "ray": {}}
    starts: list[float] = []
    with own_folder() as folder, own_cluster(folder) as there_in:
        from labeling.catalog import photos as looked_at
        from labeling.catalog import storage
        from labeling.jobs import on_ray

        on_ray.BLOCK = -(-len(photos) // BLOCKS)
        for sha256, data in photos:
            storage.keep(sha256, data, looked_at.render(data), at_once=False)
        hashes = [sha256 for sha256, _data in photos]
        embedded, rendered = Embedded(chosen.backbone, photos, folder, threads), Rendered(hashes, threads)
        stages = embedded.stages()
        for number in range(rounds):
            found: dict[tuple[str, str], float] = {}
            for name, work in stages.items():
                found["stages", name] = len(photos) / seconds(work)
            for name, each in (("embed", embedded), ("renditions", rendered)):
                found["plain", name] = each.plain()
                found["ray", name], start = each.in_cluster()
                starts.append(start)
            for (way, name), rate in found.items():
                rates[way].setdefault(name, []).append(rate)
                print(f"round {number + 1}, {way} {name}: {rate:.1f} photos/s", file=sys.stderr, flush=True)
    best = {way: {name: round(max(each), 1) for name, each in of.items()} for way, of in rates.items()}
    mean_bytes = sum(len(data) for _sha256, data in photos) / len(photos)
    result = {
        "benchmark": "mass",
        **best,
        "of_plain": {name: round(rate / best["plain"][name], 3) for name, rate in best["ray"].items()},
        "start_s": {"cluster": round(there_in, 1), "first_block": round(min(starts), 1)},
        "cost": cost(best["ray"], mean_bytes, embedded.dim, chosen.price),
        "n": len(photos),
        "rounds": rounds,
        "block": on_ray.BLOCK,
        "device": embedded.device,
        "threads": threads,
        "backbone": chosen.backbone,
        "dim": embedded.dim,
        "source": chosen.source,
        "bytes_a_photo": round(mean_bytes),
        "how": "photos a second on this machine, best of the rounds, all in turn; cost: machines like this one, each at "
        "ray's rate, as long as the store of photos bears reads_mb_per_s",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
