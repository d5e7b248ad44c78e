"""A wanted answer whose lease ran out goes to somebody else."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.database.rows import rows
from labeling.people.models import User
from labeling.queue.claiming.mine import not_mine
from labeling.queue.leases import lease_of
from labeling.queue.models import Entry, Ranking, Slot


def take_over_expired(project: Project, ranking: Ranking | None, labeler: User) -> Slot | None:
    """A lease that ran out goes to this labeler, under a new lease id."""
    while True:
        found = rows(
            """
            SELECT s.id, s.item_id, s.round, s.holder_id, e.item_id, e.draw
            FROM queue_slot s
            LEFT JOIN queue_entry e ON e.ranking_id = %s AND e.item_id = s.item_id AND e.round = s.round
            WHERE s.project_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL
              AND s.number IS NOT NULL AND s.expires_at < now() AND s.holder_id <> %s
              AND NOT EXISTS (SELECT 1 FROM queue_slot mine
                              WHERE mine.item_id = s.item_id AND mine.round = s.round AND mine.holder_id = %s)
              AND NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                              WHERE d.item_id = s.item_id AND r.reviewer_id = %s)
            ORDER BY s.expires_at LIMIT 1
            FOR UPDATE OF s SKIP LOCKED
            """,
            [ranking.pk if ranking else None, project.pk, labeler.pk, *not_mine(labeler)],
        )
        if not found:
            return None
        slot_id, item_id, _round, previous, waiting, draw = found[0]
        now = timezone.now()
        if waiting is None:  # settled or in dispute meanwhile: nobody needs this answer any more
            Slot.objects.filter(pk=slot_id).update(number=None, skipped_at=now)
            continue
        lease = uuid4()
        Slot.objects.filter(pk=slot_id).update(
            id=lease,
            holder=labeler,
            draw=draw,  # whoever takes a photo over from a grid is blind to it
            leased_at=now,
            expires_at=now + timedelta(seconds=project.lease_seconds),
        )
        Entry.objects.filter(ranking=ranking, item_id=item_id, first_holder_id=previous).update(
            first_holder=labeler
        )
        return lease_of(project, labeler, lease)
