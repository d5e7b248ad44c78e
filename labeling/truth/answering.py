"""Append one answer, and take one back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import (
    ClassDefinition,
    Guideline,
    Project,
)
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.answers import Answer as Answer  # part of what a service takes
from labeling.truth.answers import refuse_contradiction
from labeling.truth.checking import check_gold
from labeling.truth.current import (
    open_dispute,
    photo_state,
    standing_answers,
    truth_in_force,
)
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
    append_truth,
    consensus_of,
    lock_photo,
    raise_dispute,
    settle,
)


@transaction.atomic
def record_answer(
    *,
    project: Project,
    item_id: int,
    round: int,
    labeler: User,
    key: UUID,
    answer: Answer,
    draw: str,
    context: dict[str, Any],
    shown_at: datetime | None,
    view_ms: int,
    under: int | None = None,
    lent_at: datetime | None = None,
) -> Annotation:
    """Append one answer, and whatever follows from it: ground truth, a dispute, a paused labeler.

    ``under``: number of the guideline version that the answer was given under, whose classes it may name. Without it, the
    one in force at ``lent_at``; without that, the newest. A class that was merged or retired since counts as it does in
    older answers.
    Raises :class:`Refused` ``too_fast``, ``unknown_class``, ``checklist_incomplete`` or ``invalid`` (422).
    """
    if view_ms < project.min_view_ms:
        raise Refused.invalid(
            None,
            _("This project asks for at least %(ms)d ms with each photo. Look once more, then answer again.")
            % {"ms": project.min_view_ms},
            code="too_fast",
        )
    newest_id, under_id, audited, undone_id = _lock_to_answer(
        project, item_id, round, labeler, under, lent_at
    )
    if under_id is None:
        raise Refused.invalid(
            "guideline",
            _("This project has no guideline version %(number)s. Name the one that you read, or none.")
            % {"number": under},
            short=_("unknown"),
        )
    newest, given_under = catalog.guideline(newest_id), catalog.guideline(under_id)
    definition = _check_answer(project, given_under, answer)
    annotation = Annotation.objects.create(
        project=project,
        item_id=item_id,
        round=round,
        labeler=labeler,
        key=key,
        kind=answer.kind,
        label_class_id=definition.label_class_id if definition else None,
        reason=answer.reason,
        comment=answer.comment,
        checklist=list(answer.checklist),
        guideline=given_under,
        draw=draw,
        context=context,
        shown_at=shown_at,
        view_ms=view_ms,
        replaces_id=undone_id,
    )
    if draw == Draw.GOLD:
        check_gold(project, labeler, newest)
    else:
        state = photo_state(project, item_id, round, labeler)
        if not settle(project, item_id, round, newest, state, audited=audited) and state.paused:
            raise_dispute(project, item_id, round, DisputeCause.PAUSED)
    return annotation


def _lock_to_answer(
    project: Project, item_id: int, round: int, labeler: User, under: int | None, lent_at: datetime | None
) -> tuple[int, int | None, bool, int | None]:
    """One writer a photo, as :func:`lock_photo`; return what the answer needs to know beside.

    Ids of the newest guideline and of the one that the answer was given under (``None`` where there is no such number),
    whether the photo was drawn for the audit, and the retraction that this answer follows.
    """
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
            [project.pk, project.pk, under, project.pk, lent_at, round, labeler.pk, item_id],
        )
        newest, named, then, audited, undone = cursor.fetchone()
    return newest, named if under is not None else then or newest, audited, undone


@transaction.atomic
def retract_answer(*, project: Project, labeler: User, key: UUID) -> Annotation:
    """Take an answer back within the project's window. A second call changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``undo_too_late`` or ``already_ruled`` (409).
    """
    annotation = Annotation.objects.filter(project=project, labeler=labeler, key=key).first()
    if annotation is None:
        raise Refused("not_found", _("There is no answer of yours with this key."), status=404)
    lock_photo(annotation.item_id)
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
    if disputes.filter(ruling__reviewer__isnull=False).exists():
        raise Refused("already_ruled", _("A reviewer has already ruled on this photo, so the ruling stands."))
    Retraction.objects.create(annotation=annotation, by=labeler)
    if annotation.draw == Draw.GOLD:
        return annotation
    guideline = catalog.current_guideline(project)
    decision = consensus_of(project, standing_answers(annotation.item_id, annotation.round), guideline)
    truth = truth_in_force(annotation.item_id)
    if truth is not None and truth.origin == Origin.AGREEMENT and decision.state != "agreed":
        append_truth(project, annotation.item_id, TruthKind.WITHDRAWN, None, Origin.WITHDRAWAL, guideline.pk)
    if decision.state == "wait":
        for dispute in disputes.open().filter(cause__in=[DisputeCause.DISAGREEMENT, DisputeCause.HOLD]):
            Ruling.objects.create(dispute=dispute, outcome=Outcome.WITHDRAWN, guideline=guideline)
    if truth_in_force(annotation.item_id) is None and open_dispute(annotation.item_id) is None:
        events.reopened.send(
            sender=Annotation, project=project, item_id=annotation.item_id, round=annotation.round
        )
    return annotation


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
