"""What :func:`~labeling.truth.settling.settle` does for one photo, for many that nothing settles yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Guideline, Item, Project
from labeling.truth import events
from labeling.truth.consensus import agreeing
from labeling.truth.current import newest_truths
from labeling.truth.models import Annotation, Dispute, Draw, GroundTruth, Origin
from labeling.truth.settling import consensus_of


def settle_swept(*, project: Project, rounds: Mapping[int, int], guideline: Guideline) -> None:
    """Make ground truths and disputes of the standing answers of photos, where they suffice.

    ``rounds``: item id -> its round now. The photos are locked; none has a ground truth in force or an open dispute, none
    was drawn at random, and each has an answer that was not blind.
    """
    resolution = catalog.class_resolution(project, guideline)
    given = defaultdict(list)
    for answer in Annotation.objects.for_agreement().filter(item__in=rounds).order_by("id"):
        if answer.round == rounds[answer.item_id]:
            given[answer.item_id].append(answer)
    wanted = dict(Item.objects.filter(pk__in=rounds).values_list("pk", "answers_wanted"))
    agreed, disputed = {}, {}
    for item_id, answers in given.items():
        decision = consensus_of(project, answers, guideline, wanted[item_id])
        if decision.state == "agreed":
            agreed[item_id] = decision
        elif decision.state == "disputed":
            disputed[item_id] = decision
    ends = newest_truths(agreed)
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=item_id,
            kind=decision.kind,
            label_class_id=decision.label_class_id,
            origin=Origin.AGREEMENT,
            draw=Draw.SWEEP,
            # versions are written in turn, so ids rise
            guideline_id=min(each.guideline_id for each in agreeing(given[item_id], decision, resolution)),
            supersedes=ends.get(item_id),
        )
        for item_id, decision in agreed.items()
    )
    Dispute.objects.bulk_create(
        Dispute(project=project, item_id=item_id, round=rounds[item_id], cause=decision.cause)
        for item_id, decision in disputed.items()
    )
    if agreed:
        events.imported.send(sender=GroundTruth, project=project, item_ids=list(agreed))
    if disputed:
        events.disputed.send(sender=Dispute, project=project, item_ids=list(disputed))
