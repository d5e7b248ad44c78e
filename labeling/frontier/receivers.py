"""The frontier's side of what the rooms below tell: each is a call of a service, in the sender's transaction."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.dispatch import receiver

from labeling.catalog.events import guideline_changed
from labeling.catalog.models import Guideline, Item, Project
from labeling.frontier import services
from labeling.frontier.blind import refuse_drawn
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    EndKind,
    EndReason,
    Mode,
)
from labeling.frontier.policy import policy_of
from labeling.learning.events import promoted
from labeling.queue.events import ranking_swapped
from labeling.queue.exemplars import new_exemplars
from labeling.truth.events import gold_chosen, reopened, settled


@receiver(promoted)
def on_another_champion(*, project: Project, **_: Any) -> None:
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.MODEL)
    services.certify_when_wanted(project=project)


@receiver(gold_chosen)
def on_gold_chosen(*, project: Project, item: Item, **_: Any) -> None:
    refuse_drawn(project=project, items=[item])


@receiver(guideline_changed)
def on_another_guideline(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Refuses, and with it the new version, where an exemplar is a photo of a random sample."""
    refuse_drawn(
        project=project, items=new_exemplars(project=project, guideline=guideline), field="exemplars"
    )
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.GUIDELINE)


@receiver(ranking_swapped)
def on_ranking_swapped(*, project: Project, **_: Any) -> None:
    """New photos have scores now, and all entries are new."""
    if AutomaticDecision.objects.filter(project=project, mode=Mode.ON).exists():
        services.withdraw_decided(project=project)
    if (
        policy_of(project).mode != Mode.OFF
        and Certificate.objects.in_force().filter(project=project).exists()
    ):
        services.request_deciding(project=project)


# Each answer that settles a photo asks this, so it is one look.
_TOUCHES = """
SELECT EXISTS (SELECT 1 FROM frontier_automaticdecision WHERE item_id = %(item)s AND mode = 'on' AND audit),
       EXISTS (SELECT 1 FROM catalog_item WHERE id = %(item)s AND audit_drawn_at IS NOT NULL)
       OR EXISTS (SELECT 1 FROM frontier_drawnphoto WHERE item_id = %(item)s)
"""


@receiver(settled)
def on_settled(*, project: Project, item_id: int, **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHES, {"item": item_id})
        audited, drawn = cursor.fetchone()
    if audited:
        services.request_watching(project=project)
    if drawn and not _void_what_rests_on(project, item_id):
        services.look_again_when_due(project=project)


@receiver(reopened)
def on_reopened(*, project: Project, item_id: int, **_: Any) -> None:
    _void_what_rests_on(project, item_id)


def _void_what_rests_on(project: Project, item_id: int) -> bool:
    """The word on a photo of the sample is another one, or none: what was proven with it is void."""
    touched = Certificate.objects.in_force().filter(project=project, run__item_ids__contains=[item_id])
    ids = list(touched.values_list("pk", flat=True))
    if not ids:
        return False
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.SAMPLE, only=ids)
    services.certify_when_wanted(project=project)
    return True
