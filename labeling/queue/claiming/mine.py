"""What keeps a photo of the order from a person: one idea of all that take one, as SQL."""

from __future__ import annotations

from typing import Any

from labeling.people.models import User


def not_mine(labeler: User) -> list[Any]:
    """The parameters of ``NOT_MINE``."""
    return [labeler.pk, labeler.pk]


# What this person has had in this round, or ruled on in one before: whoever ruled has read the others' answers. Only a
# photo that was sent back comes again after a ruling, so the first round need not look.
NOT_MINE = """
    NOT EXISTS (SELECT 1 FROM queue_slot mine WHERE mine.item_id = e.item_id AND mine.round = e.round
                AND mine.holder_id = %s)
    AND (e.round = 1 OR NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                                    WHERE d.item_id = e.item_id AND r.reviewer_id = %s))"""
