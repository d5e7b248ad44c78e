"""Somebody who has read all there is to settled photos says what they are: another word, appended, that supersedes the one
in force. It is a ruling like any other, on a dispute that was raised for it, so it trains and proves nothing
(``first_word``).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import OuterRef
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Project
from labeling.database.planner import LookedUp
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.current import current_rounds, ends_of_chains
from labeling.truth.models import Annotation, Dispute, DisputeCause, Gold, Outcome, Ruling, TruthKind
from labeling.truth.reviewing import check_ruling, end_disputes, own_answer
from labeling.truth.settling import lock_photos


@transaction.atomic
def correct(
    *,
    project: Project,
    item_ids: Collection[int],
    by: User,
    outcome: str,
    class_key: str = "",
    reason: str = "",
    comment: str = "",
    note: str = "",
) -> dict[int, Ruling | Refused]:
    """Rule alike on photos whose ground truth is wrong, or (``send_back``) have people asked again. ``comment`` says why.

    Returns item id -> the ruling, or why the photo stays as it is, which stops no other: ``not_settled`` where no ground
    truth is in force, ``in_review`` where a dispute is open, ``gold`` where people are checked with it, ``nothing_changed``
    or ``own_answer`` (409). In as many statements for a hundred photos as for one.

    Raises :class:`Refused` ``unknown_class`` or ``invalid`` (422), with nothing ruled.
    """
    if not comment.strip():
        raise Refused.invalid(
            "comment", _("Say why: the reason stays beside the ground truth."), short=_("missing")
        )
    guideline = catalog.current_guideline(project)
    definition = check_ruling(guideline, outcome, class_key, reason, comment)
    class_id = definition.label_class_id if definition else None
    lock_photos(item_ids)
    # One look at what four rules ask: the end of the chain, and beside it what forbids another word.
    of_photo = OuterRef("item")
    settled = {
        truth.item_id: truth
        for truth in ends_of_chains()
        .filter(item__in=item_ids)
        .annotate(
            disputed=LookedUp(Dispute.objects.open().filter(item=of_photo)),
            is_gold=LookedUp(Gold.objects.filter(item=of_photo, retired_at__isnull=True)),
            own=LookedUp(Annotation.objects.standing().filter(item=of_photo, labeler=by)),
        )
    }
    found: dict[int, Ruling | Refused] = {}
    for item_id in item_ids:
        refused = _refusal(project, settled.get(item_id), outcome, class_id)
        if refused is not None:
            found[item_id] = refused
    rounds = current_rounds([item_id for item_id in item_ids if item_id not in found])
    # Ended in the same transaction: nobody is told that it waits.
    disputes = Dispute.objects.bulk_create(
        Dispute(project=project, item_id=item_id, round=round, cause=DisputeCause.REQUESTED)
        for item_id, round in rounds.items()
    )
    rulings = end_disputes(
        disputes,
        project=project,
        reviewer=by,
        outcome=outcome,
        definition=definition,
        reason=reason,
        comment=comment,
        note=note,
        guideline=guideline,
    )
    return found | {ruling.dispute.item_id: ruling for ruling in rulings}


def _refusal(project: Project, truth: Any, outcome: str, class_id: int | None) -> Refused | None:
    """``truth``: the end of the photo's chain with what was looked up beside it, if it has one."""
    if truth is None or truth.kind == TruthKind.WITHDRAWN:
        return Refused(
            "not_settled", _("This photo has no ground truth to correct. People are to answer it first.")
        )
    if truth.disputed:
        return Refused("in_review", _("This photo is before reviewers already. Rule on it there."))
    if truth.is_gold:
        return Refused("gold", _("People are checked with this photo, blind. Retire it as gold first."))
    if outcome != Outcome.SEND_BACK and (truth.kind, truth.label_class_id) == (outcome, class_id):
        return Refused(
            "nothing_changed", _("That is what the photo is called now. Choose what it is instead.")
        )
    if truth.own and not project.reviewer_may_rule_own:
        return own_answer()
    return None
