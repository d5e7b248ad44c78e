"""How well people agree: with each other, with gold, and with what was settled in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import Item, Project, Role
from labeling.catalog.selectors import class_names_by_key, class_resolution, current_guideline
from labeling.database.kept_counts import counts
from labeling.database.read_once import read_once
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.truth.estimates import Proportion
from labeling.truth.gold import gold_records
from labeling.truth.models import (
    AnswerKind,
    Origin,
    Pause,
)
from labeling.truth.tallies import Unit, truths, units

#: The job kind that computes alpha and Dawid-Skene with crowd-kit, in a worker.
ESTIMATES = "estimates"


# --- agreement --------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class EstimatedPhoto:
    item: Item
    estimate: str
    probability: float
    truth: str


@dataclass(frozen=True)
class Confusion:
    """One labeler's estimated behaviour: for each true value, how often each value is answered."""

    labeler: str
    accuracy: float
    answers: int
    rows: list[tuple[str, list[float]]]


@dataclass(frozen=True)
class DawidSkeneView:
    at: datetime | None
    n_photos: int
    n_disagreeing: int
    values: list[str]
    priors: list[tuple[str, float]]
    disagreeing: list[EstimatedPhoto]
    unsure: list[EstimatedPhoto]
    confusions: list[Confusion]


def dawid_skene(project: Project) -> DawidSkeneView | None:
    """The newest Dawid-Skene estimates, with names put to their ids; None before a worker made any."""
    newest = estimates(project)
    found = newest.result.get("dawid_skene")
    if not found or newest.latest is None:
        return None
    names = _value_names(project)

    def name(value: str) -> str:
        return names.get(value, value)

    photos = [*found["disagreeing"], *found["unsure"]]
    items = Item.objects.filter(project=project).select_related("image").in_bulk([p["item"] for p in photos])
    people = User.objects.in_bulk([row["labeler"] for row in found["labelers"]])

    def listed(rows: list[dict[str, Any]]) -> list[EstimatedPhoto]:
        return [
            EstimatedPhoto(
                item=items[row["item"]],
                estimate=name(row["estimate"]),
                probability=row["probability"],
                truth=name(row["truth"]) if row.get("truth") else "",
            )
            for row in rows
            if row["item"] in items
        ]

    return DawidSkeneView(
        at=newest.latest.finished_at,
        n_photos=found["n_photos"],
        n_disagreeing=found["n_disagreeing"],
        values=[name(v) for v in found["values"]],
        priors=[(name(v), p) for v, p in zip(found["values"], found["priors"], strict=True)],
        disagreeing=listed(found["disagreeing"]),
        unsure=listed(found["unsure"]),
        confusions=[
            Confusion(
                labeler=str(people.get(row["labeler"], row["labeler"])),
                accuracy=row["accuracy"],
                answers=row["answers"],
                rows=[(name(v), row["errors"][v]) for v in found["values"]],
            )
            for row in found["labelers"]
        ],
    )


def _value_names(project: Project) -> dict[str, str]:
    """Names for the values of answers: class keys, ``hold`` and ``unusable`` (prefixed, as a key may be one)."""
    named = class_names_by_key(current_guideline(project))
    return {f"class:{key}": name for key, name in named.items()} | {
        AnswerKind.HOLD.value: str(AnswerKind.HOLD.label),
        AnswerKind.UNUSABLE.value: str(AnswerKind.UNUSABLE.label),
    }


# --- people -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelerFigures:
    """One person's work in a project. ``seconds``: median time from photo shown to answer given, of the newest
    :data:`NEWEST`; ``None`` where nothing was shown, as of answers that were imported."""

    user: User
    role: str
    answers: int
    today: int
    seconds: float | None
    last_at: datetime | None
    holds: Proportion
    agreed: Proportion
    gold: Proportion
    pause: Pause | None

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label) if self.role else ""


