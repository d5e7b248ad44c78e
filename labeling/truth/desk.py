"""What the review desk shows: one dispute, or several to rule alike; what waits behind, and what can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_definitions
from labeling.people.models import User
from labeling.truth import selectors
from labeling.truth.filtering import Wanted, choices
from labeling.truth.models import Dispute, DisputeCause, HoldReason, Ruling, UnusableReason
from labeling.truth.paused_photos import of_paused
from labeling.truth.several import cards
from labeling.truth.undoing_rulings import ruling_undo_until

#: Open disputes that are shown as thumbnails.
STRIP = 40


def desk(
    project: Project,
    reviewer: User,
    dispute: Dispute | None,
    *,
    wanted: Wanted,
    done: Sequence[Ruling] = (),
    detail: selectors.DisputeDetail | None = None,
) -> dict[str, Any]:
    """``dispute`` is ``None`` where nothing waits for this reviewer; ``done`` is what they ruled just now; ``detail`` of
    the dispute, where it is known."""
    over = bar(project, reviewer, wanted)
    detail = detail or (selectors.dispute_detail(dispute) if dispute else None)
    shown: dict[str, Any] = {
        "detail": detail,
        "own": detail is not None
        and not project.reviewer_may_rule_own
        and (
            detail.dispute.pk in over["own_ids"]
            if detail.ruling is None
            else selectors.answered_by(detail.dispute, reviewer)
        ),
        "following": selectors.next_dispute(wanted.rulable(project, reviewer), after=dispute)
        if dispute
        else None,
        "hold_reasons": HoldReason.choices,
        "unusable_reasons": UnusableReason.choices,
        **last_ruling(project, reviewer, done),
        **over,
    }
    shown["may_show_earlier"] = (
        project.earlier_allowed and detail is not None and not detail.ruling and not shown["own"]
    )
    if dispute is not None and dispute.cause == DisputeCause.PAUSED:
        shown["of_paused"] = of_paused(project)
    return shown if dispute else shown | {"rulings": selectors.recent_rulings(project)}


def several(
    project: Project, reviewer: User, *, wanted: Wanted, done: Sequence[Ruling] = ()
) -> dict[str, Any]:
    """The oldest open disputes as a grid, for one ruling on all that are marked."""
    return {
        "cards": cards(project, wanted.rulable(project, reviewer)),
        "definitions": active_definitions(project),
        "hold_reasons": HoldReason.choices,
        "unusable_reasons": UnusableReason.choices,
        **last_ruling(project, reviewer, done),
        **bar(project, reviewer, wanted),
    }


def bar(project: Project, reviewer: User, wanted: Wanted) -> dict[str, Any]:
    """What stands over the desk: the open disputes as thumbnails, and what they can be filtered by."""
    return {
        **strip(project, reviewer, wanted),
        "choices": choices(project, reviewer, wanted),
    }


def strip(project: Project, reviewer: User, wanted: Wanted) -> dict[str, Any]:
    """The open disputes as thumbnails; those that this reviewer answered are marked. ``shown_count``: of those wanted."""
    waiting = wanted.of_open(project, reviewer)
    open_count = sum(each.n for each in selectors.counted_alike(project, reviewer) if not each.held)
    return {
        "strip": list(waiting[:STRIP]),
        "open_count": open_count,
        "shown_count": waiting.count() if wanted else open_count,
        "own_ids": selectors.own_dispute_ids(project, reviewer),
        "query": wanted.query,
        "wanted": wanted,
    }


def last_ruling(project: Project, reviewer: User, done: Sequence[Ruling]) -> dict[str, Any]:
    """What was ruled just now, or else the newest ruling that can be taken back; ``undo_left``: for how many seconds."""
    if not done:
        since = timezone.now() - timedelta(seconds=project.undo_seconds)
        mine = Ruling.objects.standing().filter(
            dispute__project=project, reviewer=reviewer, created_at__gt=since
        )
        done = list(mine.select_related("dispute__item__image", "label_class").order_by("-id")[:1])
    if not done:
        return {"done": []}
    left = min(ruling_undo_until(project, each) for each in done) - timezone.now()
    return {
        "done": list(done),
        "done_text": selectors.ruling_text(done[0]),
        "undo_left": max(0, int(left.total_seconds())),
    }
