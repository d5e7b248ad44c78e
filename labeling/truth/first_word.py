"""The word on a photo that counts as proof: the first that people gave, before anybody had a reason to doubt it.

Which photos are judged a second time is decided by what the machine says of them, or by somebody who has looked. So a later
word, however well it is meant, makes a random sample one that agrees with the machine. It trains; it certifies nothing. Only
an answer that its own labeler took back was none, or a ruling that its own reviewer took back while it was fresh; one
answer that the machine confirmed is none yet; and what was imported is nobody's word here.
"""

from __future__ import annotations


def first_word(item: str) -> str:
    """SQL that joins ``word``: the photo's first ground truth that people made and did not undo, NULL where there is none.

    Its columns are ``id``, ``kind``, ``label_class_id``, ``guideline_id``, ``created_at`` and ``told``: made at a review
    that somebody asked for, or the model, and whose reviewer read why, beside what somebody elsewhere had said of the photo
    (:class:`~labeling.truth.models.Hint`), or resting on an answer that was not blind. ``item``: an expression, the
    photo's id.
    """
    return f"""
LEFT JOIN LATERAL (
    SELECT t.id, t.kind, t.label_class_id, t.guideline_id, t.created_at, t.draw = 'sweep' OR EXISTS (
        SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
        WHERE r.id = t.ruling_id AND (d.cause IN ('suspicious', 'requested') OR EXISTS (
            SELECT 1 FROM truth_hint h WHERE h.item_id = t.item_id AND h.created_at < r.created_at
              AND coalesce(h.retired_at > r.created_at, true)))) AS told
    FROM truth_groundtruth t
    WHERE t.item_id = {item} AND t.kind <> 'withdrawn' AND t.origin NOT IN ('gold', 'assisted', 'imported')
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id AND n.origin = 'undone')
    ORDER BY t.id LIMIT 1) word ON true"""  # noqa: S608
