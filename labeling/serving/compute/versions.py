"""Model versions in the memory of the prediction service: loaded when first asked for, and replaced without a pause.

Who asks names the version: the champion, as the database had it a moment ago. Where that one is not loaded yet and another
of the project is, the other answers, and says so, until the new one is there: nobody waits for a promotion.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connections

from inference.backbones import Backbone
from inference.embed import Embedder
from inference.heads import Head
from inference.photo import DecodeError
from inference.scoring import score
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import device, load_backbone, networks_folder
from labeling.learning.models import ModelVersion, Part
from labeling.serving.compute.lanes import Outcome, Vector

logger = logging.getLogger(__name__)

#: On a GPU, where one pass costs about the same for so many.
GPU_PHOTOS = 32
#: Seconds after which a version that could not be loaded beside another one is tried again.
PAUSE_S = 10.0


class Outdated(Exception):
    """A backbone's weights, or the decoder of photos, are others than when the version was trained."""

    def __init__(self, backbone: str) -> None:
        super().__init__(
            f"{backbone} is not what the version was trained on any more. Train again, and promote the new version."
        )


class Backbones:
    """The backbones of a version, as an engine of the lanes: their vectors side by side."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Raises :class:`Outdated` where a backbone of today gives other vectors than the head was made for."""
        on, cores = device(), len(os.sched_getaffinity(0))
        found = [load_backbone(part.backbone) for part in parts]
        for part, backbone in zip(parts, found, strict=True):
            if part.backbone_hash != backbone.content_hash:
                raise Outdated(part.backbone)
        self._few = [self._embedder(backbone, on, 1) for backbone in found]
        wide = cores > 1 and on == "cpu"
        self._alone = [self._embedder(backbone, on, cores) for backbone in found] if wide else self._few
        self.step = GPU_PHOTOS if on != "cpu" else min(each.lane_photos for each in self._few)

    @staticmethod
    def _embedder(backbone: Backbone, on: str, network_threads: int) -> Embedder:
        return Embedder(
            backbone,
            device=on,
            batch_size=GPU_PHOTOS,
            cache_dir=networks_folder(),
            max_pixels=settings.INTAKE_MAX_PIXELS,
            network_threads=network_threads,
        )

    def embed(self, photos: Sequence[bytes], *, alone: bool) -> list[Outcome]:
        """(d,) float32 a photo, or why it has none."""
        keyed = [(str(at), photo) for at, photo in enumerate(photos)]
        parts: dict[str, list[Vector]] = {}
        failures: dict[str, DecodeError] = {}
        for embedder in self._alone if alone else self._few:
            batch = embedder.few(keyed)
            failures |= dict(batch.failures)
            for key, vector in zip(batch.keys, batch.vectors, strict=True):
                parts.setdefault(key, []).append(vector)
        return [failures.get(key) or np.concatenate(parts[key]) for key, _photo in keyed]


@dataclass(frozen=True)
class Loaded:
    """A version ready to answer. ``name``: of its project and its number, for the metrics."""

    pk: int
    name: tuple[str, str]
    classes: list[int]
    head: Head
    engine: Backbones

    def probabilities(self, vectors: Sequence[Vector]) -> npt.NDArray[np.float32]:
        """(n, d) to (n, k), by the arithmetic of the pool's scoring."""
        if not vectors:
            return np.empty((0, len(self.classes)), dtype=np.float32)
        return score(self.head, np.stack(vectors))


class Versions:
    """The ``most`` versions that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._loaded: OrderedDict[int, Loaded] = OrderedDict()
        self._loading: dict[int, Future[Loaded]] = {}
        #: Those that are being loaded while another one answers, and until when others are not tried again.
        self._beside: set[int] = set()
        self._failed: dict[int, float] = {}
        #: Project id -> the version that answered for it last.
        self._latest: dict[int, Loaded] = {}
        # Many heads stand on one backbone. It goes with the last of them.
        self._engines: WeakValueDictionary[tuple[str, ...], Backbones] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._loaded)

    def serving(self, project_id: int, pk: int) -> Loaded:
        """The version, or the one that answered for the project before, while this one is being loaded.

        Raises what :meth:`get` raises, where there is no other.
        """
        with self._lock:
            found, before = self._known(pk), self._latest.get(project_id)
        if found is None and before is not None and before.pk != pk:
            self._load_beside(project_id, pk)
            return before
        found = found or self.get(pk)
        with self._lock:
            self._latest[project_id] = found
        return found

    def get(self, pk: int) -> Loaded:
        """Load it if need be. Threads that ask at once wait for one of them.

        Raises :class:`ModelVersion.DoesNotExist`; :class:`~labeling.jobs.progress.JobError` where its files are gone or
        damaged; :class:`Outdated`; what ``backbones.load`` raises; :class:`~labeling.store.objects.StoreAway`; and what the
        database does.
        """
        with self._lock:
            if (found := self._known(pk)) is not None:
                return found
            under_way = self._loading.get(pk)
            mine = under_way or self._loading.setdefault(pk, Future())
        if under_way is not None:
            return under_way.result()
        try:
            loaded = self._load(pk)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(loaded)
            return loaded
        finally:
            with self._lock:
                del self._loading[pk]

    def _known(self, pk: int) -> Loaded | None:
        found = self._loaded.get(pk)
        if found is not None:
            self._loaded.move_to_end(pk)
        return found

    def _load_beside(self, project_id: int, pk: int) -> None:
        with self._lock:
            if pk in self._beside or time.monotonic() < self._failed.get(pk, 0.0):
                return
            self._beside.add(pk)
        threading.Thread(target=self._take_over, args=(project_id, pk), name="take-over", daemon=True).start()

    def _take_over(self, project_id: int, pk: int) -> None:
        try:
            loaded = self.get(pk)
        except Exception:
            logger.exception("a version that was promoted cannot be loaded, and the one before goes on")
            with self._lock:
                self._failed[pk] = time.monotonic() + PAUSE_S
        else:
            with self._lock:
                self._latest[project_id] = loaded
        finally:
            with self._lock:
                self._beside.discard(pk)
            connections.close_all()

    def _load(self, pk: int) -> Loaded:
        version = ModelVersion.objects.select_related("project").get(pk=pk)
        head = artifact.load(version)
        hashes = tuple(part.backbone_hash for part in version.parts)
        with self._lock:
            engine = self._engines.get(hashes)
        engine = engine or Backbones(version.parts)
        with self._lock:
            engine = self._engines.setdefault(hashes, engine)
        name = version.project.slug, str(version.number)
        loaded = Loaded(pk, name, list(version.classes), head, engine)
        self.keep(loaded)
        return loaded

    def keep(self, loaded: Loaded) -> None:
        """Beside those that were asked for last."""
        with self._lock:
            self._loaded[loaded.pk] = loaded
            while len(self._loaded) > self._most:
                gone, _loaded = self._loaded.popitem(last=False)
                self._latest = {project: each for project, each in self._latest.items() if each.pk != gone}
