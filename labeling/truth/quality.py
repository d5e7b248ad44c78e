"""How well people agree: with each other, with gold, and with what was settled in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, FloatField, Max, Q
from django.utils import timezone

from labeling.catalog.models import Item, Project, Role
from labeling.catalog.selectors import class_names_by_key, class_resolution, current_guideline
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.truth.estimates import Proportion
from labeling.truth.gold import gold_records
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    GroundTruth,
    Origin,
    Pause,
)

#: The job kind that computes alpha and Dawid-Skene with crowd-kit, in a worker.
ESTIMATES = "estimates"


# --- agreement --------------------------------------------------------------------------------------------------

# One unit is a photo in one round. Answers are compared after merged classes are followed; a hold and an
# unusable are values of their own. ``pairs`` are pairs of answers to one unit. Photos that were offered to one person
# first get a second answer where the first did not agree with the machine: such pairs are no sample of how people agree.
_AGREEMENT_SQL = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
), counts AS (
    SELECT a.item_id, a.round,
           CASE WHEN a.kind = 'class' THEN coalesce(r.new_id, a.label_class_id)::text ELSE a.kind END AS value,
           count(*) AS n, bool_or(a.context @> '{"wanted": 1}') AS once,
           min(CASE WHEN jsonb_typeof(a.context -> 'band') = 'number'
                    THEN (a.context ->> 'band')::int END) AS band
    FROM truth_annotation a
    LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id
    LEFT JOIN resolution r ON r.old_id = a.label_class_id
    WHERE a.project_id = %(project)s AND undone.id IS NULL AND a.draw NOT IN ('gold', 'sweep')
    GROUP BY a.item_id, a.round, value
), units AS (
    SELECT item_id, round, min(band) AS band, sum(n) AS answers, sum(n * (n - 1)) / 2 AS agreeing,
           sum(n) * (sum(n) - 1) / 2 AS pairs
    FROM counts GROUP BY item_id, round HAVING sum(n) >= 2 AND NOT bool_or(once)
)
SELECT band, count(*), sum(answers), sum(agreeing), sum(pairs), count(*) FILTER (WHERE agreeing = pairs)
FROM units GROUP BY band ORDER BY band NULLS LAST
"""


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


def estimates(project: Project) -> Estimates:
    jobs = Job.objects.of_project(project.pk).filter(kind=ESTIMATES).order_by("-created_at")
    latest = jobs.filter(state=JobState.SUCCEEDED).first()
    failed = jobs.filter(state=JobState.FAILED).first()
    if latest and failed and failed.created_at < latest.created_at:
        failed = None
    return Estimates(latest=latest, running=jobs.live().first(), failed=failed)


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
    resolution = {old: new for old, new in class_resolution(project).items() if new is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _AGREEMENT_SQL,
            {"project": project.pk, "old": list(resolution.keys()), "new": list(resolution.values())},
        )
        rows = cursor.fetchall()
    bands = [
        BandAgreement(
            band=band,
            n_items=int(units),
            pairs=float(pairs),
            unanimous=Proportion(int(unanimous), int(units)),
            observed=float(agreeing) / float(pairs) if pairs else None,
        )
        for band, units, _answers, agreeing, pairs, unanimous in rows
    ]
    pairs = sum(float(row[4]) for row in rows)
    newest = estimates(project)
    return {
        "n_items": sum(int(row[1]) for row in rows),
        "n_answers": sum(int(row[2]) for row in rows),
        "observed": sum(float(row[3]) for row in rows) / pairs if pairs else None,
        "unanimous": Proportion(sum(int(row[5]) for row in rows), sum(int(row[1]) for row in rows)),
        "bands": bands,
        "alpha": newest.result.get("alpha"),
        "alpha_at": newest.latest.finished_at if newest.latest else None,
    }


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


class Median(Aggregate):
    """PostgreSQL's continuous median."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class LabelerFigures:
    """One person's work in a project. ``seconds`` is the median time from photo shown to answer given."""

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
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = {
        row["labeler"]: row
        for row in Annotation.objects.standing()
        .filter(project=project)
        .values("labeler")
        .annotate(
            n=Count("id"),
            today=Count("id", filter=Q(created_at__gte=today)),
            holds=Count("id", filter=Q(kind=AnswerKind.HOLD)),
            median=Median("view_ms"),
            last=Max("created_at"),
        )
    }
    roles = dict(project.memberships.exclude(role=Role.VIEWER).values_list("user_id", "role"))
    pauses = {
        pause.labeler_id: pause
        for pause in Pause.objects.filter(project=project, lifted_at__isnull=True).select_related("labeler")
    }
    agreed = _agreed_with_truth(project)
    people = User.objects.in_bulk({*rows, *roles, *pauses})
    gold = gold_records(project, people.keys())
    figures = [
        LabelerFigures(
            user=user,
            role=roles.get(pk, ""),
            answers=row["n"] if (row := rows.get(pk)) else 0,
            today=row["today"] if row else 0,
            seconds=row["median"] / 1000 if row else None,
            last_at=row["last"] if row else None,
            holds=Proportion(row["holds"], row["n"]) if row else Proportion(0, 0),
            agreed=agreed.get(pk, Proportion(0, 0)),
            gold=Proportion(sum(gold[pk]), len(gold[pk])),
            pause=pauses.get(pk),
        )
        for pk, user in people.items()
    ]
    return sorted(figures, key=lambda f: (f.pause is None, -f.answers, f.user.username))


def own_figures(project: Project, user: User) -> dict[str, Any]:
    """A labeler's own numbers, and nothing that tells about others, the model or gold."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=6)
    mine = Annotation.objects.standing().filter(project=project, labeler=user)
    figures = mine.aggregate(
        answers=Count("id"),
        today=Count("id", filter=Q(created_at__gte=today)),
        week=Count("id", filter=Q(created_at__gte=week)),
        holds=Count("id", filter=Q(kind=AnswerKind.HOLD)),
        median_ms=Median("view_ms"),
    )
    median = figures.pop("median_ms")
    return {**figures, "seconds": median / 1000 if median is not None else None}


_AGREED_SQL = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
)
SELECT a.labeler_id,
       count(*) FILTER (WHERE a.kind = t.kind AND coalesce(ra.new_id, a.label_class_id, 0)
                                                = coalesce(rt.new_id, t.label_class_id, 0)),
       count(*)
FROM truth_annotation a
JOIN truth_groundtruth t ON t.item_id = a.item_id AND t.kind <> 'withdrawn' AND t.origin NOT IN ('gold', 'assisted')
LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id
LEFT JOIN resolution ra ON ra.old_id = a.label_class_id
LEFT JOIN resolution rt ON rt.old_id = t.label_class_id
WHERE a.project_id = %(project)s AND undone.id IS NULL AND newer.id IS NULL AND a.draw <> 'gold'
GROUP BY a.labeler_id
"""


def _agreed_with_truth(project: Project) -> dict[int, Proportion]:
    """For each labeler: how many blind answers equal what the photo was finally settled as.

    Where one answer settled it, that answer would be compared with itself.
    """
    resolution = {old: new for old, new in class_resolution(project).items() if new is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _AGREED_SQL,
            {"project": project.pk, "old": list(resolution.keys()), "new": list(resolution.values())},
        )
        return {labeler: Proportion(right, compared) for labeler, right, compared in cursor.fetchall()}


def settled_count(project: Project) -> int:
    """Photos that people settled, in whatever way; gold was known beforehand and does not count."""
    return GroundTruth.objects.current().filter(project=project).exclude(origin=Origin.GOLD).count()
