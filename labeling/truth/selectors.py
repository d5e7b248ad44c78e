"""What people see of answers, disputes and agreement. Blindness is kept here: a name leaves only once ruled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Aggregate, Count, Exists, F, FloatField, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from labeling.catalog.models import ClassDefinition, Exemplar, Guideline, Image, Item, Project
from labeling.catalog.selectors import active_definitions, class_resolution, current_guideline, photo_urls
from labeling.jobs.models import Job, JobState
from labeling.people.models import User
from labeling.truth import likeness
from labeling.truth.current import gold_record
from labeling.truth.estimates import Proportion
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    Draw,
    Gold,
    GroundTruth,
    HoldReason,
    Origin,
    Outcome,
    Pause,
    Ruling,
    UnusableReason,
)

#: The job kind that computes alpha and Dawid-Skene with crowd-kit, in a worker.
ESTIMATES = "estimates"
ALIKE_PER_CLASS = 4


# --- review -----------------------------------------------------------------------------------------------------


def open_disputes(project: Project) -> QuerySet[Dispute]:
    """Disputes that wait for a ruling, oldest first."""
    return (
        Dispute.objects.open()
        .filter(project=project)
        .select_related("item__image")
        .order_by("created_at", "id")
    )


def answered_by(dispute: Dispute, user: User) -> bool:
    """Whether ``user`` gave one of the standing answers to the photo in dispute."""
    return Annotation.objects.standing().filter(item_id=dispute.item_id, labeler=user).exists()


def own_dispute_ids(project: Project, user: User) -> set[UUID]:
    """Open disputes about photos that ``user`` answered; empty where the project lets people rule their own."""
    if project.reviewer_may_rule_own:
        return set()
    mine = Annotation.objects.standing().filter(project=project, labeler=user).values("item_id")
    return set(Dispute.objects.open().filter(project=project, item_id__in=mine).values_list("id", flat=True))


def next_dispute(project: Project, reviewer: User, *, after: Dispute | None = None) -> Dispute | None:
    """The oldest dispute that ``reviewer`` may rule on; with ``after``, the next one behind it, then from the top."""
    rulable = open_disputes(project)
    if not project.reviewer_may_rule_own:
        mine = Annotation.objects.standing().filter(project=project, labeler=reviewer).values("item_id")
        rulable = rulable.exclude(item_id__in=mine)
    if after is not None:
        rulable = rulable.exclude(pk=after.pk)
        later = rulable.filter(
            Q(created_at__gt=after.created_at) | Q(created_at=after.created_at, id__gt=after.pk)
        ).first()
        if later is not None:
            return later
    return rulable.first()


@dataclass(frozen=True)
class BlindAnswer:
    """One answer as a reviewer sees it. ``name`` is empty until the dispute is ruled."""

    letter: str
    kind: str
    class_key: str
    label: str
    reason: str
    comment: str
    checklist: list[str]
    seconds: float
    guideline_number: int
    name: str
    at: datetime | None


@dataclass(frozen=True)
class Round:
    number: int
    answers: list[BlindAnswer]
    ruling: Ruling | None


@dataclass(frozen=True)
class AlikePhoto:
    item_id: int | None
    sha256: str
    thumb: str
    screen: str
    name: str


@dataclass(frozen=True)
class ClassSide:
    """A class as the review page shows it: what the criteria say, and photos that were called so."""

    definition: ClassDefinition
    position: int
    key: str
    votes: int
    photos: list[AlikePhoto] = field(default_factory=list)


@dataclass(frozen=True)
class DisputeDetail:
    """A dispute in one view. ``alike_by_model`` tells whether the sides show settled photos or exemplars."""

    dispute: Dispute
    item: Item
    image: Image
    urls: dict[str, str]
    answers: list[BlindAnswer]
    earlier: list[Round]
    guideline: Guideline
    sides: list[ClassSide]
    alike_by_model: bool
    ruling: Ruling | None
    ruled_as: str
    suggested_hold: str
    suggested_unusable: str
    #: what the photo is settled as meanwhile, in words; empty where it is not
    in_force: str


def dispute_detail(dispute: Dispute) -> DisputeDetail:
    """Everything that a ruling needs. Names of labelers are filled in only when the dispute is ruled."""
    project = dispute.project
    item = dispute.item
    ruling = (
        Ruling.objects.filter(dispute=dispute).select_related("reviewer", "label_class", "guideline").first()
    )
    guideline = current_guideline(project)
    names = _class_names(guideline)
    rounds = _rounds(dispute, names, reveal=ruling is not None)
    now = next((r.answers for r in rounds if r.number == dispute.round), [])
    definitions = active_definitions(project)
    sides, by_model = _sides(project, item, definitions, now)
    return DisputeDetail(
        dispute=dispute,
        item=item,
        image=item.image,
        urls=photo_urls(item.image),
        answers=now,
        earlier=[r for r in rounds if r.number < dispute.round],
        guideline=guideline,
        sides=sides,
        alike_by_model=by_model,
        ruling=ruling,
        ruled_as=_outcome(ruling, names) if ruling else "",
        suggested_hold=_usual_reason(item, AnswerKind.HOLD, HoldReason.BETWEEN),
        suggested_unusable=_usual_reason(item, AnswerKind.UNUSABLE, UnusableReason.OTHER),
        in_force=_in_force(item, names),
    )


def recent_rulings(project: Project, *, limit: int = 10) -> list[tuple[Ruling, str]]:
    """The newest rulings by people, each with its outcome in words."""
    names = _class_names(current_guideline(project))
    newest = (
        Ruling.objects.filter(dispute__project=project, reviewer__isnull=False)
        .select_related("dispute__item__image", "label_class", "reviewer")
        .order_by("-id")[:limit]
    )
    return [(ruling, _outcome(ruling, names)) for ruling in newest]


def ruling_text(ruling: Ruling) -> str:
    """A ruling's outcome in words: the class by its name now, or what else was ruled."""
    return _outcome(ruling, _class_names(current_guideline(ruling.dispute.project)))


