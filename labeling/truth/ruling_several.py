"""Rule several disputes alike with one word: each is a ruling of its own, and one that cannot be never stops the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Dispute, Ruling
from labeling.truth.reviewing import check_ruling, rule

#: In one request: a grid of photos that somebody has looked at.
MOST = 100


@dataclass(frozen=True)
class NotDone:
    """A dispute that stayed as it was, by its photo's name, and why."""

    name: str
    why: str


def rule_alike(
    *,
    project: Project,
    dispute_ids: Iterable[UUID],
    reviewer: User,
    outcome: str,
    class_key: str = "",
    reason: str = "",
    comment: str = "",
    note: str = "",
) -> tuple[list[Ruling], list[NotDone]]:
    """Give all these disputes the same ruling, a transaction each; return what was ruled, and what was not.

    Raises :class:`Refused` ``unknown_class`` or ``invalid`` (422), with nothing ruled, where the ruling could be none, or
    no dispute is named, or more than :data:`MOST`.
    """
    ids = chosen(dispute_ids)
    check_ruling(catalog.current_guideline(project), outcome, class_key, reason, comment)
    said: dict[str, Any] = {
        "outcome": outcome, "class_key": class_key, "reason": reason, "comment": comment, "note": note,
    }  # fmt: skip
    done: list[Ruling] = []
    left: list[NotDone] = []
    for dispute_id in ids:
        try:
            done.append(rule(project=project, dispute_id=dispute_id, reviewer=reviewer, **said))
        except Refused as refused:
            left.append(not_done(project, dispute_id, refused))
    return done, left


def chosen(dispute_ids: Iterable[UUID]) -> list[UUID]:
    """The disputes that a request names, each once, in its order."""
    ids = list(dict.fromkeys(dispute_ids))
    if not ids:
        raise Refused.invalid("dispute", _("Mark at least one photo first."), short=_("missing"))
    if len(ids) > MOST:
        raise Refused.invalid(
            "dispute", _("Mark at most %(most)d photos at once.") % {"most": MOST}, short=_("too many")
        )
    return ids


def not_done(project: Project, dispute_id: UUID, refused: Refused) -> NotDone:
    dispute = Dispute.objects.filter(project=project, pk=dispute_id).select_related("item__image").first()
    name = dispute.item.name or dispute.item.image.sha256[:12] if dispute else str(dispute_id)
    return NotDone(name, refused.message)
