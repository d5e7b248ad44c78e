"""Append one answer, and take one back."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import ClassDefinition, Guideline, Item, Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.answers import Answer, Viewing, refuse_contradiction
from labeling.truth.checking import check_gold
from labeling.truth.current import current_rounds, newest_truths, photo_state
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    DisputeCause,
    Draw,
    Origin,
    Outcome,
    Retraction,
    Ruling,
    TruthKind,
)
from labeling.truth.settling import (
    active_class,
    consensus_of,
    lock_photo,
    raise_dispute,
    settle,
    withdraw_truths,
)

#: As many held photos as are drawn at random are ruled on all the same: what reviewers see does not tell the drawn ones.
_lot = random.SystemRandom()


@transaction.atomic(savepoint=False)  # with each answer
def record_answer(
    *, project: Project, labeler: User, key: UUID, answer: Answer, viewing: Viewing
) -> Annotation:
    """Append one answer, and whatever follows from it: ground truth, a dispute, a paused labeler.

    A class that was merged or retired since the answer was given counts as it does in older answers.
    Raises :class:`Refused` ``too_fast``, ``unknown_class``, ``checklist_incomplete`` or ``invalid`` (422).
    """
    _refuse_too_fast(project, viewing)
    locked = _lock_to_answer(project, labeler, viewing)
    newest, given_under = catalog.guideline(locked.newest_id), catalog.guideline(locked.under_id)
    definition = _check_answer(project, given_under, answer)
    annotation = Annotation.objects.create(
        project=project,
        item_id=viewing.item_id,
        round=viewing.round,
        labeler=labeler,
        key=key,
        kind=answer.kind,
        label_class_id=definition.label_class_id if definition else None,
        reason=answer.reason,
        comment=answer.comment,
        checklist=list(answer.checklist),
        guideline=given_under,
        draw=viewing.draw,
        context=viewing.context,
        shown_at=viewing.shown_at,
        view_ms=viewing.view_ms,
        replaces_id=locked.undone_id,
    )
    if viewing.draw == Draw.GOLD:
        check_gold(project, labeler, newest)
        return annotation
    at_boundary = viewing.context.get("boundary") if not locked.audited else None
    state = photo_state(project, viewing.item_id, viewing.round, labeler)
    if at_boundary is not None and state.wanted is None and not state.over:
        _want(viewing.item_id, at_boundary)
        state = replace(state, wanted=at_boundary)
    finished = settle(
        project,
        viewing.item_id,
        viewing.round,
        newest,
        state,
        audited=locked.audited,
        held=at_boundary is not None and _lot.random() >= project.audit_rate,
    )
    if not finished and state.paused:
        raise_dispute(project, viewing.item_id, viewing.round, DisputeCause.PAUSED)
    elif not finished:
        events.answer_waits.send(
            sender=Annotation, project=project, item_id=viewing.item_id, annotation=annotation
        )
    return annotation


def _want(item_id: int, answers: int) -> None:
    """Under the photo's lock: the first answer at the boundary says how many it gets, whatever another order makes of it."""
    Item.objects.filter(pk=item_id).update(answers_wanted=answers)


def _refuse_too_fast(project: Project, viewing: Viewing) -> None:
    if viewing.view_ms < project.min_view_ms:
        raise Refused.invalid(
            None,
            _(
                "This project asks for at least %(ms)d\u00a0ms with each photo. Look once more, then answer again."
            )
            % {"ms": project.min_view_ms},
            code="too_fast",
        )


@dataclass(frozen=True, slots=True)
class _Locked:
    """What an answer needs to know of its photo, beside the lock.

    Ids of the newest guideline and of the one that the answer was given under, whether the photo was drawn for the
    audit, and the retraction that this answer follows.
    """

    newest_id: int
    under_id: int
    audited: bool
    undone_id: int | None


def _lock_to_answer(project: Project, labeler: User, viewing: Viewing) -> _Locked:
    """One writer a photo, as :func:`lock_photo`, and all else that an answer needs in the same statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT g.id FROM catalog_guideline g WHERE g.project_id = %s ORDER BY g.number DESC LIMIT 1),
                   (SELECT g.id FROM catalog_guideline g WHERE g.project_id = %s AND g.number = %s),
                   (SELECT g.id FROM catalog_guideline g WHERE g.project_id = %s AND g.created_at <= %s
                    ORDER BY g.number DESC LIMIT 1),
                   i.audit_drawn_at IS NOT NULL,
                   (SELECT r.id FROM truth_retraction r JOIN truth_annotation a ON a.id = r.annotation_id
                    WHERE a.item_id = i.id AND a.round = %s AND a.labeler_id = %s
                      AND NOT EXISTS (SELECT 1 FROM truth_annotation later WHERE later.replaces_id = r.id)
                    ORDER BY r.id DESC LIMIT 1)
            FROM catalog_item i WHERE i.id = %s FOR NO KEY UPDATE OF i
            """,
            [
                project.pk,
                project.pk,
                viewing.guideline,
                project.pk,
                viewing.lent_at,
                viewing.round,
                labeler.pk,
                viewing.item_id,
            ],
        )
        newest, named, then, audited, undone = cursor.fetchone()
    under = named if viewing.guideline is not None else then or newest
    if under is None:
        raise Refused.invalid(
            "guideline",
            _("This project has no guideline version %(number)s. Name the one that you read, or none.")
            % {"number": viewing.guideline},
            short=_("unknown"),
        )
    return _Locked(newest, under, audited, undone)


