"""Standing answers become ground truth or a dispute, under the photo's lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery, Value
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import AgreementRule, ClassDefinition, ClassState, Guideline, Item, Project
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.consensus import Answered, Consensus, agreeing, consensus, count_as
from labeling.truth.current import PhotoState, current_round, current_rounds, ends_of_chains, photo_state
from labeling.truth.models import Annotation, Dispute, Draw, GroundTruth, Origin, Ruling, TruthKind


def reconsider(*, project: Project, item_ids: list[int]) -> None:
    """Judge standing answers again, after the rule or the classes changed. One transaction a photo."""
    guideline = catalog.current_guideline(project)
    for item_id in item_ids:
        with transaction.atomic():
            lock_photo(item_id)
            round = current_round(item_id)
            settle(project, item_id, round, guideline, photo_state(project, item_id, round))


def lock_photo(item_id: int) -> Item:
    """One writer a photo: of two last answers at the same moment, the second must see the first."""
    return Item.objects.select_for_update(no_key=True).only("pk", "answers_wanted").get(pk=item_id)


def lock_photos(item_ids: Iterable[int]) -> None:
    """In the order of photos, as everybody who locks several of them."""
    items = Item.objects.select_for_update(no_key=True).filter(pk__in=list(item_ids)).order_by("pk")
    list(items.values_list("pk"))


def active_class(guideline: Guideline, class_key: str) -> ClassDefinition:
    definitions = [each for each in catalog.schema_of(guideline.pk) if each.state == ClassState.ACTIVE]
    for definition in definitions:
        if definition.label_class.key == class_key:
            return definition
    raise Refused.invalid(
        "class",
        _("There is no class “%(key)s” in this project now. Use one of: %(keys)s.")
        % {"key": class_key, "keys": ", ".join(d.label_class.key for d in definitions)},
        short=_("unknown"),
        code="unknown_class",
    )


def consensus_of(
    project: Project, answers: Sequence[Answered], guideline: Guideline, wanted: int | None = None
) -> Consensus:
    """``wanted``: answers that this photo was drawn to get, where they are more than others get; k is then a majority."""
    more = max(wanted or 0, project.answers_per_image)
    k = project.agreement_k if more == project.answers_per_image else more // 2 + 1
    return consensus(
        answers,
        wanted=more,
        needed=more if project.rule == AgreementRule.UNANIMOUS else k,
        resolution=catalog.class_resolution(project, guideline),
    )


def settle(
    project: Project,
    item_id: int,
    round: int,
    guideline: Guideline,
    state: PhotoState,
    *,
    audited: bool | None = None,
    held: bool = False,
) -> bool:
    """Make ground truth or a dispute of the standing answers, if they suffice; return whether the photo has either, or the
    round is over: who had the photo on loan when a reviewer sent it back answers what is asked no more.

    ``guideline``: the newest version, which says what each answer counts as today. The ground truth is of the oldest
    version among the answers it rests on: what it proves is proven of those criteria. A label that one answer settled is
    judged again with each further one. ``held``: answers that differ ask no reviewer.
    """
    if state.over or state.disputed or (state.in_force and state.assisted is None):
        return True
    decision = consensus_of(project, state.answers, guideline, state.wanted)
    if state.assisted is not None and decision.state != "agreed":
        resolution = catalog.class_resolution(project, guideline)
        if count_as(state.answers, state.assisted, resolution):
            return True
        withdraw_truth(project=project, item_id=item_id, guideline=guideline)
        if decision.state == "wait":
            events.reopened.send(sender=GroundTruth, project=project, rounds={item_id: round})
    if decision.state == "agreed":
        resting = agreeing(state.answers, decision, catalog.class_resolution(project, guideline))
        append_truth(
            project=project,
            item_id=item_id,
            kind=decision.kind,
            label_class_id=decision.label_class_id,
            origin=Origin.AGREEMENT,
            guideline_id=min(
                each.guideline_id for each in resting
            ),  # versions are written in turn, so ids rise
            basis=Basis(
                audited=was_audited(item_id) if audited is None else audited,
                supersedes=state.newest_truth,
                swept=state.swept,
            ),
        )
        events.settled.send(sender=Annotation, project=project, item_ids=[item_id])
    elif decision.state == "disputed":
        raise_dispute(project, item_id, round, decision.cause, held=held)
    return decision.state != "wait"


def raise_dispute(
    project: Project, item_id: int, round: int, cause: str, *, note: str = "", held: bool = False
) -> Dispute:
    dispute = Dispute.objects.create(
        project=project, item_id=item_id, round=round, cause=cause, note=note, held=held
    )
    events.disputed.send(sender=Dispute, project=project, item_ids=[item_id])
    return dispute


@dataclass(frozen=True, slots=True)
class Basis:
    """What a ground truth follows upon: whether the audit drew the photo, the end of its chain of ground truths, and
    whether one of the answers, or the ruling, was not blind, as in a sweep.
    """

    audited: bool
    supersedes: int | None
    swept: bool


def append_truth(
    *,
    project: Project,
    item_id: int,
    kind: str,
    label_class_id: int | None,
    origin: str,
    guideline_id: int,
    basis: Basis,
) -> GroundTruth:
    """Settle a photo of which the caller knows what its ground truth follows upon."""
    return GroundTruth.objects.create(
        project=project,
        item_id=item_id,
        kind=kind,
        label_class_id=label_class_id,
        origin=origin,
        draw=_draw_of(origin, basis),
        guideline_id=guideline_id,
        supersedes_id=basis.supersedes,
    )


def append_truths(
    *,
    project: Project,
    item_ids: Collection[int],
    kind: str,
    label_class_id: int | None,
    origin: str,
    guideline_id: int,
    rulings: Mapping[int, Ruling] | None = None,
    not_blind: Sequence[Exists] = (),
) -> list[GroundTruth]:
    """Settle photos alike, or withdraw what settled them; their photos are locked.

    ``rulings``: item id -> what settles it, where a reviewer does; ``not_blind``: where they had seen something beside.
    In as many statements for a thousand photos as for one.
    """
    rulings = rulings or {}
    bases = _bases_of(item_ids, rulings, not_blind)
    return GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=item_id,
            kind=kind,
            label_class_id=label_class_id,
            origin=origin,
            draw=_draw_of(origin, bases[item_id]),
            ruling=rulings.get(item_id),
            guideline_id=guideline_id,
            supersedes_id=bases[item_id].supersedes,
        )
        for item_id in item_ids
    )


def withdraw_truth(
    *, project: Project, item_id: int, guideline: Guideline, origin: str = Origin.WITHDRAWAL
) -> None:
    """What settled the photo is in force no more. ``origin``: ``UNDONE`` where an answer that it rests on was taken back."""
    withdraw_truths(project=project, item_ids=[item_id], guideline=guideline, origin=origin)


def withdraw_truths(
    *, project: Project, item_ids: Collection[int], guideline: Guideline, origin: str = Origin.WITHDRAWAL
) -> dict[int, GroundTruth]:
    """The same of several; item id -> its withdrawal."""
    withdrawn = append_truths(
        project=project,
        item_ids=item_ids,
        kind=TruthKind.WITHDRAWN,
        label_class_id=None,
        origin=origin,
        guideline_id=guideline.pk,
    )
    return {truth.item_id: truth for truth in withdrawn}


def _bases_of(
    item_ids: Collection[int], rulings: Mapping[int, Ruling], not_blind: Sequence[Exists]
) -> dict[int, Basis]:
    rounds = current_rounds([item_id for item_id in item_ids if item_id not in rulings])
    rounds |= {item_id: ruling.dispute.round for item_id, ruling in rulings.items()}
    given = Annotation.objects.for_agreement().filter(item__in=item_ids, draw=Draw.SWEEP)
    swept = {item_id for item_id, round in given.values_list("item", "round") if rounds[item_id] == round}
    newest = Subquery(ends_of_chains().filter(item=OuterRef("pk")).values("pk")[:1])
    shown = reduce(or_, map(Q, not_blind)) if not_blind else Value(False)
    photos = Item.objects.filter(pk__in=item_ids).annotate(shown=shown)
    return {
        item_id: Basis(audited=drawn_at is not None, supersedes=end, swept=beside or item_id in swept)
        for item_id, drawn_at, beside, end in photos.values_list("pk", "audit_drawn_at", "shown", newest)
    }


def was_audited(item_id: int) -> bool:
    return Item.objects.filter(pk=item_id, audit_drawn_at__isnull=False).exists()


def _draw_of(origin: str, basis: Basis) -> str:
    """What rests on what was not blind says so, also as a reviewer's ruling, and even if the audit drew the photo."""
    if origin == Origin.GOLD:
        return Draw.GOLD
    if basis.swept:
        return Draw.SWEEP
    return Draw.AUDIT if basis.audited else Draw.RANK
