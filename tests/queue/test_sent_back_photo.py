"""A photo that a reviewer sent back comes again soon, with what the reviewer said, in a new round."""

from __future__ import annotations

import pytest

from labeling.queue import services
from labeling.queue.selectors import notes_for
from labeling.truth.current import open_dispute
from labeling.truth.services import rule
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def test_a_photo_sent_back_is_asked_again_with_the_reviewers_words(setting: Setting) -> None:
    mine = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    answer_with(setting.project, mine, "functional")
    theirs = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    answer_with(setting.project, theirs, "defective")
    dispute = open_dispute(mine.item_id)
    assert dispute is not None
    rule(
        project=setting.project,
        dispute_id=dispute.pk,
        reviewer=make_member(setting.project, "reviewer"),
        outcome="send_back",
        comment="Look at the lower left corner",
    )
    again = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    assert (again.item_id, again.round) == (mine.item_id, 2)
    assert notes_for([again]) == {mine.item_id: "Look at the lower left corner"}
    answer_with(setting.project, again, "defective")
    other = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    assert other.item_id == mine.item_id
    answer_with(setting.project, other, "defective")
    assert open_dispute(mine.item_id) is None
