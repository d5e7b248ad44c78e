"""Somebody who has read all there is to a settled photo says what it is: another word, appended, that supersedes the one in
force. It is a ruling like any other, on a dispute that was raised for it, so it trains and proves nothing (``first_word``).
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.current import current_round
from labeling.truth.models import (
    Annotation,
    Dispute,
    DisputeCause,
    Gold,
    GroundTruth,
    Outcome,
    Ruling,
    TruthKind,
)
from labeling.truth.reviewing import check_ruling, end_dispute, own_answer
from labeling.truth.settling import lock_photo


@transaction.atomic
def correct(
    *,
    project: Project,
    item: Item,
    by: User,
    outcome: str,
    class_key: str = "",
    reason: str = "",
    comment: str = "",
    note: str = "",
) -> Ruling:
    """Rule on a photo whose ground truth is wrong, or (``send_back``) have people asked again. ``comment`` says why.

    Raises :class:`Refused` ``unknown_class`` or ``invalid`` (422); ``not_settled`` where no ground truth is in force,
    ``in_review`` where a dispute is open, ``gold`` where people are checked with it, ``nothing_changed`` or
    ``own_answer`` (409).
    """
    if not comment.strip():
        raise Refused.invalid(
            "comment", _("Say why: the reason stays beside the ground truth."), short=_("missing")
        )
    guideline = catalog.current_guideline(project)
    definition = check_ruling(guideline, outcome, class_key, reason, comment)
    lock_photo(item.pk)
    # One look at what four rules ask: the end of the chain, and beside it what forbids another word.
    truth: Any = (  # annotated
        GroundTruth.objects.filter(item=item, superseded_by__isnull=True)
        .annotate(
            disputed=Exists(Dispute.objects.open().filter(item=item)),
            is_gold=Exists(Gold.objects.filter(item=item, retired_at__isnull=True)),
            own=Exists(Annotation.objects.standing().filter(item=item, labeler=by)),
        )
        .first()
    )
    if truth is None or truth.kind == TruthKind.WITHDRAWN:
        raise Refused(
            "not_settled", _("This photo has no ground truth to correct. People are to answer it first.")
        )
    if truth.disputed:
        raise Refused("in_review", _("This photo is before reviewers already. Rule on it there."))
    if truth.is_gold:
        raise Refused("gold", _("People are checked with this photo, blind. Retire it as gold first."))
    class_id = definition.label_class_id if definition else None
    if outcome != Outcome.SEND_BACK and (truth.kind, truth.label_class_id) == (outcome, class_id):
        raise Refused(
            "nothing_changed", _("That is what the photo is called now. Choose what it is instead.")
        )
    if truth.own and not project.reviewer_may_rule_own:
        raise own_answer()
    # Ended in the same transaction: nobody is told that it waits.
    dispute = Dispute.objects.create(
        project=project, item=item, round=current_round(item.pk), cause=DisputeCause.REQUESTED
    )
    return end_dispute(
        dispute,
        reviewer=by,
        outcome=outcome,
        label_class_id=class_id,
        class_key=class_key,
        reason=reason,
        comment=comment,
        note=note,
        guideline=guideline,
    )
