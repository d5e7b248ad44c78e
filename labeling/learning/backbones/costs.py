"""What a backbone costs here: the pace at which this machine embedded with it, as jobs measured it. Nothing is assumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labeling.jobs.models import Job, JobState

#: Jobs that are looked through, the newest first, over all projects: a network is as fast in each.
NEWEST = 200
#: On fewer photos a pace is a guess; only where there is no other it is told.
ENOUGH = 16
_KINDS = ("embed", "measure")
#: Bytes of a number of a vector, as stored.
_NUMBER = 4


@dataclass(frozen=True)
class Pace:
    """``seconds``: a photo, on ``device`` ("cpu", "cuda"), over ``photos`` that a worker embedded. ``dim``: of a vector."""

    seconds: float
    photos: int
    device: str
    dim: int


@dataclass(frozen=True)
class Cost:
    """Of embedding ``photos``: ``seconds`` by the pace, ``disk`` in bytes; None where nobody has measured it here."""

    photos: int
    pace: Pace | None

    @property
    def seconds(self) -> float | None:
        return None if self.pace is None else self.photos * self.pace.seconds

    @property
    def disk(self) -> int | None:
        return None if self.pace is None else self.photos * self.pace.dim * _NUMBER


def paces() -> dict[str, Pace]:
    """Backbone -> its pace: the newest on enough photos, else the one on most."""
    found: dict[str, Pace] = {}
    for told in _measured():
        if not told.get("measured"):
            continue
        fresh = Pace(told["seconds"] / told["measured"], told["measured"], told["device"], told["dim"])
        known = found.get(told["name"])
        if known is None or known.photos < min(ENOUGH, fresh.photos):
            found[told["name"]] = fresh
    return found


def _measured() -> Iterable[dict[str, Any]]:
    jobs = Job.objects.filter(kind__in=_KINDS, state=JobState.SUCCEEDED, result__has_key="backbones")
    for told in jobs.order_by("-created_at").values_list("result__backbones", flat=True)[:NEWEST]:
        yield from told
