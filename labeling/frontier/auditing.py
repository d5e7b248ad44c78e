"""How closely the machine is audited, and when it waits for those who audit it.

The first decisions under a certificate are audited at a higher share, and so are those after something unusual: then a
fall is most likely. Whatever the share, people must answer. Audits that are open count as right in the watch, so a machine
that went on deciding would do it unseen: with ``MOST_WAITING`` of a class open it decides no more of that class, and goes
on when no more than ``GO_ON_AT`` are (docs/decisions/0025-what-the-audit-sees.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.services import log_activity
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CloserAudit,
    DecidingPause,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.policy import FIRST_DECISIONS, first_share, policy_of
from labeling.frontier.requests import request_deciding
from labeling.queue import priority
from labeling.queue.places import OPEN_AUDITS
from labeling.truth.current import SETTLED_STRICTLY

#: Open audits of a class at which deciding pauses, and at which it goes on.
MOST_WAITING = 20
GO_ON_AT = 10
_ENDLESS = 2**31 - 1


@dataclass(frozen=True)
class Terms:
    """Of what is decided now under one certificate: the next ``closely`` decisions are audited at ``first``, further ones
    at ``later``, until ``room`` of them were drawn for people."""

    certificate: Certificate
    closely: int
    first: float
    later: float
    room: int


def terms_of(project: Project, policy: FrontierPolicy, certificates: Sequence[Certificate]) -> list[Terms]:
    """Those under which anything may be decided now. In the shadow nobody is asked, so nobody is waited for."""
    rooms = _rooms(project, certificates) if policy.mode == Mode.ON else {}
    first, later = first_share(policy), policy.audit_share
    return [
        Terms(each, FIRST_DECISIONS - _decided_since_risk(each, policy), first, later, room)
        for each in certificates
        if (room := rooms.get(each.label_class_id, _ENDLESS)) > 0
    ]


def _rooms(project: Project, certificates: Sequence[Certificate]) -> dict[int, int]:
    """Class id -> audits that may be drawn before deciding pauses."""
    waiting = open_audits(project)
    _lift_where_answered(project, waiting)
    paused = paused_classes(project)
    classes = [each.label_class_id for each in certificates]
    return {each: 0 if each in paused else MOST_WAITING - len(waiting.get(each, ())) for each in classes}


def _decided_since_risk(certificate: Certificate, policy: FrontierPolicy) -> int:
    """Decisions under the certificate since it was issued, or since something unusual; ``FIRST_DECISIONS`` at most."""
    newest = CloserAudit.objects.filter(project=certificate.project_id).first()
    made = AutomaticDecision.objects.filter(
        certificate=certificate, mode=policy.mode, pk__gt=newest.after if newest else 0
    )
    return len(made.values("pk")[:FIRST_DECISIONS])


# Each audited decision is looked up by indexes, whatever the statistics say: within CASE an EXISTS is no join, which the
# planner could nest into a scan of all ground truths where it believes that there are none.
_OPEN = f"""
SELECT i.label_class_id, array_agg(DISTINCT i.id), false FROM frontier_certificate c
CROSS JOIN LATERAL (SELECT a.item_id AS id, a.label_class_id FROM frontier_automaticdecision a
                    WHERE a.certificate_id = c.id AND a.audit AND a.mode = 'on'
                      AND NOT CASE WHEN EXISTS (SELECT 1 FROM catalog_item gone
                                                WHERE gone.id = a.item_id AND gone.project_id IS NULL)
                                   THEN true ELSE false END
                      AND NOT CASE WHEN EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)
                                   THEN true ELSE false END
                    OFFSET 0) i
WHERE c.project_id = %(project)s AND CASE WHEN {SETTLED_STRICTLY} THEN false ELSE true END
  AND NOT EXISTS (SELECT 1 FROM frontier_certificateend x WHERE x.certificate_id = c.id AND x.kind = 'suspended')
GROUP BY i.label_class_id
UNION ALL
SELECT label_class_id, NULL, true FROM frontier_decidingpause WHERE project_id = %(project)s AND lifted_at IS NULL
"""  # noqa: S608


@dataclass(frozen=True)
class Audits:
    """Class id -> photos of audited decisions that stand and that people have not settled, whichever version made them;
    and the ids of the classes of which nothing is decided, as too many of them wait."""

    open: dict[int, list[int]]
    paused: set[int]


def audits(project: Project) -> Audits:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"project": project.pk})
        rows = cursor.fetchall()
    return Audits(
        open={label_class: items for label_class, items, paused in rows if not paused},
        paused={label_class for label_class, _items, paused in rows if paused},
    )


def open_audits(project: Project) -> dict[int, list[int]]:
    """As :class:`Audits` says."""
    return audits(project).open


def paused_classes(project: Project) -> set[int]:
    """The same, where nobody asks which audits wait."""
    return set(pauses(project).values_list("label_class_id", flat=True))


def pauses(project: Project) -> QuerySet[DecidingPause]:
    """One of each class of which nothing is decided."""
    return DecidingPause.objects.filter(project=project, lifted_at__isnull=True)


def pause_where_full(project: Project, terms: Sequence[Terms], drawn: Mapping[int, int]) -> None:
    """After deciding: classes whose room is used up are paused. ``drawn``: class id -> audits drawn just now."""
    for each in terms:
        label_class = each.certificate.label_class
        if drawn.get(label_class.pk, 0) < each.room:
            continue
        DecidingPause.objects.get_or_create(project=project, label_class=label_class, lifted_at=None)
        _log(project, "deciding_paused", label_class, waiting=MOST_WAITING)


@transaction.atomic
def look_at_open_audits(*, project: Project) -> None:
    """After answers: ask people for the audits that are open before all others; where few are, the machine goes on."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    waiting = open_audits(project)
    priority.ask_first(
        project=project, item_ids=[item for items in waiting.values() for item in items], place=OPEN_AUDITS
    )
    if _lift_where_answered(project, waiting) and policy_of(project).mode == Mode.ON:
        request_deciding(project=project)


def _lift_where_answered(project: Project, waiting: Mapping[int, Sequence[int]]) -> int:
    lifted = [
        each
        for each in pauses(project).select_related("label_class")
        if len(waiting.get(each.label_class_id, ())) <= GO_ON_AT
    ]
    for each in lifted:
        each.lifted_at = timezone.now()
        each.save(update_fields=["lifted_at"])
        _log(project, "deciding_resumed", each.label_class)
    return len(lifted)


def _log(project: Project, kind: str, label_class: LabelClass, **figures: Any) -> None:
    said: dict[str, Any] = {"class": label_class.key, **figures}
    log_activity(project=project, kind=kind, **said)


@transaction.atomic
def audit_closely(*, project: Project, reason: str) -> None:
    """From here on audit as much as after a certificate. ``reason``: the monitor that saw something unusual."""
    if policy_of(project).mode != Mode.ON:
        return
    newest = AutomaticDecision.objects.filter(project=project).aggregate(newest=Max("pk"))["newest"]
    if newest is not None:
        CloserAudit.objects.create(project=project, after=newest, reason=reason)
