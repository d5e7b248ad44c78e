"""A project's jobs by what they are for: what runs or failed comes first, and what ended is short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.jobs.models import LIVE_STATES, Job, JobState
from labeling.learning.job_lines import JobLine, folded, lines

#: The newest of each kind that are read, so that hundreds of one do not hide the only one of another.
NEWEST = 40
#: Lines of what ended that stand open; the others are folded.
OPEN = 2


@dataclass(frozen=True, slots=True)
class Purpose:
    key: str
    name: str | Promise
    kinds: tuple[str, ...]


PURPOSES = (
    Purpose(
        "photos",
        gettext_lazy("Taking in photos"),
        (
            "intake",
            "import",
            "look_at_source",
            "embed",
            "embed_help",
            "derive",
            "remake_renditions",
            "space",
            "like",
            "words",
            "erase",
        ),
    ),
    Purpose("queue", gettext_lazy("Ordering the queue"), ("rank", "place", "rescore")),
    Purpose(
        "training",
        gettext_lazy("Training"),
        ("train", "register", "look_at_model", "import_model", "adapt", "measure", "lab", "bundle"),
    ),
    Purpose(
        "certificates",
        gettext_lazy("Certificates and decisions"),
        ("certify", "decide", "watch", "explain"),
    ),
    Purpose("monitors", gettext_lazy("Monitors"), ("monitor",)),
    Purpose("agreement", gettext_lazy("Agreement of people"), ("estimates", "lookalikes")),
    Purpose(
        "inspections",
        gettext_lazy("Inspections"),
        ("look_at_inspections", "recognise_shots", "ask_earlier_inspections"),
    ),
)
OTHER = Purpose("other", gettext_lazy("Other"), ())
_OF_KIND = {kind: purpose for purpose in PURPOSES for kind in purpose.kinds}


@dataclass(frozen=True)
class PurposeJobs:
    """``pressing``: what runs, waits, or failed without a success since. The rest: ``ended``, and ``earlier`` ones."""

    purpose: Purpose
    pressing: list[JobLine]
    ended: list[JobLine]
    earlier: list[JobLine]

    @property
    def running(self) -> int:
        return sum(line.job.is_live for line in self.pressing)

    @property
    def failed(self) -> int:
        return len(self.pressing) - self.running


def by_purpose(project: Project) -> list[PurposeJobs]:
    """What has something pressing first, then in the order in which photos go through a project."""
    newest = Window(RowNumber(), partition_by=F("kind"), order_by=F("created_at").desc())
    jobs = Job.objects.of_project(project.pk).select_related("requested_by").annotate(row=newest)
    found: dict[str, list[Job]] = {}
    for job in jobs.filter(row__lte=NEWEST).order_by("-created_at"):
        found.setdefault(_OF_KIND.get(job.kind, OTHER).key, []).append(job)
    groups = [_group(purpose, found[purpose.key]) for purpose in (*PURPOSES, OTHER) if purpose.key in found]
    return sorted(groups, key=lambda group: (not group.running, not group.failed))


def _group(purpose: Purpose, jobs: list[Job]) -> PurposeJobs:
    urgent = _pressing(jobs)
    rows = lines(jobs)
    pressing = folded(line for line in rows if line.job.pk in urgent)
    ended = folded(line for line in rows if line.job.pk not in urgent)
    pressing.sort(key=lambda line: _STATES.index(line.job.state))
    return PurposeJobs(purpose, pressing, ended[:OPEN], ended[OPEN:])


_STATES: list[str] = [JobState.RUNNING, JobState.QUEUED, JobState.FAILED]


def _pressing(jobs: Iterable[Job]) -> set[object]:
    """Ids of what has not ended, and of failures after which no job of the kind succeeded. ``jobs``: newest first."""
    done: set[str] = set()
    found: set[object] = set()
    for job in jobs:
        if job.state in LIVE_STATES or (job.state == JobState.FAILED and job.kind not in done):
            found.add(job.pk)
        elif job.state == JobState.SUCCEEDED:
            done.add(job.kind)
    return found
