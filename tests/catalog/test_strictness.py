"""What a preset costs: reckoned, and held against answers that are drawn."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.catalog.strictness import PRESETS, consequence, error_of
from labeling.catalog.work import ANSWER_S, RULING_S, Work, work_of
from tests.factories import make_items, make_member, make_project
from tests.queue.conftest import answer_with

STRICT = {
    "answers_per_image": 2,
    "boundary_answers": 0,
    "certifying_answers": 0,
    "rule": "unanimous",
    "gold_rate": 0.0,
    "audit_rate": 0.1,
}


def drawn(answers: int, enough: int, error: float, classes: int, photos: int = 40_000) -> tuple[float, float]:
    """Shares of photos that are settled as a wrong class, and that go to review, where people answer at random."""
    dice = random.Random(answers * 1000 + enough * 100 + classes)
    wrong = disputed = 0
    for _ in range(photos):
        said = Counter(dice.randrange(1, classes) if dice.random() < error else 0 for _ in range(answers))
        settled = [each for each, n in said.items() if n >= enough]
        disputed += len(settled) != 1
        wrong += len(settled) == 1 and settled[0] != 0
    return wrong / photos, disputed / photos


@pytest.mark.parametrize(
    ("answers", "enough", "classes"), [(1, 1, 2), (2, 2, 2), (3, 2, 4), (4, 2, 2), (3, 3, 9)]
)
def test_the_reckoning_is_what_comes_of_drawn_answers(answers: int, enough: int, classes: int) -> None:
    error = 0.2
    agree = (1 - error) ** 2 + error**2 / (classes - 1)
    assert error_of(agree, classes) == pytest.approx(error)
    project = Project(
        answers_per_image=answers, rule="k_of_n", agreement_k=enough, gold_rate=0.0, audit_rate=0.0
    )
    work = Work(agree=agree, agree_low=agree, agree_high=agree)
    cost = consequence(project, {}, work, classes)
    wrong, disputed = drawn(answers, enough, error, classes)
    assert cost.wrong == pytest.approx(1000 * wrong, abs=9)
    assert cost.disputes == pytest.approx(1000 * disputed, abs=9)
    seconds = answers * ANSWER_S + cost.disputes / 1000 * RULING_S
    assert cost.hours == pytest.approx(1000 * seconds / 3600)


def test_two_who_agree_by_chance_are_wrong_by_chance() -> None:
    assert error_of(1.0, 2) == 0
    assert error_of(0.3, 2) == pytest.approx(0.5)
    assert 0 < error_of(0.9, 500) < error_of(0.8, 500) < 1


def test_stricter_costs_more_hours_and_lets_fewer_wrong_labels_through() -> None:
    costs = [consequence(Project(), preset.settings, Work(), 2) for preset in PRESETS]
    hours, wrong = [each.hours for each in costs], [each.wrong for each in costs]
    assert hours == sorted(hours) and wrong == sorted(wrong, reverse=True)
    assert all(each.wrong_low <= each.wrong <= each.wrong_high for each in costs)


def test_more_answers_of_random_photos_are_counted() -> None:
    usual = consequence(Project(), STRICT, Work(), 2)
    more = consequence(Project(), STRICT | {"certifying_answers": 4}, Work(), 2)
    assert more.answers == pytest.approx(usual.answers + 0.1 * 2)
    assert more.wrong < usual.wrong


def test_more_answers_at_the_boundary_are_counted_and_what_is_held_costs_no_ruling() -> None:
    project = Project(strategy="inward", bands=3, boundary_after=60)
    there = STRICT | {"boundary_answers": 3}
    usual, more = (consequence(project, each, Work(), 2) for each in (STRICT, there))
    inside = 0.96 * 0.9
    assert more.answers == pytest.approx(2 + inside)
    assert more.wrong < usual.wrong / 2
    assert usual.held == 0 < more.held and more.disputes < usual.disputes / 2
    everywhere = consequence(Project(), STRICT | {"answers_per_image": 3, "audit_rate": 0.0}, Work(), 2)
    assert more.held == pytest.approx(inside * 0.9 * everywhere.disputes)
    assert consequence(Project(strategy="random"), there, Work(), 2) == consequence(
        Project(), STRICT, Work(), 2
    )


@pytest.mark.django_db
def test_too_little_is_assumed_and_enough_is_measured() -> None:
    from labeling.queue import services as queue

    project = make_project(answers_per_image=2)
    items = make_items(project, 40)
    queue.append_arrivals(project=project, item_ids=[item.pk for item in items])
    assert work_of(project) == Work(open=40)
    first, second = make_member(project), make_member(project)
    for person, wrong in ((first, 0), (second, 8)):
        for number in range(32):
            slot = queue.claim(project=project, labeler=person, count=1)[0]
            answer_with(project, slot, "defective" if number < wrong else "functional")
    work = work_of(project)
    assert (work.answers, work.answer_s, work.rulings) == (64, 0.5, 0)
    assert work.pairs == 32 and work.agree == pytest.approx(24 / 32)
    assert work.agree_low < 24 / 32 < work.agree_high
    assert work.open == 40 - 24


def page(project: Project, **query: str) -> Any:
    client = Client()
    client.force_login(project.created_by)
    return client.get(reverse("project-settings", args=[project.slug]), query)


@pytest.mark.django_db
def test_choosing_a_preset_fills_the_fields_and_says_what_would_change_and_saves_nothing() -> None:
    project = make_project(gold_rate=0.05, audit_rate=0.1, min_view_ms=200)
    before = Project.objects.values().get()
    response = page(project, preset="quick")
    form = response.context["form"]
    assert (form["answers_per_image"].value(), form["sweep_allowed"].value()) == (1, True)
    changes = {label: (was, becomes) for label, was, becomes in response.context["changes"]}
    assert changes["Answers per photo"] == ("2", "1")
    assert changes["Labelers may sweep the outer bands"] == ("no", "yes")
    assert "Gold window (answers)" not in changes and "Share of gold questions" not in changes
    assert Project.objects.values().get() == before

    filled = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    client = Client()
    client.force_login(project.created_by)
    sent = {name: value for name, value in filled.items() if value is not False}
    assert client.post(reverse("project-settings", args=[project.slug]), sent).status_code == 302
    project.refresh_from_db()
    quick = next(each for each in PRESETS if each.key == "quick")
    assert quick.differs(project) == {}
    assert [is_now for _preset, _cost, is_now in page(project).context["presets"]] == [
        True,
        False,
        False,
        False,
    ]
    assert "would change" not in page(project, preset="of nobody").content.decode()


@pytest.mark.django_db
def test_every_setting_is_explained_in_a_sentence() -> None:
    form = page(make_project()).context["form"]
    assert [name for name, field in form.fields.items() if not str(field.help_text).strip()] == []
