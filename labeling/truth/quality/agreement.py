"""How far people agree with each other: counted now, and estimated by a worker."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from labeling.catalog.models import Project
from labeling.database.read_once import read_once
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.truth.estimates import Proportion
from labeling.truth.tallies import Unit, units

#: The job kind that computes alpha and Dawid-Skene with crowd-kit, in a worker.
ESTIMATES = "estimates"


@dataclass(frozen=True)
class BandAgreement:
    band: int | None
    n_items: int
    pairs: float
    unanimous: Proportion
    observed: float | None


@dataclass(frozen=True)
class Estimates:
    """The newest finished estimates of a worker, and the one under way."""

    latest: Job | None
    running: Job | None
    failed: Job | None

    @property
    def result(self) -> dict[str, Any]:
        return dict(self.latest.result) if self.latest and self.latest.result else {}


@read_once
def estimates(project: Project) -> Estimates:
    jobs = Job.objects.of_project(project.pk).filter(kind=ESTIMATES)
    newest = {each.state: each for each in jobs.order_by("state", "-created_at").distinct("state")}
    latest, failed = newest.get(JobState.SUCCEEDED), newest.get(JobState.FAILED)
    if latest and failed and failed.created_at < latest.created_at:
        failed = None
    return Estimates(
        latest=latest, running=newest.get(JobState.RUNNING) or newest.get(JobState.QUEUED), failed=failed
    )


def request_estimates(*, project: Project, by: User) -> Job:
    """Ask a worker for alpha and Dawid-Skene; one such job at a time."""
    return enqueue(kind=ESTIMATES, project_id=project.pk, requested_by=by, dedupe=f"{ESTIMATES}:{project.pk}")


def agreement(project: Project) -> dict[str, Any]:
    """How far blind answers agree.

    ``observed`` is the share of answer pairs that agree (None before any photo has two answers) and ``unanimous``
    the share of photos on which all agree, both counted now; ``alpha`` is Krippendorff's, from the newest
    estimates job (None before one ran, or where it is undefined), with its time in ``alpha_at``. ``bands`` holds
    the same by the band in which the photo was shown.
    """
    found = _agreed(project)
    bands = list(found.values())
    together = sum(each.pairs for each in bands)
    newest = estimates(project)
    return {
        "n_items": sum(each.photos for each in bands),
        "n_answers": sum(each.answers for each in bands),
        "observed": sum(each.agreeing for each in bands) / together if together else None,
        "unanimous": Proportion(sum(each.unanimous for each in bands), sum(each.photos for each in bands)),
        "bands": _by_band(found),
        "alpha": newest.result.get("alpha"),
        "alpha_at": newest.latest.finished_at if newest.latest else None,
    }


def agreement_by_band(project: Project) -> list[BandAgreement]:
    """The same of each band, without what a worker estimates."""
    return _by_band(_agreed(project))


def _agreed(project: Project) -> dict[int | None, _Agreed]:
    found: dict[int | None, _Agreed] = defaultdict(_Agreed)
    for unit in units(project):
        found[unit.band].add(unit)
    return found


def _by_band(found: dict[int | None, _Agreed]) -> list[BandAgreement]:
    return [
        BandAgreement(
            band=band,
            n_items=each.photos,
            pairs=float(each.pairs),
            unanimous=Proportion(each.unanimous, each.photos),
            observed=each.agreeing / each.pairs if each.pairs else None,
        )
        for band, each in sorted(found.items(), key=lambda pair: (pair[0] is None, pair[0] or 0))
    ]


@dataclass
class _Agreed:
    """Photos of a band with two blind answers or more in one round; ``pairs`` of answers to one of them."""

    photos: int = 0
    answers: int = 0
    agreeing: int = 0
    pairs: int = 0
    unanimous: int = 0

    def add(self, unit: Unit) -> None:
        self.photos += unit.n
        self.answers += unit.n * unit.answers
        self.agreeing += unit.n * sum(n * (n - 1) // 2 for n in unit.values.values())
        self.pairs += unit.n * (unit.answers * (unit.answers - 1) // 2)
        self.unanimous += unit.n * unit.alike
