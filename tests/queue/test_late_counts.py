"""What labelers see counted is older than an answer that can still be taken back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
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


def test_what_is_late_says_since_when_and_ones_own_answers_are_of_now(setting: Setting, clock: Any) -> None:
    project, began = setting.project, clock.at

    def seen() -> tuple[Any, ...]:
        (card,) = project_cards(setting.ann)
        shown = labeler_progress(project, setting.ann)
        return shown["answered_today"], shown["as_of"], card.mine, card.mine_today, card.as_of, card.settled

    assert seen() == (0, began, 0, 0, began, 0)
    for person in (setting.ann, setting.bob):
        answer_with(project, services.claim(project=project, labeler=person, count=1)[0], "functional")
    assert seen() == (1, began, 1, 1, began, 0)
    clock.at += timedelta(seconds=project.undo_seconds)
    assert seen()[-1] == 0
    clock.at += timedelta(seconds=project.undo_seconds)
    then = began + timedelta(seconds=project.undo_seconds)
    assert seen() == (1, then, 1, 1, then, 1)
    (card,) = project_cards(project.created_by)
    assert (card.settled, card.as_of, card.mine) == (1, None, 0)


def test_home_and_the_labeling_screen_say_as_of_when(setting: Setting) -> None:
    cache.clear()
    for person in (setting.ann, setting.bob):
        answer_with(
            setting.project, services.claim(project=setting.project, labeler=person, count=1)[0], "functional"
        )
    client = Client()
    client.force_login(setting.ann)
    home = " ".join(client.get("/").content.decode().split())
    assert re.search(r">as of \d\d:\d\d<", home)
    assert "1 answer of yours, 1 today" in home
    screen = client.get(f"/p/{setting.project.slug}/label").content.decode()
    assert "{settled} of {needed} settled, as of {asOf}" in screen
    client.force_login(setting.project.created_by)
    assert "as of" not in " ".join(client.get("/").content.decode().split())
