"""Open disputes whose answers agree now that classes were merged, or the rule asks for less: no reviewer is needed."""

from __future__ import annotations

from collections import defaultdict

from django.db import transaction
from django.db.models import F

from labeling.catalog.models import Guideline, Project
from labeling.truth.current import Given, current_round, photo_state
from labeling.truth.models import Annotation, Dispute, DisputeCause, Outcome, Ruling
from labeling.truth.settling import consensus_of, lock_photo, settle

#: What the rule itself brings before a reviewer. Where a person asked, or a model doubts, a person answers.
BY_RULE = (DisputeCause.DISAGREEMENT, DisputeCause.HOLD)


def settle_disputes_that_agree(*, project: Project, guideline: Guideline) -> int:
    """Dissolve the project's open disputes whose answers agree under ``guideline``, and settle their photos by the
    ordinary rule. Returns how many there were. The answers of all are read at once; only those that agree are locked.
    """
    # In the order of photos, as everybody who locks several of them.
    disputes = (
        Dispute.objects.open()
        .filter(project=project, cause__in=BY_RULE)
        .select_related("item")
        .order_by("item_id", "pk")
    )
    answers = _standing(project)
    settled = 0
    for dispute in disputes:
        given = answers.get((dispute.item_id, dispute.round), [])
        if consensus_of(project, given, guideline, dispute.item.answers_wanted).state == "agreed":
            settled += _settle(project, dispute, guideline)
    return settled


def _standing(project: Project) -> dict[tuple[int, int], list[Given]]:
    """The standing answers to disputed photos, by photo and round."""
    rows = (
        Annotation.objects.for_agreement()
        .filter(
            item__disputes__waits__project=project,
            item__disputes__cause__in=BY_RULE,
            item__disputes__round=F("round"),
        )
        .order_by("id")
        .values_list("item_id", "round", "kind", "label_class_id", "guideline_id")
    )
    answers: dict[tuple[int, int], list[Given]] = defaultdict(list)
    for item_id, round, kind, label_class_id, guideline_id in rows:
        answers[item_id, round].append(Given(kind, label_class_id, guideline_id))
    return answers


@transaction.atomic
def _settle(project: Project, dispute: Dispute, guideline: Guideline) -> bool:
    """Under the photo's lock everything is looked at again: a ruling or an undo may have come first."""
    lock_photo(dispute.item_id)
    if current_round(dispute.item_id) != dispute.round or Ruling.objects.filter(dispute=dispute).exists():
        return False
    state = photo_state(project, dispute.item_id, dispute.round)
    if consensus_of(project, state.answers, guideline, state.wanted).state != "agreed":
        return False
    Ruling.objects.create(dispute=dispute, outcome=Outcome.WITHDRAWN, guideline=guideline)
    return settle(
        project,
        dispute.item_id,
        dispute.round,
        guideline,
        photo_state(project, dispute.item_id, dispute.round),
    )
