"""From a pool of photos to its statistics, in a stream: one pass over a sample to find the modes, one over all to sum.

Runs on what ``inference.embed`` runs on (ONNX Runtime on CPU lanes, or a GPU), and can be stopped and gone on with: the
state is a few sums.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from inference.backbones import Backbone
from inference.backbones.views import FLIPS
from inference.batches import EmbeddedBatch, Photo
from inference.domain.modes import Modes, find_modes
from inference.domain.network import map_shapes, maps_backbone, mirrored
from inference.domain.statistics import DomainStatistics, Shape, StreamedSums, scales
from inference.embed import DEFAULT_MAX_PIXELS, Embedder
from inference.on_disk import system_errors

__all__ = ["LEAST_PHOTOS", "MOST_PHOTOS", "TooFewPhotos", "fit"]

Floats = npt.NDArray[np.float32]
#: Called with (photos done, photos in all) after each batch; may raise to stop.
OnProgress = Callable[[int, int], None]

#: Fewer photos say too little about what is usual at a place.
LEAST_PHOTOS = 32
#: More photos do not move a mean any more.
MOST_PHOTOS = 2_000
#: Photos that the modes are found on.
MODE_PHOTOS = 600
_BATCH = 32
_SAVE_EVERY = 256


class Maps(Protocol):
    """Photos' maps, as ``inference.domain.network.maps_backbone`` puts them into vectors."""

    def embed(self, photos: Iterable[Photo]) -> Iterator[EmbeddedBatch]: ...


class TooFewPhotos(ValueError):
    """Statistics need more photos that can be decoded."""


@dataclass
class _State:
    """All that has to be known to go on: ``done`` photos of each pass, in the order of the sample."""

    digest: str
    shapes: tuple[Shape, ...]
    done_modes: int = 0
    done_sums: int = 0
    pooled: list[Floats] = field(default_factory=list)
    modes: Modes | None = None
    sums: StreamedSums | None = None


def fit(
    backbone: Backbone,
    keys: Sequence[str],
    read: Callable[[str], bytes],
    *,
    modes: int | Literal["auto"] = "auto",
    flips: str = "",
    seed: int = 0,
    device: str = "cpu",
    threads: int | None = None,
    cache_dir: Path | None = None,
    max_photos: int = MOST_PHOTOS,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    checkpoint: Path | None = None,
    on_progress: OnProgress | None = None,
    maps_of: Callable[[list[int]], Maps] | None = None,
) -> DomainStatistics:
    """The statistics of a pool under ``backbone``.

    Args:
        backbone: with the feature ``stages`` or a transformer's blocks alone, see ``map_shapes``.
        keys: names of the photos, in any order; the same keys and seed give the same statistics.
        read: a key's file bytes. Photos that cannot be decoded are passed over.
        modes: number of appearances, or "auto" for what the photos speak for.
        flips: "" or a name of ``inference.backbones.views.FLIPS``: mirror images are as usual as the photos. Every photo
            is counted once, in a view drawn at random.
        max_photos: a random sample of so many is used.
        maps_of: by the axes that are mirrored; where maps are kept, so that several fits need not make them again.
        checkpoint: a file that the state is kept in now and then, and gone on from; removed at the end.

    Raises:
        NoMaps: a backbone without maps by place.
        TooFewPhotos: fewer than ``LEAST_PHOTOS`` can be used, or than 2 in a mode.
    """
    if flips and flips not in FLIPS:
        raise ValueError(f"flips is one of {', '.join(FLIPS)}, or empty; got {flips!r}.")
    shapes = map_shapes(backbone)
    rng = np.random.default_rng([seed, 11])
    ordered = sorted(set(keys))
    sample = [ordered[i] for i in rng.permutation(len(ordered))[:max_photos].tolist()]
    if len(sample) < LEAST_PHOTOS:
        raise TooFewPhotos(f"{len(sample)} photos are too few: statistics need at least {LEAST_PHOTOS}.")
    views = mirrored(flips)
    digest = _digest(backbone, sample, modes, flips, seed)

    def embedder(axes: list[int]) -> Embedder:
        return Embedder(
            maps_backbone(backbone, tuple(axes)),
            device=device,
            batch_size=_BATCH,
            threads=threads,
            cache_dir=cache_dir,
            max_pixels=max_pixels,
        )

    passes = _Passes(
        sample=sample,
        for_modes=0 if modes == 1 else min(MODE_PHOTOS, len(sample)),
        views=views,
        view=rng.integers(len(views), size=len(sample)),
        read=read,
        embedder=maps_of or embedder,
        state=_restored(checkpoint, digest) or _State(digest, shapes),
        checkpoint=checkpoint,
        on_progress=on_progress,
    )
    passes.pool()
    found = passes.find_modes(modes, seed)
    sums = passes.sum_up(found)
    if sums.count.sum() < LEAST_PHOTOS or sums.count.min() < 2:
        raise TooFewPhotos(
            f"Only {int(sums.count.sum())} photos can be used, {int(sums.count.min())} in the smallest mode."
        )
    mean, deviation = sums.mean_and_deviation()
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return DomainStatistics(
        base_hash=backbone.content_hash,
        flips=flips,
        shapes=shapes,
        mean=mean.astype(np.float32),
        scale=scales(deviation, shapes).astype(np.float32),
        modes=found,
        counts=tuple(sums.count.tolist()),
    )


