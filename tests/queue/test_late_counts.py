"""What labelers see counted is older than an answer that can still be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from labeling.overview.project_cards import project_cards
from labeling.queue import late_counts, services
from labeling.queue.selectors import labeler_progress
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Clock:
        at = timezone.now()

        def now(self) -> Any:
            return self.at

    clock = Clock()
    monkeypatch.setattr(late_counts, "timezone", clock)
    cache.clear()
    return clock


def test_the_count_rises_only_when_the_answer_can_no_longer_be_taken_back(
    setting: Setting, clock: Any
) -> None:
    project = setting.project

    def seen() -> tuple[int, int]:
        (card,) = project_cards(setting.ann)
        return labeler_progress(project, setting.ann)["settled_in_band"], card.settled

    assert seen() == (0, 0)
    for person in (setting.ann, setting.bob):
        answer_with(project, services.claim(project=project, labeler=person, count=1)[0], "functional")
    assert seen() == (0, 0)
    clock.at += timedelta(seconds=project.undo_seconds)
    assert seen() == (0, 0)  # counted now, shown when it is as old as that
    clock.at += timedelta(seconds=project.undo_seconds - 1)
    assert seen() == (0, 0)
    clock.at += timedelta(seconds=1)
    assert seen() == (1, 1)


def test_admins_see_at_once_what_is_settled(setting: Setting, clock: Any) -> None:
    project, admin = setting.project, setting.project.created_by
    assert [card.settled for card in project_cards(admin)] == [0]
    for person in (setting.ann, setting.bob):
        answer_with(project, services.claim(project=project, labeler=person, count=1)[0], "functional")
    assert [card.settled for card in project_cards(admin)] == [1]
