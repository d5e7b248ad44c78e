"""A reviewer takes a ruling back while it is fresh: what was in force before is again, and the photo is in dispute anew.

Nothing is overwritten: the undo is a row, the withdrawal of the ground truth is one, and the new dispute is one. It is the
window that labelers have for their answers. Pages let nobody do so who has read since who answered; so the ruling that
follows is as blind as the first would have been, and counts as the first word on the photo (``first_word``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Project
from labeling.catalog.services import log_activities, log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.current import current_round, current_rounds, newest_truths, open_dispute, truth_in_force
from labeling.truth.models import (
    Annotation,
    Dispute,
    GroundTruth,
    Origin,
    Outcome,
    Ruling,
    RulingRetraction,
    TruthKind,
)
from labeling.truth.ruling_several import NotDone, chosen, not_done
from labeling.truth.settling import lock_photo, lock_photos, raise_dispute, withdraw_truths


@transaction.atomic
def undo_ruling(*, project: Project, dispute_id: UUID, reviewer: User) -> Dispute:
    """Take one's own ruling back; return the dispute that the photo is in now. A second call changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``undo_too_late`` or ``already_ruled`` (409).
    """
    ruling = (
        # A photo that was erased since is in no project.
        Ruling.objects.filter(
            dispute__project=project,
            dispute__item__project=project,
            dispute_id=dispute_id,
            reviewer=reviewer,
        )
        .select_related("dispute")
        .first()
    )
    if ruling is None:
        raise Refused("not_found", _("There is no ruling of yours on this photo."), status=404)
    item_id = ruling.dispute.item_id
    lock_photo(item_id)
    again = open_dispute(item_id)
    if RulingRetraction.objects.filter(ruling=ruling).exists():
        if again is None:
            raise _ruled_since()
        return again
    if timezone.now() > ruling_undo_until(project, ruling):
        raise Refused("undo_too_late", _too_late(project))
    if Ruling.objects.filter(dispute__item_id=item_id, pk__gt=ruling.pk).exists():
        raise _ruled_since()
    RulingRetraction.objects.create(ruling=ruling, by=reviewer)
    _as_before(project, {item_id: ruling})
    log_activity(
        project=project, kind="ruling_undone", actor=reviewer, item=item_id, dispute=str(ruling.dispute_id)
    )
    if truth_in_force(item_id) is None:
        events.reopened.send(sender=RulingRetraction, project=project, rounds=current_rounds([item_id]))
    return again or raise_dispute(
        project, item_id, current_round(item_id), ruling.dispute.cause, note=ruling.dispute.note
    )


def undo_rulings(
    *, project: Project, dispute_ids: Iterable[UUID], reviewer: User
) -> tuple[list[Dispute], list[NotDone]]:
    """Take several back, a transaction each; return the disputes that their photos are in now, and what was not undone.

    Raises :class:`Refused` ``invalid`` (422) where none is named, or too many.
    """
    back: list[Dispute] = []
    left: list[NotDone] = []
    for dispute_id in chosen(dispute_ids):
        try:
            back.append(undo_ruling(project=project, dispute_id=dispute_id, reviewer=reviewer))
        except Refused as refused:
            left.append(not_done(project, dispute_id, refused))
    return back, left


@transaction.atomic
def take_corrections_back(
    *, project: Project, rulings: Mapping[int, Ruling], by: User
) -> dict[int, Refused | None]:
    """Put in force again what corrections (:func:`~labeling.truth.correcting.correct`) superseded, however long ago.

    ``rulings``: item id -> the one to be taken back. Unlike :func:`undo_ruling` it asks no reviewer: nobody doubts what is
    restored. A second call changes nothing. Returns item id -> why it stays, which stops no other (``already_ruled``,
    ``in_review`` or, where people were asked again, ``already_answered``, 409), or ``None``.
    """
    lock_photos(rulings)
    undone = RulingRetraction.objects.filter(ruling__in=list(rulings.values()))
    already = set(undone.values_list("ruling", flat=True))
    disputed = set(Dispute.objects.open().filter(item__in=rulings).values_list("item", flat=True))
    rounds, newest = current_rounds(rulings), newest_truths(rulings)
    given = Annotation.objects.for_agreement().filter(item__in=rulings).values_list("item", "round")
    answered = {item_id for item_id, round in given if round == rounds[item_id]}

    def refusal(item_id: int, ruling: Ruling) -> Refused | None:
        made = newest.get(item_id)
        if made is None or not _made_by(ruling, made):
            return _ruled_since()
        if item_id in disputed:
            return Refused("in_review", _("This photo is before reviewers now. Rule on it there."))
        if item_id in answered and ruling.outcome == Outcome.SEND_BACK:
            return Refused(
                "already_answered", _("People have answered this photo since, so it goes on from there.")
            )
        return None

    found = {
        item_id: None if ruling.pk in already else refusal(item_id, ruling)
        for item_id, ruling in rulings.items()
    }
    back = {
        item_id: ruling
        for item_id, ruling in rulings.items()
        if found[item_id] is None and ruling.pk not in already
    }
    if back:
        RulingRetraction.objects.bulk_create(RulingRetraction(ruling=each, by=by) for each in back.values())
        _as_before(project, back)
        log_activities(
            project=project,
            kind="ruling_undone",
            actor=by,
            data=[{"item": item_id, "dispute": str(ruling.dispute_id)} for item_id, ruling in back.items()],
        )
        events.settled.send(sender=RulingRetraction, project=project, item_ids=list(back))
    return found


def ruling_undo_until(project: Project, ruling: Ruling) -> datetime:
    return ruling.created_at + timedelta(seconds=project.undo_seconds)


def _as_before(project: Project, rulings: Mapping[int, Ruling]) -> None:
    """Withdraw what rulings settled, and put in force again what they had superseded or withdrawn, if anything."""
    newest = newest_truths(rulings)
    made = {
        item_id: newest[item_id]
        for item_id, ruling in rulings.items()
        if item_id in newest and _made_by(ruling, newest[item_id])
    }
    ends = made | withdraw_truths(
        project=project,
        item_ids=[item_id for item_id, truth in made.items() if truth.kind != TruthKind.WITHDRAWN],
        guideline=catalog.current_guideline(project),
        origin=Origin.UNDONE,
    )
    # Of photos that were erased meanwhile, nothing comes back.
    before = GroundTruth.objects.filter(superseded_by__in=list(made.values()), item__project=project)
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=each.item_id,
            kind=each.kind,
            label_class_id=each.label_class_id,
            origin=each.origin,
            draw=each.draw,
            guideline_id=each.guideline_id,
            supersedes=ends[each.item_id],
        )
        for each in before.exclude(kind=TruthKind.WITHDRAWN).order_by("item_id")
    )


def _made_by(ruling: Ruling, truth: GroundTruth) -> bool:
    """Whether this is what the ruling settled, or the withdrawal that sending the photo back wrote."""
    return truth.ruling_id == ruling.pk or (
        ruling.outcome == Outcome.SEND_BACK
        and truth.origin == Origin.WITHDRAWAL
        and truth.created_at >= ruling.created_at
    )


def _too_late(project: Project) -> str:
    if not project.undo_seconds:
        return _("This project takes nothing back. Reopen the dispute instead.")
    return _("A ruling can be undone for %(seconds)d seconds. Reopen the dispute instead.") % {
        "seconds": project.undo_seconds
    }


def _ruled_since() -> Refused:
    return Refused("already_ruled", _("Somebody has ruled on this photo since, so that ruling stands."))