@dataclass
class _Passes:
    """The two passes over the sample, each of which goes on from where ``state`` is.

    Attributes:
        for_modes: photos of the sample that the modes are found on, the first ones.
        view: (len(sample),) the view that each photo is counted in, an index into ``views``.
        embedder: makes one for a view, by the axes that it mirrors.
    """

    sample: list[str]
    for_modes: int
    views: list[list[int]]
    view: npt.NDArray[np.int64]
    read: Callable[[str], bytes]
    embedder: Callable[[list[int]], Maps]
    state: _State
    checkpoint: Path | None
    on_progress: OnProgress | None
    _embedders: dict[int, Maps] = field(default_factory=dict)

    def pool(self) -> None:
        """The mean features of the photos that the modes are found on."""
        state = self.state
        while state.done_modes < self.for_modes:
            part = self.sample[state.done_modes : min(state.done_modes + _SAVE_EVERY, self.for_modes)]
            ahead = 0
            for batch in self._embed(0, part):
                state.pooled.append(_pooled(batch.vectors, state.shapes))
                ahead += len(batch.keys) + len(batch.failures)
                self._tell(ahead)
            state.done_modes += len(part)
            self._keep()

    def find_modes(self, wanted: int | Literal["auto"], seed: int) -> Modes:
        state = self.state
        if state.modes is None:
            channels = sum(shape[0] for shape in state.shapes)
            pooled = np.concatenate(state.pooled) if state.pooled else np.zeros((0, channels), np.float32)
            if self.for_modes and len(pooled) < LEAST_PHOTOS:
                raise TooFewPhotos(f"Only {len(pooled)} photos can be used; {LEAST_PHOTOS} are needed.")
            state.modes = (
                find_modes(pooled, wanted=wanted, seed=seed)
                if self.for_modes
                else find_modes(pooled, wanted=1)
            )
            state.pooled = []
            state.sums = StreamedSums(state.modes.count, sum(int(np.prod(shape)) for shape in state.shapes))
        return state.modes

    def sum_up(self, modes: Modes) -> StreamedSums:
        """The maps of the whole sample, each photo in its view, summed by mode."""
        state = self.state
        assert state.sums is not None
        while state.done_sums < len(self.sample):
            stop, ahead = state.done_sums + _SAVE_EVERY, 0
            for each in range(len(self.views)):
                which = np.flatnonzero(self.view[state.done_sums : stop] == each) + state.done_sums
                if not len(which):
                    continue
                for batch in self._embed(each, [self.sample[i] for i in which.tolist()]):
                    state.sums.add(batch.vectors, modes.of(_pooled(batch.vectors, state.shapes)))
                    ahead += len(batch.keys) + len(batch.failures)
                    self._tell(ahead)
            state.done_sums = min(stop, len(self.sample))
            self._keep()
        return state.sums

    def _embed(self, view: int, keys: Sequence[str]) -> Iterator[EmbeddedBatch]:
        if view not in self._embedders:
            self._embedders[view] = self.embedder(self.views[view])
        return self._embedders[view].embed((key, self.read(key)) for key in keys)

    def _tell(self, ahead: int) -> None:
        """``ahead``: photos done since the state was last whole. Whoever listens may stop us here."""
        if self.on_progress is not None:
            done = self.state.done_modes + self.state.done_sums + ahead
            self.on_progress(done, self.for_modes + len(self.sample))

    def _keep(self) -> None:
        if self.checkpoint is not None:
            _save(self.checkpoint, self.state)
        self._tell(0)


def _pooled(maps: Floats, shapes: tuple[Shape, ...]) -> Floats:
    """(n, values) to (n, channels): the mean over space of every channel of every stage."""
    parts, start = [], 0
    for channels, height, width in shapes:
        stop = start + channels * height * width
        parts.append(maps[:, start:stop].reshape(len(maps), channels, height * width).mean(axis=2))
        start = stop
    return np.concatenate(parts, axis=1)


def _digest(backbone: Backbone, sample: Sequence[str], *settings: Any) -> str:
    told = json.dumps([backbone.content_hash, list(sample), *settings])
    return hashlib.sha256(told.encode()).hexdigest()


@system_errors()
def _save(path: Path, state: _State) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {}
    if state.pooled:
        state.pooled = [np.concatenate(state.pooled)]
        arrays["pooled"] = state.pooled[0]
    silhouettes: dict[int, float] = {}
    if state.modes is not None and state.sums is not None:
        arrays |= {"mode_weight": state.modes.weight, "mode_bias": state.modes.bias}
        arrays |= {f"sums_{name}": array for name, array in state.sums.to_arrays().items()}
        silhouettes = state.modes.silhouettes
    # A file of this format holds at least one tensor.
    arrays["none"] = np.zeros(1, np.float32)
    metadata = {
        "digest": state.digest,
        "shapes": json.dumps(state.shapes),
        "done_modes": str(state.done_modes),
        "done_sums": str(state.done_sums),
        "silhouettes": json.dumps(silhouettes),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.new")
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, hidden, metadata=metadata
    )
    os.replace(hidden, path)


def _restored(path: Path | None, digest: str) -> _State | None:
    """The state in ``path``, if it is of the same fit and readable."""
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata()
            if told["digest"] != digest:
                return None
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception:  # cut short by a crash: the fit begins anew
        return None
    state = _State(
        digest,
        tuple(tuple(shape) for shape in json.loads(told["shapes"])),
        int(told["done_modes"]),
        int(told["done_sums"]),
    )
    if "pooled" in arrays:
        state.pooled = [arrays["pooled"]]
    if "mode_weight" in arrays:
        silhouettes = {int(count): value for count, value in json.loads(told["silhouettes"]).items()}
        state.modes = Modes(arrays["mode_weight"], arrays["mode_bias"], silhouettes)
        state.sums = StreamedSums.from_arrays(
            {name.removeprefix("sums_"): array for name, array in arrays.items() if name.startswith("sums_")}
        )
    return state
