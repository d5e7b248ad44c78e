"""What the review desk shows: one dispute, what may be ruled on it, and those that wait behind it."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.truth import selectors
from labeling.truth.models import Dispute, DisputeCause, HoldReason, Ruling, UnusableReason
from labeling.truth.paused_photos import of_paused

#: Open disputes that are shown as thumbnails.
STRIP = 40


def desk(
    project: Project, reviewer: User, dispute: Dispute | None, *, done: Ruling | None = None
) -> dict[str, Any]:
    """``dispute`` is ``None`` where nothing waits for this reviewer; ``done`` is what they ruled just now."""
    shown: dict[str, Any] = {
        "detail": selectors.dispute_detail(dispute) if dispute else None,
        "own": dispute is not None
        and not project.reviewer_may_rule_own
        and selectors.answered_by(dispute, reviewer),
        "done": done,
        "done_text": selectors.ruling_text(done) if done else "",
        "following": selectors.next_dispute(project, reviewer, after=dispute) if dispute else None,
        "hold_reasons": HoldReason.choices,
        "unusable_reasons": UnusableReason.choices,
        **strip(project, reviewer),
    }
    if dispute is not None and dispute.cause == DisputeCause.PAUSED:
        shown["of_paused"] = of_paused(project)
    return shown if dispute else shown | {"rulings": selectors.recent_rulings(project)}


def strip(project: Project, reviewer: User) -> dict[str, Any]:
    """The open disputes as thumbnails; those that this reviewer answered are marked."""
    waiting = selectors.open_disputes(project)
    return {
        "strip": list(waiting[:STRIP]),
        "open_count": waiting.count(),
        "own_ids": selectors.own_dispute_ids(project, reviewer),
    }
