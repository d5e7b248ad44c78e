"""What may be told of a photo: nothing of what would unblind whoever may yet be asked about it.

One rule for everybody who may look at photos, as all of them may label too (docs/decisions/0038-what-is-told-of-a-photo.md).
A photo is *told* once people have settled it by the project's rule, and nobody is asked about it; or while the machine's
decision stands that nobody is asked about. Of any other photo only its file is told, and whether it waits for a reviewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.people.models import User


class Status(TextChoices):
    """What a photo is, as far as it is told."""

    OPEN = "open", _("Waits for answers")
    DISPUTED = "disputed", _("Waits for a reviewer")
    SETTLED = "settled", _("Settled")
    HELD = "hold", _("Kept out of training")
    UNUSABLE = "unusable", _("Unusable")
    DECIDED = "decided", _("Decided by the machine")


#: SQL over ``catalog_item i``, with the parameters of :func:`telling`. It joins ``t``, the end of the photo's chain of
#: ground truths, and ``told``: ``disputed``, ``settled`` (people's word may be told), ``decided`` (the class that the
#: machine decided, where that may be told). Laterals with a limit: whatever the planner believes, each is a look-up.
TOLD = """
LEFT JOIN LATERAL (
    SELECT t.id, t.kind, t.label_class_id, t.origin, t.ruling_id, t.supersedes_id, t.created_at FROM truth_groundtruth t
    WHERE t.item_id = i.id AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id) LIMIT 1) t ON true
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM truth_dispute d JOIN truth_opendispute o ON o.dispute_id = d.id WHERE d.item_id = i.id)
    AS disputed LIMIT 1) waits
CROSS JOIN LATERAL (
    SELECT waits.disputed,
        t.id IS NOT NULL AND t.kind <> 'withdrawn' AND t.origin <> 'assisted' AND NOT waits.disputed
        AND (%(gold)s OR t.origin <> 'gold')
        AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id AND g.retired_at IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
            WHERE r.id = t.ruling_id AND t.created_at > %(final)s
              AND (d.cause <> 'requested' OR t.supersedes_id IS NULL)) AS settled,
        CASE WHEN NOT waits.disputed AND t.id IS NULL AND i.audit_drawn_at IS NULL THEN (
            SELECT a.label_class_id FROM frontier_automaticdecision a
            WHERE a.item_id = i.id AND a.mode = 'on' AND NOT a.audit
              AND NOT EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)
              AND NOT EXISTS (SELECT 1 FROM frontier_certificateend e
                              WHERE e.certificate_id = a.certificate_id AND e.kind = 'suspended')
              AND NOT EXISTS (SELECT 1 FROM truth_annotation said WHERE said.item_id = i.id)
            ORDER BY a.id DESC LIMIT 1) END AS decided
    LIMIT 1) told
"""
#: SQL: a value of :class:`Status`, over what :data:`TOLD` joins.
STATUS = """
CASE WHEN told.disputed THEN 'disputed' WHEN told.settled AND t.kind = 'class' THEN 'settled' WHEN told.settled THEN t.kind
     WHEN told.decided IS NOT NULL THEN 'decided' ELSE 'open' END"""
#: SQL: whether anything beyond the file is told.
IS_TOLD = "(told.settled OR told.decided IS NOT NULL)"


@dataclass(frozen=True)
class Standing:
    """``class_id``: what the photo is called, by people or the machine; ``truth_id``: the ground truth in force."""

    status: Status
    class_id: int | None
    truth_id: int | None

    @property
    def told(self) -> bool:
        return self.status not in {Status.OPEN, Status.DISPUTED}


def telling(project: Project, user: User) -> dict[str, Any]:
    """Parameters of :data:`TOLD`: whether what is or was gold may be told, which admins choose and read of elsewhere, and
    until when rulings were made that nobody can take back any more."""
    return {
        "gold": may(user, project, Action.ADMIN),
        "final": timezone.now() - timedelta(seconds=project.undo_seconds),
    }


def standing(project: Project, item_ids: list[int], user: User) -> dict[int, Standing]:
    """Of these photos of the project (ids) how each stands, as far as this person may know."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT i.id, {STATUS}, CASE WHEN told.settled THEN t.label_class_id ELSE told.decided END,
                   CASE WHEN told.settled THEN t.id END
            FROM catalog_item i {TOLD} WHERE i.project_id = %(project)s AND i.id = ANY(%(items)s)
            """,  # noqa: S608
            {"project": project.pk, "items": item_ids, **telling(project, user)},
        )
        return {
            item: Standing(Status(status), label_class, truth)
            for item, status, label_class, truth in cursor.fetchall()
        }
