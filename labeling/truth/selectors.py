"""What people see of answers, disputes and agreement. Blindness is kept here: a name leaves only once ruled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When

from labeling.catalog.models import Guideline, Image, Item, Project
from labeling.catalog.selectors import class_names, current_guideline
from labeling.database.read_once import read_once
from labeling.people.models import User
from labeling.text.plain import composed
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    GroundTruth,
    HoldReason,
    OpenDispute,
    Outcome,
    Ruling,
    UnusableReason,
)
from labeling.truth.sides import ClassSide, sides_of

# --- review -----------------------------------------------------------------------------------------------------


#: Oldest first, as the index of the open ones has them; a page of thousands reads no more than it shows.
AS_THEY_WAIT = ("waits__since", "waits__pk")


def open_disputes(project: Project, *, held: bool = False) -> QuerySet[Dispute]:
    """Disputes that wait for a ruling, oldest first; with ``held`` those of the boundary that none is asked for."""
    disputes = Dispute.objects.held() if held else Dispute.objects.waiting()
    return (
        disputes.filter(waits__project=project).select_related("item__image", "waits").order_by(*AS_THEY_WAIT)
    )


def answered_by(dispute: Dispute, user: User) -> bool:
    """Whether ``user`` gave one of the standing answers to the photo in dispute."""
    return Annotation.objects.standing().filter(item_id=dispute.item_id, labeler=user).exists()


@dataclass(frozen=True, slots=True)
class Alike:
    """``n`` open disputes of one ``cause``, ``held`` or not. ``classes``: ids that answers name, as they named them.

    ``own``: the reviewer answered their photos.
    """

    cause: str
    held: bool
    classes: frozenset[int]
    own: bool
    n: int


@read_once
def counted_alike(project: Project, reviewer: User) -> list[Alike]:
    """All open disputes, those that are alike together."""
    own = Case(When(answered_by__contains=[reviewer.pk], then=True), default=False)
    counted = (
        OpenDispute.objects.filter(project=project)
        .order_by()
        .values_list("cause", "held", "classes", own)
        .annotate(n=Count("pk"))
    )
    return [Alike(cause, held, frozenset(classes), own, n) for cause, held, classes, own, n in counted]


def own_dispute_ids(project: Project, user: User) -> set[UUID]:
    """Open disputes about photos that ``user`` answered; empty where the project lets people rule their own."""
    if project.reviewer_may_rule_own:
        return set()
    own = OpenDispute.objects.filter(project=project, answered_by__contains=[user.pk])
    return set(own.values_list("pk", flat=True))


def rulable_disputes(project: Project, reviewer: User, *, held: bool = False) -> QuerySet[Dispute]:
    """Of :func:`open_disputes` those that ``reviewer`` may rule on."""
    rulable = open_disputes(project, held=held)
    if project.reviewer_may_rule_own:
        return rulable
    return rulable.exclude(waits__answered_by__contains=[reviewer.pk])


def next_dispute(
    rulable: QuerySet[Dispute], *, after: Dispute | None = None, but: Iterable[UUID] = ()
) -> Dispute | None:
    """The oldest of :func:`rulable_disputes`; with ``after``, the next one behind it, then from the top."""
    rulable = rulable.exclude(pk__in=list(but))
    if after is not None:
        rulable = rulable.exclude(pk=after.pk)
        later = rulable.filter(
            Q(waits__since__gt=after.created_at) | Q(waits__since=after.created_at, waits__pk__gt=after.pk)
        ).first()
        if later is not None:
            return later
    return rulable.first()


@dataclass(frozen=True)
class BlindAnswer:
    """One answer as a reviewer sees it. ``name`` is empty until the dispute is ruled.

    ``class_key`` and ``reason`` are for programs, ``label`` and ``reason_label`` say the same in the reader's words.
    ``seconds``: for how long the photo was looked at; ``None`` of an imported one.
    """

    letter: str
    kind: str
    class_key: str
    label: str
    reason: str
    reason_label: str
    comment: str
    checklist: list[str]
    seconds: float | None
    guideline_number: int
    name: str
    at: datetime | None


@dataclass(frozen=True)
class Round:
    number: int
    answers: list[BlindAnswer]
    ruling: Ruling | None


@dataclass(frozen=True)
class DisputeDetail:
    """A dispute in one view.

    ``sides``: every class, in order. With two, both stand beside the photo; with more, the two that most answers name do
    (``beside``), and others that were answered, or of which something alike is settled, below (``below``).
    """

    dispute: Dispute
    item: Item
    image: Image
    answers: list[BlindAnswer]
    earlier: list[Round]
    guideline: Guideline
    sides: list[ClassSide]
    beside: list[ClassSide]
    below: list[ClassSide]
    ruling: Ruling | None
    #: its reviewer took the ruling back
    undone: bool
    ruled_as: str
    suggested_hold: str
    suggested_unusable: str
    #: what the photo is settled as meanwhile, in words; empty where it is not
    in_force: str
    #: what was said of it elsewhere: (who, what, in words)
    hints: list[tuple[str, str]]

    @property
    def names_told(self) -> bool:
        return any(answer.name for answer in self.answers)

    @property
    def by_answers(self) -> list[ClassSide]:
        """The classes as keys are given to them: in order; where they are more than nine, those that were answered first."""
        if len(self.sides) <= 9:
            return self.sides
        return sorted(self.sides, key=lambda side: (-side.votes, side.position))


def dispute_detail(dispute: Dispute) -> DisputeDetail:
    """Everything that a ruling needs. Names of labelers are filled in only when the dispute is ruled."""
    project = dispute.project
    item = dispute.item
    rulings = list(
        Ruling.objects.filter(
            dispute__item_id=dispute.item_id, dispute__round__lte=dispute.round
        ).select_related("dispute", "reviewer", "label_class", "guideline", "retraction")
    )
    ruling = next((each for each in rulings if each.dispute_id == dispute.pk), None)
    guideline = current_guideline(project)
    names = class_names(guideline)
    undone = hasattr(ruling, "retraction")
    in_dispute = undone and Dispute.objects.open().filter(item=item).exists()
    rounds = _rounds(dispute, names, rulings, reveal=ruling is not None and not in_dispute)
    reasons = _usual_reasons(rounds)
    now = next((r.answers for r in rounds if r.number == dispute.round), [])
    sides, beside, below = sides_of(project, item, Counter(answer.class_key for answer in now))
    return DisputeDetail(
        dispute=dispute,
        item=item,
        image=item.image,
        answers=now,
        earlier=[r for r in rounds if r.number < dispute.round],
        guideline=guideline,
        sides=sides,
        beside=beside,
        below=below,
        ruling=ruling,
        undone=undone,
        ruled_as=_outcome(ruling, names) if ruling else "",
        suggested_hold=reasons.get(AnswerKind.HOLD, HoldReason.BETWEEN),
        suggested_unusable=reasons.get(AnswerKind.UNUSABLE, UnusableReason.OTHER),
        in_force=_in_force(item, names),
        hints=[
            (hint.said_by, names.get(hint.label_class_id or 0, str(AnswerKind(hint.kind).label)))
            for hint in item.hints.filter(retired_at__isnull=True).order_by("id")
        ],
    )


def recent_rulings(project: Project, *, limit: int = 10) -> list[tuple[Ruling, str]]:
    """The newest rulings by people, each with its outcome in words."""
    names = class_names(current_guideline(project))
    newest = (
        Ruling.objects.standing()
        .filter(dispute__project=project, reviewer__isnull=False)
        .select_related("dispute__item__image", "label_class", "reviewer")
        .order_by("-id")[:limit]
    )
    return [(ruling, _outcome(ruling, names)) for ruling in newest]


def ruling_text(ruling: Ruling) -> str:
    """A ruling's outcome in words: the class by its name now, or what else was ruled."""
    return _outcome(ruling, class_names(current_guideline(ruling.dispute.project)))


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


