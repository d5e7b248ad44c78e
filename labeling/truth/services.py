"""Writes of the truth room. Each service is one transaction, and appends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import (
    AgreementRule,
    ClassDefinition,
    ClassState,
    Exemplar,
    Guideline,
    Item,
    Project,
)
from labeling.catalog.services import log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.agreement import Answered, Verdict, agreeing, verdict
from labeling.truth.answers import REASONS, refuse_contradiction
from labeling.truth.answers import Answer as Answer  # part of what a service takes
from labeling.truth.current import (
    PhotoState,
    current_round,
    newest_truth,
    open_dispute,
    photo_state,
    standing_answers,
    truth_in_force,
)
from labeling.truth.gold import gold_record
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    DisputeCause,
    Draw,
    Gold,
    GroundTruth,
    Origin,
    Outcome,
    Pause,
    Retraction,
    Ruling,
    SweepCheck,
    TruthKind,
)

# -- answers ---------------------------------------------------------------------------------------------------


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
        raise Refused(
            "too_fast",
            _("This project asks for at least %(ms)d ms with each photo. Look once more, then answer again.")
            % {"ms": project.min_view_ms},
            status=422,
        )
    newest_id, under_id, audited, undone_id = _lock_to_answer(
        project, item_id, round, labeler, under, lent_at
    )
    if under_id is None:
        raise Refused(
            "invalid",
            _("This project has no guideline version %(number)s. Name the one that you read, or none.")
            % {"number": under},
            status=422,
            fields={"guideline": _("unknown")},
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
        _check_gold(project, labeler, newest)
    else:
        state = photo_state(project, item_id, round, labeler)
        if not _settle(project, item_id, round, newest, state, audited=audited) and state.paused:
            _open_dispute(project, item_id, round, DisputeCause.PAUSED)
    return annotation


def _lock_to_answer(
    project: Project, item_id: int, round: int, labeler: User, under: int | None, lent_at: datetime | None
) -> tuple[int, int | None, bool, int | None]:
    """One writer a photo, as :func:`_lock`; return what the answer needs to know beside.

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


def reconsider(*, project: Project, item_ids: list[int]) -> None:
    """Judge standing answers again, after the rule or the classes changed. One transaction a photo."""
    guideline = catalog.current_guideline(project)
    for item_id in item_ids:
        with transaction.atomic():
            _lock(item_id)
            round = current_round(item_id)
            _settle(project, item_id, round, guideline, photo_state(project, item_id, round))


@transaction.atomic
def retract_answer(*, project: Project, labeler: User, key: UUID) -> Annotation:
    """Take an answer back within the project's window. A second call changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``undo_too_late`` or ``already_ruled`` (409).
    """
    annotation = Annotation.objects.filter(project=project, labeler=labeler, key=key).first()
    if annotation is None:
        raise Refused("not_found", _("There is no answer of yours with this key."), status=404)
    _lock(annotation.item_id)
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
    decision = _verdict(project, standing_answers(annotation.item_id, annotation.round), guideline)
    truth = truth_in_force(annotation.item_id)
    if truth is not None and truth.origin == Origin.AGREEMENT and decision.state != "agreed":
        _append_truth(project, annotation.item_id, TruthKind.WITHDRAWN, None, Origin.WITHDRAWAL, guideline.pk)
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


# -- review ----------------------------------------------------------------------------------------------------