def _outcome(ruling: Ruling, names: dict[int, str]) -> str:
    if ruling.label_class_id is not None:
        return names.get(ruling.label_class_id, "?")
    return str(Outcome(ruling.outcome).label)


def _in_force(item: Item, names: dict[int, str]) -> str:
    truth = GroundTruth.objects.current().filter(item=item).first()
    if truth is None:
        return ""
    if truth.label_class_id is not None:
        return names.get(truth.label_class_id, "?")
    return str(AnswerKind(truth.kind).label)


def _class_names(guideline: Guideline) -> dict[int, str]:
    """Names of all classes, also of merged and retired ones: old answers keep the name that is now in force."""
    return dict(ClassDefinition.objects.filter(guideline=guideline).values_list("label_class_id", "name"))


def _rounds(dispute: Dispute, names: dict[int, str], *, reveal: bool) -> list[Round]:
    """All rounds of the photo up to the dispute's, oldest first.

    Letters are drawn by a hash of photo and person, so that A on one photo tells nothing about A on another;
    a person keeps the letter through all rounds of a photo.
    """
    annotations = list(
        Annotation.objects.for_agreement()
        .filter(item_id=dispute.item_id, round__lte=dispute.round)
        .select_related("labeler", "label_class", "guideline")
        .order_by("round", "id")
    )
    letters: dict[int, str] = {}
    by_round: dict[int, list[Annotation]] = {}
    for annotation in annotations:
        by_round.setdefault(annotation.round, []).append(annotation)
    for number in sorted(by_round):
        people = {a.labeler_id for a in by_round[number]} - letters.keys()
        for person in sorted(people, key=lambda p: _shuffle_key(dispute.item_id, p)):
            letters[person] = _letter(len(letters))
    rulings = {
        ruling.dispute.round: ruling
        for ruling in Ruling.objects.filter(
            dispute__item_id=dispute.item_id, dispute__round__lt=dispute.round
        ).select_related("dispute", "label_class")
    }
    return [
        Round(
            number=number,
            answers=sorted(
                (_blind(a, letters[a.labeler_id], names, reveal=reveal) for a in by_round.get(number, [])),
                key=lambda a: a.letter,
            ),
            ruling=rulings.get(number),
        )
        for number in sorted(by_round.keys() | rulings.keys() | {dispute.round})
    ]