def _rounds(dispute: Dispute, names: dict[int, str], ruled: Iterable[Ruling], *, reveal: bool) -> list[Round]:
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
    rulings = {each.dispute.round: each for each in ruled if each.dispute.round < dispute.round}
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
        reason=annotation.reason,
        reason_label=reason_text(annotation.kind, annotation.reason),
        comment=annotation.comment,
        checklist=[str(line) for line in annotation.checklist],
        seconds=annotation.view_ms / 1000 if annotation.view_ms else None,
        guideline_number=annotation.guideline.number,
        name=str(annotation.labeler) if reveal else "",
        at=annotation.created_at if reveal else None,
    )


def reason_text(kind: str, reason: str) -> str:
    """A hold's or unusable's reason in words; the code itself where it is none that we know."""
    choices = HoldReason if kind == AnswerKind.HOLD else UnusableReason
    return str(choices(reason).label) if reason in choices.values else reason


def _usual_reasons(rounds: Iterable[Round]) -> dict[str, str]:
    """Kind -> the reason that people gave most often for it on this photo: what one key press will record."""
    given = Counter(
        (answer.kind, answer.reason)
        for each in rounds
        for answer in each.answers
        if answer.kind != AnswerKind.CLASS
    )
    first = sorted(given, key=lambda pair: pair[1], reverse=True)
    return dict(sorted(first, key=lambda pair: given[pair]))


# --- gold -------------------------------------------------------------------------------------------------------


def gold_candidates(project: Project, text: str, *, limit: int = 24) -> list[Item]:
    """Photos that can become gold: nobody has answered them. By file name or the start of the hash.

    Without ``text``, a random few that the audit has not drawn (the same ones until they are used), from the far end of
    its walk: who picks the plain ones among the photos that come next would leave it the doubtful ones.
    """
    fresh = Item.objects.filter(
        ~Exists(Annotation.objects.filter(item=OuterRef("pk"))), project=project, gold__isnull=True
    ).select_related("image")
    text = composed(text.strip())
    if text:
        named = Q(name__icontains=text) | Q(image__sha256__startswith=text.lower())
        return list(fresh.filter(named).order_by("id")[:limit])
    return list(fresh.filter(audit_drawn_at__isnull=True).order_by("-random_key")[:limit])
