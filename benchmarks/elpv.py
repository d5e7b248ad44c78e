"""ELPV's photos under a domain backbone: statistics from the pool of one seed, never from the photos set aside.

``python -m benchmarks.elpv --seeds N [--flips flips] [--modes auto|K]`` fits and embeds, so that a run of
``benchmarks.learning_curve --domain`` finds everything in ``var/benchmarks``, and prints what was found as JSON. With
``--share-maps`` the network sees each photo once for all seeds (``benchmarks.shared_maps``), for more disk.

No label has a part in it: the pool is all photos but those that ``inference.replay.split`` sets aside under that seed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmarks import embedded, fused
from benchmarks.embedded import CACHE
from benchmarks.shared_maps import SharedMaps, shared_maps
from inference import backbones, domain
from inference.backbones import Backbone
from inference.replay import split
from inference.store import EmbeddingStore


@lru_cache(maxsize=1)
def photos() -> tuple[list[str], dict[str, bytes], npt.NDArray[np.float64]]:
    """Keys in the order of the data set's table, key -> file, and the experts' defect probabilities (n,)."""
    import elpv_dataset

    folder = Path(elpv_dataset.__file__).parent / "data"
    table = [line.split() for line in (folder / "labels.csv").read_text().splitlines() if line.strip()]
    contents = [(folder / row[0]).read_bytes() for row in table]
    keys = [hashlib.sha256(content).hexdigest() for content in contents]
    return keys, dict(zip(keys, contents, strict=True)), np.array([float(row[1]) for row in table])


def domain_backbone(
    seed: int,
    *,
    backbone: str = "efficientnet_lite0",
    flips: str = "",
    modes: int | Literal["auto"] = "auto",
    threads: int | None = None,
    device: str = "cpu",
    shared: SharedMaps | None = None,
) -> tuple[Backbone, domain.DomainStatistics]:
    """The backbone fitted to the pool of ``seed``; kept in ``var/benchmarks`` and taken from there the next time."""
    keys, files, probability = photos()
    base = backbones.load(backbone)
    test = split((probability > 0.5).astype(np.int64), seed)
    pool = sorted(set(keys) - {keys[i] for i in test.tolist()})
    told = json.dumps([base.content_hash, pool, flips, modes, seed, domain.VERSION])
    folder = CACHE / "domain" / f"elpv-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if not folder.exists():
        statistics = domain.fit(
            base,
            pool,
            files.__getitem__,
            modes=modes,
            flips=flips,
            seed=seed,
            device=device,
            threads=threads,
            cache_dir=CACHE / "onnx",
            maps_of=shared.of if shared else None,
            checkpoint=CACHE / "domain" / f"{folder.name}.state",
            on_progress=lambda done, total: print(
                f"domain statistics, seed {seed}: {done} of {total}", file=sys.stderr, flush=True
            ),
        )
        domain.save(folder, base=backbone, statistics=statistics, told={"method": "statistics", "seed": seed})
    manifest = domain.read_manifest(folder)
    return domain.load(folder), domain.load_statistics(folder, manifest)


def embed(backbone: Backbone, *, threads: int | None = None, device: str = "cpu") -> npt.NDArray[np.float32]:
    """(n, d) embeddings of all photos, in the order of ``photos``; kept in ``var/benchmarks``."""
    keys, files, _probability = photos()
    return embedded.embed(backbone, keys, files, threads=threads, device=device)


def embed_elpv(
    seed: int,
    *,
    backbone: str = "efficientnet_lite0",
    flips: str = "",
    modes: int | Literal["auto"] = "auto",
    threads: int | None = None,
    device: str = "cpu",
) -> npt.NDArray[np.float32]:
    """All photos' embeddings (n, d) under the backbone that was fitted to the pool of ``seed``."""
    fitted, _ = domain_backbone(
        seed, backbone=backbone, flips=flips, modes=modes, threads=threads, device=device
    )
    return embed(fitted, threads=threads, device=device)


def _keep(backbone: Backbone, statistics: domain.DomainStatistics, shared: SharedMaps) -> None:
    """The vectors that the backbone would give, where ``embed`` looks for them."""
    keys, _files, _probability = photos()
    store = EmbeddingStore(CACHE / "embeddings", backbone.content_hash, backbone.dim)
    if missing := store.missing(keys):
        store.append(missing, shared.vectors(statistics)[[shared.at[key] for key in missing]])
        store.compact()


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Fits and embeds for some seeds; JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.elpv", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--flips", choices=("", "flip", "flips"), default="")
    parser.add_argument("--modes", default="auto", help="auto, or a number")
    parser.add_argument(
        "--share-maps", action="store_true", help="for many seeds: 4 to 8 GB of disk meanwhile"
    )
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args(arguments)
    fused.offer_packaged_weights([chosen.backbone])
    modes: int | Literal["auto"] = "auto" if chosen.modes == "auto" else int(chosen.modes)
    fitted = []
    with ExitStack() as kept:
        shared = None
        if chosen.share_maps:
            keys, files, _ = photos()
            shared = kept.enter_context(
                shared_maps(
                    backbones.load(chosen.backbone),
                    keys,
                    files,
                    flips=chosen.flips,
                    folder=CACHE,
                    threads=chosen.threads,
                    device=chosen.device,
                )
            )
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            start = time.perf_counter()
            backbone, statistics = domain_backbone(
                seed,
                backbone=chosen.backbone,
                flips=chosen.flips,
                modes=modes,
                threads=chosen.threads,
                device=chosen.device,
                shared=shared,
            )
            between = time.perf_counter()
            if shared:
                _keep(backbone, statistics, shared)
            embed(backbone, threads=chosen.threads, device=chosen.device)
            fitted.append(
                {
                    "seed": seed,
                    "modes": list(statistics.counts),
                    "silhouettes": statistics.modes.silhouettes,
                    "fit_s": round(between - start, 1),
                    "embed_s": round(time.perf_counter() - between, 1),
                }
            )
    result = {
        "benchmark": "elpv",
        "backbone": chosen.backbone,
        "flips": chosen.flips,
        "device": chosen.device,
        "fitted": fitted,
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
