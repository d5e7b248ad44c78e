"""Renditions of an earlier version made anew in a Ray cluster: what the job does, for tens of millions of photos at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from labeling.catalog import remaking, renditions
from labeling.catalog.models import Image
from labeling.catalog.remaking import Remade
from labeling.jobs import on_ray
from labeling.jobs.on_ray import Outcome

LISTED = 10_000


class Remaking:
    """In each process of the cluster."""

    def __init__(self, *, threads: int | None) -> None:
        self._pool = ThreadPoolExecutor(threads or os.cpu_count(), thread_name_prefix="remake")

    def __call__(self, hashes: Sequence[str], /) -> list[Outcome]:
        """``made``: [width, height, fingerprint in hex]; ``reason`` and ``message`` of those that cannot be read."""
        return [
            _told(*each) for each in zip(hashes, self._pool.map(remaking.made_again, hashes), strict=True)
        ]


def _told(sha256: str, look: Remade | None) -> Outcome:
    if look is None:
        return {"sha256": sha256, "reason": "lost", "message": "The original is gone or cannot be read."}
    return {"sha256": sha256, "made": [look.width, look.height, look.fingerprint.hex()]}


def remake() -> tuple[int, Iterator[list[Outcome]]]:
    """How many photos have renditions of an earlier version, and what becomes of them, as it is iterated over.

    Raises :class:`~labeling.jobs.on_ray.ClusterTrouble`.
    """
    outdated = Image.objects.filter(rendered__lt=renditions.VERSION)

    def listed() -> Iterator[str]:
        last = 0
        while some := list(outdated.filter(pk__gt=last).order_by("pk").values_list("pk", "sha256")[:LISTED]):
            last = some[-1][0]
            yield from (sha256 for _pk, sha256 in some)

    def going() -> Iterator[list[Outcome]]:
        for told in on_ray.outcomes(listed(), f"{__name__}.Remaking", {}, gpus=False):
            _record([each for each in told if "trouble" not in each])
            yield told

    return outdated.count(), going()


def _record(told: Sequence[Outcome]) -> None:
    looks = {each["sha256"]: each.get("made") for each in told}
    images = list(Image.objects.filter(sha256__in=looks))  # without those that were erased meanwhile
    remaking.record(
        images,
        [
            Remade(made[0], made[1], bytes.fromhex(made[2])) if (made := looks[image.sha256]) else None
            for image in images
        ],
    )