@transaction.atomic
def rule(
    *,
    project: Project,
    dispute_id: UUID,
    reviewer: User,
    outcome: str,
    class_key: str = "",
    reason: str = "",
    comment: str = "",
) -> Ruling:
    """End a dispute. A ruling makes ground truth, or (``send_back``) asks for a new round of answers.

    Raises :class:`Refused` ``not_found`` (404), ``already_ruled``, ``own_answer`` (409), ``unknown_class`` or
    ``invalid`` (422).
    """
    dispute = Dispute.objects.filter(project=project, pk=dispute_id).first()
    if dispute is None:
        raise Refused("not_found", _("There is no such dispute in this project."), status=404)
    # Locked before looking: an undo that dissolves the dispute writes its ruling under the photo's lock.
    _lock(dispute.item_id)
    if Ruling.objects.filter(dispute=dispute).exists():
        raise Refused("already_ruled", _("Somebody has just ruled on this photo. Take the next one."))
    own = Annotation.objects.standing().filter(item_id=dispute.item_id, labeler=reviewer)
    if own.exists() and not project.reviewer_may_rule_own:
        raise Refused(
            "own_answer",
            _("You answered this photo yourself, so somebody else must rule on it. Take the next one."),
        )
    guideline = catalog.current_guideline(project)
    definition: ClassDefinition | None = None
    if outcome == Outcome.CLASS:
        definition = _active_class(guideline, class_key)
    elif outcome not in {Outcome.HOLD, Outcome.UNUSABLE, Outcome.SEND_BACK}:
        raise Refused(
            "invalid",
            _("A ruling is one of: class, hold, unusable, send_back."),
            status=422,
            fields={"outcome": _("unknown")},
        )
    if outcome == Outcome.SEND_BACK and not comment.strip():
        raise Refused(
            "invalid",
            _("Say in the comment what the labelers should look at."),
            status=422,
            fields={"comment": _("missing")},
        )
    if reason and reason not in REASONS.get(outcome, []):
        raise Refused(
            "invalid",
            _("This ruling takes no reason.")
            if outcome not in REASONS
            else _("Give the reason, one of: %(reasons)s.") % {"reasons": ", ".join(REASONS[outcome])},
            status=422,
            fields={"reason": _("unknown")},
        )
    if class_key and outcome != Outcome.CLASS:
        raise Refused(
            "invalid",
            _("Only a ruling on a class names one."),
            status=422,
            fields={"class": _("not with this outcome")},
        )
    ruling = Ruling.objects.create(
        dispute=dispute,
        reviewer=reviewer,
        outcome=outcome,
        label_class_id=definition.label_class_id if definition else None,
        reason=reason,
        comment=comment[:1000],
        guideline=guideline,
    )
    # The diary is for admins; what it says of a ruling, the review page says to them as well.
    log_activity(
        project=project,
        kind="ruled",
        actor=reviewer,
        item=dispute.item_id,
        dispute=str(dispute.pk),
        outcome=outcome,
        key=class_key,
    )
    if outcome == Outcome.SEND_BACK:
        if truth_in_force(dispute.item_id) is not None:
            _append_truth(
                project, dispute.item_id, TruthKind.WITHDRAWN, None, Origin.WITHDRAWAL, guideline.pk
            )
        events.reopened.send(
            sender=Ruling, project=project, item_id=dispute.item_id, round=current_round(dispute.item_id)
        )
    else:
        _append_truth(
            project,
            dispute.item_id,
            outcome,
            ruling.label_class_id,
            Origin.RULING,
            guideline.pk,
            ruling=ruling,
        )
        events.settled.send(sender=Ruling, project=project, item_id=dispute.item_id)
    return ruling


@transaction.atomic
def request_review(
    *, project: Project, item: Item, by: User | None, cause: str = DisputeCause.REQUESTED, note: str = ""
) -> Dispute:
    """Put a photo before a reviewer. Its ground truth, if any, stays in force until the ruling."""
    _lock(item.pk)
    existing = open_dispute(item.pk)
    if existing is not None:
        return existing
    dispute = _open_dispute(project, item.pk, current_round(item.pk), cause, note=note)
    log_activity(project=project, kind="review_requested", actor=by, item=item.pk, note=note)
    return dispute


# -- gold ------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_gold(*, project: Project, item: Item, class_key: str, by: User) -> Gold:
    """Declare a photo's answer known, and ask it blind from now on.

    Raises :class:`Refused` ``unknown_class`` or, for an exemplar, ``invalid`` (422), ``already_answered`` (409) if people
    have begun on it, or ``conflict`` (409) if it is or was gold with another class: people were checked against that one, so
    only a ruling changes it.
    """
    guideline = catalog.current_guideline(project)
    definition = _active_class(guideline, class_key)
    if Exemplar.objects.filter(definition__guideline=guideline, image=item.image_id).exists():
        raise Refused(
            "invalid",
            _("This photo is an exemplar, so everybody sees its class. Choose one that is not shown."),
            status=422,
        )
    _lock(item.pk)
    existing = Gold.objects.filter(item=item).first()
    if existing is not None:
        known = catalog.class_resolution(project, guideline).get(existing.label_class_id)
        if known != definition.label_class_id:
            raise Refused("conflict", _gold_with_another_class(existing))
        if existing.retired_at is not None:
            existing.retired_at = None
            existing.save(update_fields=["retired_at"])
        return existing
    if Annotation.objects.filter(item=item).exists():
        raise Refused(
            "already_answered",
            _("People have answered this photo, so it can no longer be asked blind. Choose a fresh one."),
        )
    gold = Gold.objects.create(
        item=item, project=project, label_class_id=definition.label_class_id, added_by=by
    )
    _append_truth(
        project,
        item.pk,
        TruthKind.CLASS,
        definition.label_class_id,
        Origin.GOLD,
        guideline.pk,
    )
    events.settled.send(sender=Gold, project=project, item_id=item.pk)
    return gold