def labeler_figures(project: Project) -> list[LabelerFigures]:
    """One row a person who answered or may answer here; paused ones first, then the busiest."""
    answered = _answered(project)
    roles = dict(project.memberships.exclude(role=Role.VIEWER).values_list("user_id", "role"))
    pauses = {
        pause.labeler_id: pause
        for pause in Pause.objects.filter(project=project, lifted_at__isnull=True).select_related("labeler")
    }
    agreed = _agreed_with_truth(project)
    lately = _lately(project, answered)
    people = User.objects.in_bulk({*answered, *roles, *pauses})
    gold = gold_records(project, people.keys())
    figures = [
        LabelerFigures(
            user=user,
            role=roles.get(pk, ""),
            answers=answered[pk].total(),
            today=lately[pk].today if pk in lately else 0,
            seconds=lately[pk].seconds if pk in lately else None,
            last_at=lately[pk].last_at if pk in lately else None,
            holds=Proportion(answered[pk][AnswerKind.HOLD], answered[pk].total()),
            agreed=agreed.get(pk, Proportion(0, 0)),
            gold=Proportion(sum(gold[pk]), len(gold[pk])),
            pause=pauses.get(pk),
        )
        for pk, user in people.items()
    ]
    return sorted(figures, key=lambda f: (f.pause is None, -f.answers, f.user.username))


def own_figures(project: Project, user: User) -> dict[str, Any]:
    """A labeler's own numbers, and nothing that tells about others, the model or gold."""
    mine = _answered(project, user)[user.pk]
    lately = _lately(project, [user.pk], since=_today() - timedelta(days=6)).get(user.pk)
    return {
        "answers": mine.total(),
        "today": lately.today if lately else 0,
        "week": lately.since if lately else 0,
        "holds": mine[AnswerKind.HOLD],
        "seconds": lately.seconds if lately else None,
    }


#: Whoever looks at how long somebody takes means now, and a median is of these.
NEWEST = 50
_LATELY = """
SELECT asked.id, newest.median, newest.last, since.today, since.n
FROM unnest(%(people)s::bigint[]) AS asked (id), LATERAL (
    SELECT count(*) FILTER (WHERE a.created_at >= %(today)s) AS today, count(*) AS n FROM truth_annotation a
    WHERE a.project_id = %(project)s AND a.labeler_id = asked.id AND a.created_at >= %(since)s
      AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)) since, LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY view_ms) FILTER (WHERE view_ms > 0) AS median, max(created_at) AS last
    FROM (SELECT a.view_ms, a.created_at FROM truth_annotation a
          WHERE a.project_id = %(project)s AND a.labeler_id = asked.id
            AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)
          ORDER BY a.id DESC LIMIT %(newest)s) each) newest
WHERE newest.last IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Lately:
    seconds: float | None
    last_at: datetime
    today: int
    since: int


def _lately(project: Project, people: Iterable[int], *, since: datetime | None = None) -> dict[int, _Lately]:
    """What is newest of those of ``people`` who have answered, and their answers ``since`` a day before today."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LATELY,
            {
                "project": project.pk,
                "people": list(people),
                "today": _today(),
                "since": since or _today(),
                "newest": NEWEST,
            },
        )
        return {
            labeler: _Lately(None if median is None else median / 1000, last, today, n)
            for labeler, median, last, today, n in cursor.fetchall()
        }


def _today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _answered(project: Project, labeler: User | None = None) -> dict[int, Counter[str]]:
    """Labeler -> kind -> standing answers; ``labeler``: of one person only."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for each in counts(project, "labelers", first=str(labeler.pk) if labeler else None):
        person, kind, _draw, stands = each.key
        if stands == "stands":
            found[int(person)][kind] += each.n
    return found


def _agreed_with_truth(project: Project) -> dict[int, Proportion]:
    """For each labeler: how many answers equal what the photo was finally settled as.

    Where one answer settled it, that answer would be compared with itself.
    """
    now = {str(old): str(new) for old, new in class_resolution(project).items() if new is not None}
    right, compared = Counter[int](), Counter[int]()
    for each in counts(project, "compared"):
        labeler, said, settled = each.key
        compared[int(labeler)] += each.n
        right[int(labeler)] += each.n * (now.get(said, said) == now.get(settled, settled))
    return {labeler: Proportion(right[labeler], n) for labeler, n in compared.items()}


def settled_count(project: Project) -> int:
    """Photos that people settled, in whatever way; gold was known beforehand and does not count."""
    return sum(each.n for each in truths(project) if each.origin != Origin.GOLD)
