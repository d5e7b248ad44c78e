"""The queue moves inward by ground truths and by agreement."""

from __future__ import annotations

import pytest

from labeling.queue import pace, services
from labeling.queue.models import BandOpening
from labeling.refusals import Refused
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def finish(setting: Setting, photos: int, *, differ: bool = False) -> None:
    for _ in range(photos):
        mine = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
        theirs = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
        assert mine.item_id == theirs.item_id
        answer_with(setting.project, mine, "functional")
        answer_with(setting.project, theirs, "defective" if differ else "functional")


def test_the_next_band_opens_when_enough_is_settled_in_agreement(setting: Setting) -> None:
    assert pace.needed_for(setting.project, 1) == 4
    finish(setting, 3)
    assert pace.current_band(setting.project) == 0
    finish(setting, 1)
    assert pace.current_band(setting.project) == 1
    opening = BandOpening.objects.get()
    assert opening.cause == "pace" and opening.figures["ground_truths"] == 4
    finish(setting, 4)
    assert pace.current_band(setting.project) == 2
    finish(setting, 3)
    assert pace.current_band(setting.project) == 2, "the boundary band is the last"


def test_the_queue_stays_while_people_disagree(setting: Setting) -> None:
    finish(setting, 4, differ=True)
    finish(setting, 4)
    at = pace.band_progress(setting.project)
    assert (at.band, at.settled, at.disputed, at.agreement) == (0, 4, 4, 0.5)


def test_an_admin_may_open_a_band_with_a_reason(setting: Setting) -> None:
    admin = setting.project.created_by
    with pytest.raises(Refused):
        services.open_next_band(project=setting.project, by=admin, reason=" ")
    assert services.open_next_band(project=setting.project, by=admin, reason="Clear enough") == 1
    assert services.open_next_band(project=setting.project, by=admin, reason="Go on") == 2
    with pytest.raises(Refused) as refusal:
        services.open_next_band(project=setting.project, by=admin, reason="And on")
    assert refusal.value.code == "at_boundary"


def test_claims_come_from_the_current_band(setting: Setting) -> None:
    services.open_next_band(project=setting.project, by=setting.project.created_by, reason="Clear")
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    assert slot.context["band"] == 1