@transaction.atomic
def retract_answer(*, project: Project, labeler: User, key: UUID) -> Annotation:
    """Take an answer back within the project's window. A second call changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``undo_too_late`` or ``already_ruled`` (409).
    """
    annotation = Annotation.objects.filter(project=project, labeler=labeler, key=key).first()
    if annotation is None:
        raise Refused("not_found", _("There is no answer of yours with this key."), status=404)
    photo = lock_photo(annotation.item_id)
    if Retraction.objects.filter(annotation=annotation).exists():
        return annotation
    if timezone.now() > undo_until(project, annotation):
        raise Refused(
            "undo_too_late",
            _(
                "An answer can be undone for %(seconds)d seconds. Ask a reviewer to look at this photo instead."
            )
            % {"seconds": project.undo_seconds}
            if project.undo_seconds
            else _("This project takes no answer back. Ask a reviewer to look at this photo instead."),
        )
    disputes = Dispute.objects.filter(item_id=annotation.item_id, round=annotation.round)
    if disputes.filter(ruling__reviewer__isnull=False, ruling__retraction__isnull=True).exists():
        raise Refused("already_ruled", _("A reviewer has already ruled on this photo, so the ruling stands."))
    wanted = {photo.pk: photo.answers_wanted}
    withdraw_answers(project=project, annotations=[annotation], by=labeler, wanted=wanted)
    return annotation


def withdraw_answers(
    *, project: Project, annotations: Sequence[Annotation], by: User, wanted: Mapping[int, int | None]
) -> None:
    """Retract standing answers, under their photos' locks, and withdraw what rests on them: ground truths, and disputes.

    ``wanted``: item id -> its ``answers_wanted``. An answer of a round that is over takes nothing with it. In as many
    statements for a thousand photos as for one.
    """
    Retraction.objects.bulk_create(Retraction(annotation=each, by=by) for each in annotations)
    counted = [each for each in annotations if each.draw != Draw.GOLD]
    now = current_rounds({each.item_id for each in counted})
    rounds = {each.item_id: each.round for each in counted if each.round == now[each.item_id]}
    if not rounds:
        return
    guideline = catalog.current_guideline(project)
    left: dict[int, list[Annotation]] = {item_id: [] for item_id in rounds}
    for answer in Annotation.objects.for_agreement().filter(item__in=rounds).order_by("id"):
        if answer.round == rounds[answer.item_id]:
            left[answer.item_id].append(answer)
    state = {
        item_id: consensus_of(project, given, guideline, wanted[item_id]).state
        for item_id, given in left.items()
    }
    settled = {
        item_id: truth.origin
        for item_id, truth in newest_truths(rounds).items()
        if truth.kind != TruthKind.WITHDRAWN
    }
    # An assisted label goes with whichever answer there was: with few it is not told which of them it rests on.
    fall = {
        item_id
        for item_id, origin in settled.items()
        if origin == Origin.ASSISTED or (origin == Origin.AGREEMENT and state[item_id] != "agreed")
    }
    if fall:
        withdraw_truths(project=project, item_ids=fall, guideline=guideline, origin=Origin.UNDONE)
    disputes = {each.item_id: each for each in Dispute.objects.open().filter(item__in=rounds)}
    over = [
        each
        for each in disputes.values()
        if state[each.item_id] == "wait"
        and each.round == rounds[each.item_id]
        and each.cause in (DisputeCause.DISAGREEMENT, DisputeCause.HOLD)
    ]
    Ruling.objects.bulk_create(
        Ruling(dispute=each, outcome=Outcome.WITHDRAWN, guideline=guideline) for each in over
    )
    still = disputes.keys() - {each.item_id for each in over}
    reopened = {
        item_id: round
        for item_id, round in rounds.items()
        if (item_id not in settled or item_id in fall) and item_id not in still
    }
    if reopened:
        events.reopened.send(sender=Annotation, project=project, rounds=reopened)


def undo_until(project: Project, annotation: Annotation) -> datetime:
    return annotation.created_at + timedelta(seconds=project.undo_seconds)


def _check_answer(project: Project, guideline: Guideline, answer: Answer) -> ClassDefinition | None:
    """The class definition that the answer names, or ``None`` for hold and unusable."""
    refuse_contradiction(answer)
    if answer.kind == AnswerKind.CLASS:
        definition = active_class(guideline, answer.class_key)
        missing = [line for line in definition.checklist if line not in answer.checklist]
        if project.checklist_required and missing:
            raise Refused.invalid(
                "checklist",
                _("Tick every criterion of this class, or hold the photo. Missing: %(missing)s")
                % {"missing": "; ".join(missing)},
                short=missing,
                code="checklist_incomplete",
            )
        return definition
    return None
