"""What blocks a certificate is one true sentence, and one button where asking people for more would help."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from labeling.frontier.blocking import blocked
from labeling.frontier.services import draw_for_band
from labeling.frontier.status import frontier_status
from labeling.truth.models import GroundTruth
from tests.frontier.proving import KEYS, make_pool


def step(**told: Any) -> dict[str, Any]:
    return {
        "errors": 0,
        "n": 0,
        "photos": 400,
        "more_without_errors": 90,
        "more_at_present_rate": None,
        **told,
    }


@pytest.mark.parametrize(
    ("told", "asked", "says", "ask"),
    [
        # No label is counted, so there is no rate of errors to speak of.
        (step(), 0, "The next step inward needs 90 more random labels of its region, if none is wrong.", 90),
        (step(n=10, more_at_present_rate=90), 0, "needs 90 more random labels of its region, if none is wrong.", 90),
        (step(n=40, errors=1, more_at_present_rate=160), 0, "if none is wrong; about 160 at the present rate.", 160),
        (step(n=40, errors=9), 0, "At the error rate so far (9 of 40 random labels) no number of labels proves", None),
        (step(n=40, errors=30, more_without_errors=None), 0, "wrong too often to pass: 30 of 40", None),
        # 392 labels of a pool of 66 are none.
        (step(photos=66, more_without_errors=None), 0, "has too few photos (66) to prove the target", None),
        (step(photos=None, more_without_errors=None), 0, "has too few photos to prove the target", None),
        (step(), 90, "90 random labels of the next step's region are asked for and wait for people.", None),
        (step(), 30, "needs 90 more random labels of its region, if none is wrong.", 60),
        (step(more_without_errors=9000), 0, "needs 9000 more", 5000),
    ],
)  # fmt: skip
def test_the_sentence_is_true_and_the_button_asks_for_what_helps(
    told: dict[str, Any], asked: int, says: str, ask: int | None
) -> None:
    found = blocked(told, asked=asked)
    assert says in found.says
    assert found.ask == ask


@pytest.mark.django_db
def test_a_small_pool_is_told_that_it_is_too_small() -> None:
    pool = make_pool(photos=66)
    pool.policy(precision=0.98, planned_labels=60)
    pool.settle_all(pool.wrong_below(0.0, pool.draw(6)))
    pool.work()
    now = frontier_status(pool.project)
    for each in now.classes:
        left = sum(pool.predicted[item.pk] == each.definition.label_class.key for item in pool.items)
        assert each.lacks is None or each.lacks <= left
        assert "no number" not in each.says
    client = Client()
    client.force_login(pool.admin)
    page = client.get(f"/p/{pool.project.slug}/frontier").content.decode()
    assert page.count("Request these labels") == sum(bool(each.lacks) for each in now.classes)


@pytest.mark.django_db
def test_what_is_asked_for_is_not_asked_for_again() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=180)
    pool.settle_all(pool.wrong_below(0.2, pool.draw(20)))
    pool.work()
    before = next(each for each in frontier_status(pool.project).classes if each.lacks)
    key = before.definition.label_class.key
    assert key in KEYS
    draw_for_band(project=pool.project, by=pool.admin, class_key=key, count=before.lacks)
    (after,) = (
        each for each in frontier_status(pool.project).classes if each.definition.label_class.key == key
    )
    assert (after.lacks or 0) < (before.lacks or 0)
    assert not GroundTruth.objects.filter(item__drawn_for_band__isnull=False).exists()