def _gold_with_another_class(gold: Gold) -> str:
    known = gold.label_class.key
    if gold.retired_at is None:
        return _(
            "This photo is gold already, as %(class)s. Retire it, and send it to review if that is wrong."
        ) % {"class": known}
    return _(
        "This photo was gold as %(class)s, and stays settled so. Send it to review: the ruling takes that class's place."
    ) % {"class": known}


@transaction.atomic
def retire_gold(*, gold: Gold, by: User) -> Gold:
    """Stop asking this gold photo. Past answers to it keep counting for the people who gave them.

    It stays settled as what it was known to be; ``request_review`` is the way to another class.
    """
    if gold.retired_at is None:
        gold.retired_at = timezone.now()
        gold.save(update_fields=["retired_at"])
        log_activity(project=gold.project, kind="gold_retired", actor=by, item=gold.item_id)
    return gold


@dataclass(frozen=True)
class Checked:
    """A gold photo of a grid, and what the labeler did with it: marked or not, and as which class if they named one."""

    item_id: int
    known_id: int
    found: bool
    named_id: int | None = None


@transaction.atomic
def record_checks(
    *, project: Project, labeler: User, sweep: UUID, shown_as_id: int, checked: Sequence[Checked]
) -> None:
    """Append how a labeler did on the gold photos of one grid. Too many misses pause them, like any gold answers."""
    guideline = catalog.current_guideline(project)
    SweepCheck.objects.bulk_create(
        [
            SweepCheck(
                project=project,
                labeler=labeler,
                item_id=each.item_id,
                sweep=sweep,
                shown_as_id=shown_as_id,
                known_id=each.known_id,
                found=each.found,
                right=each.found and each.named_id in {None, each.known_id},
                guideline=guideline,
            )
            for each in checked
        ],
        ignore_conflicts=True,
    )
    _check_gold(project, labeler, guideline)


@transaction.atomic
def lift_pause(*, project: Project, labeler: User, by: User) -> Pause:
    """Let a paused labeler go on. The gold record starts afresh.

    Raises :class:`Refused` ``not_paused`` (409).
    """
    pause = (
        Pause.objects.select_for_update()
        .filter(project=project, labeler=labeler, lifted_at__isnull=True)
        .first()
    )
    if pause is None:
        raise Refused("not_paused", _("This person is not paused."))
    pause.lifted_at = timezone.now()
    pause.lifted_by = by
    pause.save(update_fields=["lifted_at", "lifted_by"])
    log_activity(project=project, kind="labeler_resumed", actor=by, labeler=labeler.username)
    return pause


# -- parts -----------------------------------------------------------------------------------------------------


def _lock(item_id: int) -> None:
    """One writer a photo: of two last answers at the same moment, the second must see the first."""
    Item.objects.select_for_update(no_key=True).only("pk").get(pk=item_id)


def _active_class(guideline: Guideline, class_key: str) -> ClassDefinition:
    definitions = [each for each in catalog.schema_of(guideline.pk) if each.state == ClassState.ACTIVE]
    for definition in definitions:
        if definition.label_class.key == class_key:
            return definition
    raise Refused(
        "unknown_class",
        _("There is no class “%(key)s” in this project now. Use one of: %(keys)s.")
        % {"key": class_key, "keys": ", ".join(d.label_class.key for d in definitions)},
        status=422,
        fields={"class": _("unknown")},
    )


def _check_answer(project: Project, guideline: Guideline, answer: Answer) -> ClassDefinition | None:
    """The class definition that the answer names, or ``None`` for hold and unusable."""
    refuse_contradiction(answer)
    if answer.kind == AnswerKind.CLASS:
        definition = _active_class(guideline, answer.class_key)
        missing = [line for line in definition.checklist if line not in answer.checklist]
        if project.checklist_required and missing:
            raise Refused(
                "checklist_incomplete",
                _("Tick every criterion of this class, or hold the photo. Missing: %(missing)s")
                % {"missing": "; ".join(missing)},
                status=422,
                fields={"checklist": missing},
            )
        return definition
    return None


