"""A ruling that its reviewer took back was no word: the next one counts, and what was proven with it is void."""

from __future__ import annotations

import pytest

from labeling.frontier.models import Certificate
from labeling.truth.current import open_dispute
from labeling.truth.services import rule, undo_ruling
from tests.frontier.test_first_word import errors, look, other, planned, say
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db


def test_the_ruling_after_an_undone_one_is_the_first_word_on_a_drawn_photo() -> None:
    pool = planned()
    (item,) = pool.draw(1)
    say(pool, item, other(pool, item))
    assert errors(look(pool)) == 1
    (doubted,) = pool.draw(1)
    for labeler, key in zip(pool.labelers, (pool.predicted[doubted.pk], other(pool, doubted)), strict=True):
        answer(pool.project, doubted, labeler, key, draw="audit")
    dispute = open_dispute(doubted.pk)
    assert dispute is not None
    given = {"project": pool.project, "reviewer": pool.admin, "outcome": "class"}
    first = rule(dispute_id=dispute.pk, class_key=pool.predicted[doubted.pk], **given)
    assert errors(look(pool)) == 1
    again = undo_ruling(project=pool.project, dispute_id=first.dispute_id, reviewer=pool.admin)
    rule(dispute_id=again.pk, class_key=other(pool, doubted), **given)
    run = look(pool)
    assert (doubted.pk in run.item_ids, errors(run)) == (True, 2)


def test_a_certificate_that_rests_on_an_undone_ruling_is_void() -> None:
    pool = planned()
    drawn = pool.draw(200)
    disputed = drawn[0]
    for labeler, key in zip(pool.labelers, (pool.predicted[disputed.pk], other(pool, disputed)), strict=True):
        answer(pool.project, disputed, labeler, key, draw="audit")
    dispute = open_dispute(disputed.pk)
    assert dispute is not None
    ruling = rule(
        project=pool.project, dispute_id=dispute.pk, reviewer=pool.admin, outcome="class",
        class_key=pool.predicted[disputed.pk],
    )  # fmt: skip
    pool.settle_all((item, None) for item in drawn if item != disputed)
    look(pool)
    resting = list(Certificate.objects.in_force().filter(project=pool.project))
    assert resting
    undo_ruling(project=pool.project, dispute_id=ruling.dispute_id, reviewer=pool.admin)
    assert {end.reason for each in resting for end in each.ends.all()} == {"sample"}
