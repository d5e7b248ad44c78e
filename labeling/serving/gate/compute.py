"""A version as it would run elsewhere: its bundle is written, and scores photos from their files on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.bundle.model import Model
from inference.photo import DecodeError
from inference.scoring import score
from labeling.catalog import storage
from labeling.catalog.models import Item
from labeling.jobs.progress import JobError
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import vectors_of
from labeling.learning.models import ModelVersion, Score
from labeling.serving.bundles.compute import write_folder
from labeling.serving.gate.checks import Check, at_most
from labeling.serving.gate.limits import Limits

#: Photos before those that are timed: the first ones wait for memory and caches.
_WARM_UP = 3


def measured(version: ModelVersion, limits: Limits) -> Iterator[Check]:
    """Parity and latency; a version that cannot be taken out passes neither."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as place:
            write_folder(version, Path(place))
            apart, milliseconds = _scored(version, Model(Path(place)), int(limits.photos))
    except JobError as error:
        yield Check("parity", "parity", False, str(error), time.monotonic() - began)
        return
    seconds = time.monotonic() - began
    most = max(apart) if apart else None
    says = f"{most:.1e}" if most is not None else "unknown: no photo has a score"
    yield at_most("parity", "parity", most, limits.parity, f"{says} over {len(apart)} photos", seconds)
    p50, p99 = np.quantile(milliseconds, [0.5, 0.99]).tolist() if milliseconds else (None, None)
    says = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms" if milliseconds else "unknown: no photo was scored"
    yield at_most("latency", "latency_ms", p99, limits.latency_ms, says, sum(milliseconds) / 1000)


def _scored(version: ModelVersion, model: Model, photos: int) -> tuple[list[float], list[float]]:
    """By how much each photo's scores differ from those that are kept, and milliseconds from its file to its scores."""
    apart: list[float] = []
    milliseconds: list[float] = []
    for place, (item, kept) in enumerate(_kept(version, photos)):
        try:
            data = storage.original_of(item.image.sha256)
            began = time.perf_counter()
            found = model.scores(data)
        except (OSError, DecodeError):
            continue  # it is counted among those that the page of photos tells of
        if place >= _WARM_UP:
            milliseconds.append(1000 * (time.perf_counter() - began))
        apart.append(float(np.abs(found - kept).max()))
    return apart, milliseconds


def _kept(version: ModelVersion, photos: int) -> Iterator[tuple[Item, npt.NDArray[np.floating]]]:
    """The newest photos with the champion's stored scores; of another version, what its head says of their vectors."""
    stored = Score.objects.filter(model_version=version).select_related("item__image")
    found = list(stored.order_by("-item_id")[:photos])
    if found:
        yield from ((each.item, np.asarray(each.probabilities)) for each in found)
        return
    vectors = vectors_of(version)
    newest = Item.objects.filter(project=version.project_id).select_related("image").order_by("-id")[:photos]
    items = {each.image.sha256: each for each in newest}
    lacking = set(vectors.missing(list(items)))
    hashes = [each for each in items if each not in lacking]
    if hashes:
        said = score(artifact.load(version), vectors.rows(hashes))
        yield from zip((items[each] for each in hashes), said, strict=True)
