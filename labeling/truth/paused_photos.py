"""What a paused labeler had answered went to review, photo by photo; all of it can be sent back at once."""

from __future__ import annotations

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Dispute, DisputeCause, OpenDispute, Outcome
from labeling.truth.reviewing import rule


def of_paused(project: Project) -> int:
    """Disputes that wait for a ruling only because a labeler was paused."""
    return OpenDispute.objects.filter(project=project, cause=DisputeCause.PAUSED).count()


def send_back_paused(*, project: Project, reviewer: User, comment: str) -> tuple[int, int]:
    """Send all these photos back with one comment, a ruling and a transaction each; return (sent back, left).

    Left are those that this reviewer may not rule on, or somebody else has just ruled on. Raises :class:`Refused`
    ``invalid`` (422) without a comment.
    """
    sent = left = 0
    waiting = Dispute.objects.open().filter(waits__project=project, cause=DisputeCause.PAUSED)
    for dispute_id in list(waiting.order_by("created_at", "id").values_list("pk", flat=True)):
        try:
            rule(
                project=project,
                dispute_id=dispute_id,
                reviewer=reviewer,
                outcome=Outcome.SEND_BACK,
                comment=comment,
            )
        except Refused as refusal:
            if refusal.code not in {"own_answer", "already_ruled"}:
                raise
            left += 1
        else:
            sent += 1
    return sent, left
