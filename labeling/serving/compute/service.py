"""The prediction service: photos of one request in, a version's probabilities out. A WSGI application, for one process.

``POST /predict?project=&version=&shadow=`` with a body of ``labeling.serving.frames`` answers
``{"version", "photos": [{"probabilities"} or {"error"}]}``. Only web processes of this machine reach it,
through a socket that is a file; they know who may ask, and what an answer means.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import torch
from django.conf import settings
from django.db import DatabaseError
from psycopg_pool import PoolTimeout

from inference.backbones.base import UnknownBackbone, WeightsError
from inference.photo import DecodeError
from labeling.jobs.progress import JobError
from labeling.learning.models import ModelVersion
from labeling.serving.compute import metrics
from labeling.serving.compute.lanes import Busy, Lanes, Outcome, Vector
from labeling.serving.compute.shadowing import Shadows
from labeling.serving.compute.versions import Outdated, Versions
from labeling.serving.frames import photos_in
from labeling.store.objects import StoreAway

logger = logging.getLogger(__name__)

#: Photos that wait for a lane, of all requests together, and bytes of all bodies that are here.
MOST_WAITING, MOST_BYTES = 512, 1 << 30
#: Seconds that a request may take; the web process waits a little longer.
PATIENCE_S = 25.0

Start = Callable[[str, list[tuple[str, str]]], Any]


class _Room:
    """Bytes of bodies that are here at a time."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        with self._lock:
            if size > self._left:
                raise Busy
            self._left -= size
        try:
            yield
        finally:
            with self._lock:
                self._left += size


class Service:
    def __init__(self) -> None:
        lanes = 1 if torch.cuda.is_available() else len(os.sched_getaffinity(0))
        self._lanes = Lanes(lanes, most=MOST_WAITING)
        self._versions = Versions(settings.PREDICT_VERSIONS)
        self._shadows = Shadows(self._versions, self._lanes)
        self._room = _Room(MOST_BYTES)
        metrics.WAITING.set_function(lambda: self._lanes.waiting)
        metrics.LOADED.set_function(lambda: len(self._versions))

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "POST", "/predict":
                status, told = self._answer(environ)
            case _:
                status, told = "404 Not Found", {"code": "not_found"}
        body = json.dumps(told).encode()
        start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What cannot be answered ever (409) names what it is about; what may be in a moment is a 503."""
        try:
            size = int(environ.get("CONTENT_LENGTH") or 0)
            asked = {name: int(values[0]) for name, values in parse_qs(environ["QUERY_STRING"]).items()}
            with self._room.of(size):
                photos = photos_in(environ["wsgi.input"].read(size))
                told = self._predict(photos, asked["project"], asked["version"], asked.get("shadow"))
            return "200 OK", told
        except (Busy, TimeoutError, DatabaseError, PoolTimeout, StoreAway) as error:
            is_busy = isinstance(error, Busy | TimeoutError)
            code, status, why = "busy" if is_busy else "away", "503 Service Unavailable", ""
        except (JobError, Outdated, UnknownBackbone, WeightsError, ModelVersion.DoesNotExist) as error:
            code, status, why = "damaged", "409 Conflict", str(error)
        except Exception:
            logger.exception("the prediction service failed at a request")
            code, status, why = "failed", "500 Internal Server Error", ""
        metrics.REFUSED.labels(code).inc()
        return status, {"code": code, "why": why}

    def _predict(
        self, photos: Sequence[bytes], project: int, version: int, shadow: int | None
    ) -> dict[str, Any]:
        began = time.monotonic()
        loaded = self._versions.serving(project, version)
        waiting = self._lanes.submit(loaded.engine, photos)
        outcomes = _results(waiting, began + PATIENCE_S)
        vectors = [each for each in outcomes if isinstance(each, np.ndarray)]
        rows = loaded.probabilities(vectors)
        if shadow is not None and shadow != loaded.pk and vectors:
            read = [
                photo for photo, each in zip(photos, outcomes, strict=True) if isinstance(each, np.ndarray)
            ]
            self._shadows.offer(shadow, loaded, rows, read, vectors)
        metrics.REQUESTS.labels(*loaded.name).inc()
        metrics.PHOTOS.labels(*loaded.name, "scored").inc(len(vectors))
        metrics.PHOTOS.labels(*loaded.name, "refused").inc(len(outcomes) - len(vectors))
        metrics.SECONDS.labels(*loaded.name).observe(time.monotonic() - began)
        scored = iter(rows.tolist())
        return {
            "version": loaded.pk,
            "photos": [
                {"probabilities": next(scored)} if isinstance(each, np.ndarray) else {"error": each}
                for each in outcomes
            ],
        }


def _results(waiting: Sequence[Future[Outcome]], until: float) -> list[Vector | str]:
    """The vectors (d,), or codes of why there are none. Raises :class:`TimeoutError`; what has not begun is left out."""
    try:
        return [_result(each, until) for each in waiting]
    except TimeoutError:
        for each in waiting:
            each.cancel()
        raise


def _result(each: Future[Outcome], until: float) -> Vector | str:
    error = each.exception(max(0.0, until - time.monotonic()))
    if error is not None:
        logger.error("a photo made its embedding fail", exc_info=error)
        return "failed"
    outcome = each.result()
    return outcome.code if isinstance(outcome, DecodeError) else outcome
