"""The frontier's side of what the rooms below tell: each is a call of a service, in the sender's transaction."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.dispatch import receiver
from django.utils.translation import gettext as _

from labeling.catalog.events import guideline_changed, items_added, meaning_changed, meaning_priced
from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import Guideline, Project
from labeling.catalog.permissions import Action, may
from labeling.frontier import services
from labeling.frontier.blind import drawn_among, drawn_message
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CertificationRun,
    EndKind,
    EndReason,
    Mode,
)
from labeling.frontier.policy import policy_of
from labeling.learning.events import promoted
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.queue import machine_first
from labeling.queue.events import arrivals_placed, ranking_swapped
from labeling.queue.exemplars import new_exemplars
from labeling.refusals import Refused
from labeling.truth.events import answer_waits, gold_chosen, reopened, settled
from labeling.truth.first_word import first_word
from labeling.truth.models import Annotation


@receiver(promoted)
def on_another_champion(*, project: Project, **_: Any) -> None:
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.MODEL)
    services.certify_when_wanted(project=project)


@receiver(gold_chosen)
def on_gold_chosen(*, project: Project, item_ids: list[int], **_kwargs: Any) -> dict[int, Refused]:
    drawn = drawn_among(project=project, item_ids=item_ids) if item_ids else ()
    return {item_id: Refused("drawn", drawn_message()) for item_id in drawn}


@receiver(guideline_changed)
def on_another_guideline(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Refuses, and with it the new version, where an exemplar is a photo of a random sample."""
    shown = [item.pk for item in new_exemplars(project=project, guideline=guideline)]
    if drawn_among(project=project, item_ids=shown):
        raise Refused.invalid("exemplars", drawn_message(), code="drawn")


@receiver(meaning_changed)
def on_another_meaning(*, project: Project, by: User, **_kwargs: Any) -> None:
    """Refuses, and with it the change, where a certificate rests on the meaning and ``by`` is no admin."""
    standing = Certificate.objects.in_force().filter(project=project)
    ended = list(standing.exclude(guideline=meaning_now(project)).values_list("pk", flat=True))
    if ended and not may(by, project, Action.ADMIN):
        raise Refused(
            "admin_must_agree",
            _(
                "A certificate rests on what the guideline means, so an admin must agree. Propose it to them, or "
                "publish it as another wording if it means the same."
            ),
            status=403,
        )
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.GUIDELINE, only=ended)


@receiver(meaning_priced)
def on_meaning_priced(*, project: Project, **_kwargs: Any) -> dict[str, int]:
    """Labels of the newest look are those that a certificate of this meaning rests on, or was going to."""
    look = (
        CertificationRun.objects.filter(
            project=project, plan__model_version=champion(project), plan__guideline=meaning_now(project)
        )
        .values_list("item_ids__len", flat=True)
        .first()
    )
    return {"certificates": len(services.in_force(project)), "random_labels": look or 0}


@receiver(ranking_swapped)
def on_ranking_swapped(*, project: Project, **_: Any) -> None:
    """New photos have scores now, and all entries are new. Under a certificate arrivals are looked at even where the machine
    is off: predictions say by them what is certified."""
    if AutomaticDecision.objects.filter(project=project, mode=Mode.ON).exists():
        services.withdraw_decided(project=project)
    on_arrivals_placed(project=project)


@receiver(arrivals_placed)
def on_arrivals_placed(*, project: Project, **_: Any) -> None:
    if _certified(project):
        services.request_deciding(project=project)
    else:
        services.leave_rest_to_people(project=project)


@receiver(items_added)
def on_items_added(*, project: Project, item_ids: list[int], **_: Any) -> None:
    """The machine looks first: a photo that somebody's waiting screen is lent is people's."""
    if policy_of(project).mode == Mode.ON and _certified(project):
        machine_first.leave(project=project, item_ids=item_ids)


def _certified(project: Project) -> bool:
    return Certificate.objects.in_force().filter(project=project).exists()


# Each answer that settles a photo asks this, so it is one look.
_TOUCHES = """
SELECT i.id,
       EXISTS (SELECT 1 FROM frontier_automaticdecision WHERE item_id = i.id AND mode = 'on' AND audit)
       OR EXISTS (SELECT 1 FROM frontier_assistedlabel WHERE item_id = i.id AND audit),
       i.audit_drawn_at IS NOT NULL OR EXISTS (SELECT 1 FROM frontier_drawnphoto WHERE item_id = i.id)
FROM catalog_item i WHERE i.id = ANY(%s)
"""


@receiver(answer_waits)
def on_answer_that_waits(*, project: Project, annotation: Annotation, **_: Any) -> None:
    services.assist(project=project, annotation=annotation)


@receiver(settled)
def on_settled(*, project: Project, item_ids: list[int], **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHES, [item_ids])
        touched = cursor.fetchall()
    if any(audited for _item_id, audited, _drawn in touched):
        services.request_watching(project=project)
    drawn = [item_id for item_id, _audited, drawn in touched if drawn]
    if drawn and not _void_what_rests_on(project, drawn):
        services.look_again_when_due(project=project)


@receiver(reopened)
def on_reopened(*, project: Project, rounds: dict[int, int], **_: Any) -> None:
    _void_what_rests_on(project, list(rounds))


# A look read what was there when it was written: a word that came later is another one, and none was taken back.
_RESTS = f"""
SELECT DISTINCT c.id FROM frontier_certificate c JOIN frontier_certificationrun r ON r.id = c.run_id
JOIN LATERAL (SELECT id FROM unnest(r.item_ids) AS sample (id) WHERE id = ANY(%(items)s)) photo ON true
{first_word("photo.id")}
WHERE c.project_id = %(project)s
  AND NOT EXISTS (SELECT 1 FROM frontier_certificateend x WHERE x.certificate_id = c.id)
  AND (word.id IS NULL OR word.created_at > r.created_at)
"""  # noqa: S608


def _void_what_rests_on(project: Project, item_ids: list[int]) -> bool:
    """The first word on a photo of the sample was taken back: what was proven with it is void."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTS, {"project": project.pk, "items": item_ids})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return False
    services.end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.SAMPLE, only=ids)
    services.certify_when_wanted(project=project)
    return True