def _verdict(project: Project, answers: Sequence[Answered], guideline: Guideline) -> Verdict:
    wanted = project.answers_per_image
    return verdict(
        answers,
        wanted=wanted,
        needed=wanted if project.rule == AgreementRule.UNANIMOUS else project.agreement_k,
        resolution=catalog.class_resolution(project, guideline),
    )


def _settle(
    project: Project,
    item_id: int,
    round: int,
    guideline: Guideline,
    state: PhotoState,
    *,
    audited: bool | None = None,
) -> bool:
    """Make ground truth or a dispute of the standing answers, if they suffice; return whether the photo has either.

    ``guideline``: the newest version, which says what each answer counts as today. The ground truth is of the oldest
    version among the answers it rests on: what it proves is proven of those criteria.
    """
    if state.in_force or state.disputed:
        return True
    decision = _verdict(project, state.answers, guideline)
    if decision.state == "agreed":
        resting = agreeing(state.answers, decision, catalog.class_resolution(project, guideline))
        _append_truth(
            project,
            item_id,
            decision.kind,
            decision.label_class_id,
            Origin.AGREEMENT,
            min(each.guideline_id for each in resting),  # versions are written in turn, so ids rise with them
            audited=audited,
            supersedes=state.newest_truth,
            swept=state.swept,
        )
        events.settled.send(sender=Annotation, project=project, item_id=item_id)
    elif decision.state == "disputed":
        _open_dispute(project, item_id, round, decision.cause)
    return decision.state != "wait"


def _open_dispute(project: Project, item_id: int, round: int, cause: str, *, note: str = "") -> Dispute:
    dispute = Dispute.objects.create(project=project, item_id=item_id, round=round, cause=cause, note=note)
    events.disputed.send(sender=Dispute, project=project, item_id=item_id)
    return dispute


def _append_truth(
    project: Project,
    item_id: int,
    kind: str,
    label_class_id: int | None,
    origin: str,
    guideline_id: int,
    *,
    ruling: Ruling | None = None,
    audited: bool | None = None,
    supersedes: int | None = None,
    swept: bool | None = None,
) -> GroundTruth:
    """``audited``, ``supersedes`` and ``swept`` spare look-ups where the caller knows; the first only with the second.

    What rests on an answer from a sweep says so, also as a reviewer's ruling, and even if the audit drew the photo.
    """
    if audited is None:
        audited = Item.objects.filter(pk=item_id, audit_drawn_at__isnull=False).exists()
        newest = newest_truth(item_id)
        supersedes = newest.pk if newest else None
    if swept is None:
        round = ruling.dispute.round if ruling else current_round(item_id)
        swept = any(answer.draw == Draw.SWEEP for answer in standing_answers(item_id, round))
    draw = Draw.AUDIT if audited else Draw.RANK
    if origin == Origin.GOLD:
        draw = Draw.GOLD
    elif swept:
        draw = Draw.SWEEP
    return GroundTruth.objects.create(
        project=project,
        item_id=item_id,
        kind=kind,
        label_class_id=label_class_id,
        origin=origin,
        draw=draw,
        ruling=ruling,
        guideline_id=guideline_id,
        supersedes_id=supersedes,
    )


def _check_gold(project: Project, labeler: User, guideline: Guideline) -> None:
    """Pause a labeler whose last gold answers are under the bar; their unconfirmed answers go to review."""
    record = gold_record(project, labeler, guideline)
    if len(record) < project.gold_window or sum(record) / len(record) >= project.gold_bar:
        return
    pause, created = Pause.objects.get_or_create(
        project=project,
        labeler=labeler,
        lifted_at=None,
        defaults={"correct": sum(record), "asked": len(record), "bar": project.gold_bar},
    )
    if not created:
        return
    unconfirmed = (
        Annotation.objects.for_agreement()
        .filter(project=project, labeler=labeler)
        .exclude(item__in=GroundTruth.objects.current().filter(project=project).values("item"))
        .exclude(item__in=Dispute.objects.open().filter(project=project).values("item"))
        .order_by("item_id")  # always the same order, so that two pauses at once cannot lock each other
    )
    to_review = 0
    for answer in unconfirmed:
        _lock(answer.item_id)
        if truth_in_force(answer.item_id) is None and open_dispute(answer.item_id) is None:
            _open_dispute(project, answer.item_id, answer.round, DisputeCause.PAUSED)
            to_review += 1
    log_activity(
        project=project,
        kind="labeler_paused",
        labeler=labeler.username,
        correct=pause.correct,
        asked=pause.asked,
        to_review=to_review,
    )