def _shuffle_key(item_id: int, person: int) -> str:
    return hashlib.sha256(f"{item_id}:{person}".encode()).hexdigest()


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else f"A{index - 25}"


def _blind(annotation: Annotation, letter: str, names: dict[int, str], *, reveal: bool) -> BlindAnswer:
    label: str = (
        names.get(annotation.label_class_id, annotation.label_class.key)
        if annotation.label_class is not None and annotation.label_class_id is not None
        else str(AnswerKind(annotation.kind).label)
    )
    return BlindAnswer(
        letter=letter,
        kind=annotation.kind,
        class_key=annotation.label_class.key if annotation.label_class else "",
        label=label,
        reason=reason_text(annotation.kind, annotation.reason),
        comment=annotation.comment,
        checklist=[str(line) for line in annotation.checklist],
        seconds=annotation.view_ms / 1000,
        guideline_number=annotation.guideline.number,
        name=str(annotation.labeler) if reveal else "",
        at=annotation.created_at if reveal else None,
    )


def reason_text(kind: str, reason: str) -> str:
    """A hold's or unusable's reason in words; the code itself where it is none that we know."""
    choices = HoldReason if kind == AnswerKind.HOLD else UnusableReason
    return str(choices(reason).label) if reason in choices.values else reason


def _usual_reason(item: Item, kind: AnswerKind, otherwise: str) -> str:
    """The reason that people gave most often for ``kind`` on this photo: what one key press will record."""
    row = (
        Annotation.objects.standing()
        .filter(item=item, kind=kind)
        .values("reason")
        .annotate(n=Count("id"))
        .order_by("-n", "reason")
        .first()
    )
    return str(row["reason"]) if row else otherwise


def _sides(
    project: Project, item: Item, definitions: list[ClassDefinition], answers: list[BlindAnswer]
) -> tuple[list[ClassSide], bool]:
    alike = likeness.settled_alike(project, item.pk, limit=ALIKE_PER_CLASS)
    items = Item.objects.select_related("image").in_bulk([i for ids in alike.values() for i in ids])
    sides = []
    for position, definition in enumerate(definitions, start=1):
        key = definition.label_class.key
        if alike:
            photos = [
                _photo(items[i].image, items[i].name, items[i].pk)
                for i in alike.get(definition.label_class_id, [])
                if i in items
            ]
        else:
            photos = [
                _photo(shown.image, shown.caption, None)
                for shown in list(definition.exemplars.all())[:ALIKE_PER_CLASS]
            ]
        sides.append(
            ClassSide(
                definition=definition,
                position=position,
                key=key,
                votes=sum(a.class_key == key for a in answers),
                photos=photos,
            )
        )
    return sides, bool(alike)


def _photo(image: Image, name: str, item_id: int | None) -> AlikePhoto:
    urls = photo_urls(image)
    return AlikePhoto(item_id, image.sha256, urls["thumb"], urls["screen"], name)


def exemplar_hashes(guideline: Guideline) -> dict[str, list[str]]:
    """Class key -> SHA-256 of its exemplars, in order."""
    hashes: dict[str, list[str]] = {}
    rows = Exemplar.objects.filter(definition__guideline=guideline).order_by("position", "id")
    for key, sha256 in rows.values_list("definition__label_class__key", "image__sha256"):
        hashes.setdefault(key, []).append(sha256)
    return hashes


def with_thumbs(rows: list[Any]) -> list[tuple[Any, str]]:
    """Items, or rows that hang on one, each with the address of its thumbnail."""
    return [(row, photo_urls((row if isinstance(row, Item) else row.item).image)["thumb"]) for row in rows]


# --- agreement --------------------------------------------------------------------------------------------------

