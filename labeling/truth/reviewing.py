"""Put a photo before a reviewer, and append the ruling."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import ClassDefinition, Guideline, Item, Project
from labeling.catalog.services import log_activities, log_activity
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.lengths import longest
from labeling.text.notes import kept_whole
from labeling.truth import events
from labeling.truth.answers import REASONS
from labeling.truth.current import current_round, current_rounds, newest_truths, open_dispute
from labeling.truth.models import Annotation, Dispute, DisputeCause, Origin, Outcome, Ruling, TruthKind
from labeling.truth.settling import active_class, append_truths, lock_photo, raise_dispute, withdraw_truths


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
    note: str = "",
) -> Ruling:
    """End a dispute. A ruling makes ground truth, or (``send_back``) asks for a new round of answers.

    ``comment`` is for reviewers and admins, ``note`` for the labelers whose answers it overrules (``truth.own_answers``).

    Raises :class:`Refused` ``not_found`` (404), ``already_ruled``, ``own_answer`` (409), ``unknown_class`` or
    ``invalid`` (422).
    """
    dispute = dispute_to_rule_on(project=project, dispute_id=dispute_id, reviewer=reviewer)
    guideline = catalog.current_guideline(project)
    definition = check_ruling(guideline, outcome, class_key, reason, comment)
    (ruling,) = end_disputes(
        [dispute],
        project=project,
        reviewer=reviewer,
        outcome=outcome,
        definition=definition,
        reason=reason,
        comment=comment,
        note=note,
        guideline=guideline,
    )
    return ruling


def end_disputes(
    disputes: Sequence[Dispute],
    *,
    project: Project,
    reviewer: User,
    outcome: str,
    definition: ClassDefinition | None,
    reason: str,
    comment: str,
    note: str,
    guideline: Guideline,
) -> list[Ruling]:
    """Append the same ruling, which was checked, on disputes of locked photos, one a photo, and what follows from it.

    ``definition``: of the class that it names, if it names one.
    """
    if not disputes:
        return []
    label_class = definition.label_class if definition else None
    comment = kept_whole(comment, field="comment", longest=longest(Ruling, "comment"))
    note = kept_whole(note, field="note")
    rulings = Ruling.objects.bulk_create(
        Ruling(
            dispute=dispute,
            reviewer=reviewer,
            outcome=outcome,
            label_class=label_class,
            reason=reason,
            comment=comment,
            note=note,
            guideline=guideline,
        )
        for dispute in disputes
    )
    # The diary is for admins; what it says of a ruling, the review page says to them as well.
    log_activities(
        project=project,
        kind="ruled",
        actor=reviewer,
        data=[
            {
                "item": each.item_id,
                "dispute": str(each.pk),
                "outcome": outcome,
                "key": label_class.key if label_class else "",
            }
            for each in disputes
        ],
    )
    by_item = {ruling.dispute.item_id: ruling for ruling in rulings}
    if outcome == Outcome.SEND_BACK:
        _ask_again(project, by_item, guideline)
    else:
        _settle_as_ruled(project, by_item, rulings[0])
    return rulings


def dispute_to_rule_on(*, project: Project, dispute_id: UUID, reviewer: User) -> Dispute:
    """The dispute, its photo locked, if this person may rule on it now.

    Raises :class:`Refused` ``not_found`` (404), ``already_ruled`` or ``own_answer`` (409).
    """
    dispute = Dispute.objects.filter(project=project, pk=dispute_id).first()
    if dispute is None:
        raise Refused("not_found", _("There is no such dispute in this project."), status=404)
    dispute.project = project
    # Locked before looking: an undo that dissolves the dispute writes its ruling under the photo's lock.
    lock_photo(dispute.item_id)
    if Ruling.objects.filter(dispute=dispute).exists():
        raise Refused("already_ruled", _("Somebody has just ruled on this photo. Take the next one."))
    own = Annotation.objects.standing().filter(item_id=dispute.item_id, labeler=reviewer)
    if own.exists() and not project.reviewer_may_rule_own:
        raise own_answer()
    return dispute


def own_answer() -> Refused:
    return Refused(
        "own_answer",
        _("You answered this photo yourself, so somebody else must rule on it. Take the next one."),
    )


def check_ruling(
    guideline: Guideline, outcome: str, class_key: str, reason: str, comment: str
) -> ClassDefinition | None:
    """The class definition that the ruling names, or ``None`` for one that is not on a class."""
    definition: ClassDefinition | None = None
    if outcome == Outcome.CLASS:
        definition = active_class(guideline, class_key)
    elif outcome not in {Outcome.HOLD, Outcome.UNUSABLE, Outcome.SEND_BACK}:
        raise Refused.invalid(
            "outcome", _("A ruling is one of: class, hold, unusable, send_back."), short=_("unknown")
        )
    if outcome == Outcome.SEND_BACK and not comment.strip():
        raise Refused.invalid(
            "comment", _("Say in the comment what the labelers should look at."), short=_("missing")
        )
    if reason and reason not in REASONS.get(outcome, []):
        raise Refused.invalid(
            "reason",
            _("This ruling takes no reason.")
            if outcome not in REASONS
            else _("Give the reason, one of: %(reasons)s.") % {"reasons": ", ".join(REASONS[outcome])},
            short=_("unknown"),
        )
    if class_key and outcome != Outcome.CLASS:
        raise Refused.invalid(
            "class", _("Only a ruling on a class names one."), short=_("not with this outcome")
        )
    return definition


def _ask_again(project: Project, item_ids: Collection[int], guideline: Guideline) -> None:
    """Withdraw the photos' ground truths, if any, and ask for a new round of answers."""
    newest = newest_truths(item_ids)
    settled = [item_id for item_id, truth in newest.items() if truth.kind != TruthKind.WITHDRAWN]
    withdraw_truths(project=project, item_ids=settled, guideline=guideline)
    events.reopened.send(sender=Ruling, project=project, rounds=current_rounds(item_ids))


def _settle_as_ruled(project: Project, rulings: Mapping[int, Ruling], alike: Ruling) -> None:
    asked: list[tuple[Any, Any]] = events.about_to_be_ruled.send(sender=Ruling, reviewer=alike.reviewer)
    append_truths(
        project=project,
        item_ids=rulings,
        kind=alike.outcome,
        label_class_id=alike.label_class_id,
        origin=Origin.RULING,
        guideline_id=alike.guideline_id,
        rulings=rulings,
        not_blind=[condition for _receiver, condition in asked],
    )
    events.settled.send(sender=Ruling, project=project, item_ids=list(rulings))


@transaction.atomic
def request_review(
    *, project: Project, item: Item, by: User | None, cause: str = DisputeCause.REQUESTED, note: str = ""
) -> Dispute:
    """Put a photo before a reviewer. Its ground truth, if any, stays in force until the ruling."""
    lock_photo(item.pk)
    existing = open_dispute(item.pk)
    if existing is not None:
        return existing
    note = kept_whole(note, field="note")
    dispute = raise_dispute(project, item.pk, current_round(item.pk), cause, note=note)
    log_activity(project=project, kind="review_requested", actor=by, item=item.pk, note=note)
    return dispute