# One unit is a photo in one round. Answers are compared after merged classes are followed; a hold and an
# unusable are values of their own. ``pairs`` are pairs of answers to one unit.
_AGREEMENT_SQL = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
), counts AS (
    SELECT a.item_id, a.round,
           CASE WHEN a.kind = 'class' THEN coalesce(r.new_id, a.label_class_id)::text ELSE a.kind END AS value,
           count(*) AS n,
           min(CASE WHEN jsonb_typeof(a.context -> 'band') = 'number'
                    THEN (a.context ->> 'band')::int END) AS band
    FROM truth_annotation a
    LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id
    LEFT JOIN resolution r ON r.old_id = a.label_class_id
    WHERE a.project_id = %(project)s AND undone.id IS NULL AND a.draw <> 'gold'
    GROUP BY a.item_id, a.round, value
), units AS (
    SELECT item_id, round, min(band) AS band, sum(n) AS answers, sum(n * (n - 1)) / 2 AS agreeing,
           sum(n) * (sum(n) - 1) / 2 AS pairs
    FROM counts GROUP BY item_id, round HAVING sum(n) >= 2
)
SELECT band, count(*), sum(answers), sum(agreeing), sum(pairs), count(*) FILTER (WHERE agreeing = pairs)
FROM units GROUP BY band ORDER BY band NULLS LAST
"""


@dataclass(frozen=True)
class BandAgreement:
    band: int | None
    n_items: int
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
    urls: dict[str, str]
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
                urls=photo_urls(items[row["item"]].image),
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
    named = ClassDefinition.objects.filter(guideline=current_guideline(project)).values_list(
        "label_class__key", "name"
    )
    return {f"class:{key}": name for key, name in named} | {
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
    roles = dict(project.memberships.values_list("user_id", "role"))
    pauses = {
        pause.labeler_id: pause
        for pause in Pause.objects.filter(project=project, lifted_at__isnull=True).select_related("labeler")
    }
    agreed = _agreed_with_truth(project)
    people = User.objects.in_bulk({*rows, *roles, *pauses})
    gold = {pk: gold_record(project, user) for pk, user in people.items()}
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
JOIN truth_groundtruth t ON t.item_id = a.item_id AND t.kind <> 'withdrawn' AND t.origin <> 'gold'
LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id
LEFT JOIN resolution ra ON ra.old_id = a.label_class_id
LEFT JOIN resolution rt ON rt.old_id = t.label_class_id
WHERE a.project_id = %(project)s AND undone.id IS NULL AND newer.id IS NULL AND a.draw <> 'gold'
GROUP BY a.labeler_id
"""


def _agreed_with_truth(project: Project) -> dict[int, Proportion]:
    """For each labeler: how many blind answers equal what the photo was finally settled as."""
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


# --- gold -------------------------------------------------------------------------------------------------------


def golds(project: Project) -> list[Gold]:
    """Gold photos, those in use first, with how often each was asked and missed."""
    return list(
        Gold.objects.filter(project=project)
        .select_related("item__image", "label_class", "added_by")
        .annotate(
            asked=Count(
                "item__annotations",
                filter=Q(item__annotations__draw=Draw.GOLD, item__annotations__retraction__isnull=True),
            ),
            missed=Count(
                "item__annotations",
                filter=Q(item__annotations__draw=Draw.GOLD, item__annotations__retraction__isnull=True)
                & ~Q(item__annotations__label_class=F("label_class"), item__annotations__kind="class"),
            ),
        )
        .order_by(F("retired_at").desc(nulls_first=True), "-created_at", "-id")
    )


def gold_candidates(project: Project, text: str, *, limit: int = 24) -> list[Item]:
    """Photos that can become gold: nobody has answered them. By file name or the start of the hash.

    Without ``text``, a random few that the audit has not drawn (the same ones until they are used).
    """
    fresh = Item.objects.filter(
        ~Exists(Annotation.objects.filter(item=OuterRef("pk"))), project=project, gold__isnull=True
    ).select_related("image")
    text = text.strip()
    if text:
        named = Q(name__icontains=text) | Q(image__sha256__startswith=text.lower())
        return list(fresh.filter(named).order_by("id")[:limit])
    return list(fresh.filter(audit_drawn_at__isnull=True).order_by("random_key")[:limit])
