"""The demo project: what it holds, and how its accounts are protected."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth import authenticate

from labeling.catalog import demo
from labeling.catalog.elpv import clear_cells, elpv_cells
from labeling.catalog.models import Item
from labeling.catalog.selectors import active_definitions
from labeling.gateway.management.commands.demo import LOCAL_PASSWORD, PEOPLE, Command, _accounts
from labeling.gateway.serving import Address
from labeling.jobs.models import Job, JobState
from labeling.people.models import User
from labeling.truth.models import Gold

pytestmark = pytest.mark.django_db
HERE, ANYWHERE = Address("127.0.0.1", 8000), Address("0.0.0.0", 8000)


def probabilities() -> dict[str, float]:
    return {hashlib.sha256(cell.path.read_bytes()).hexdigest(): cell.probability for cell in elpv_cells()}


def test_gold_and_exemplars_are_photos_on_which_the_experts_were_certain_and_never_the_same() -> None:
    _accounts(HERE)
    project = Command()._project()
    expert = probabilities()
    gold = {
        gold.item.image.sha256: gold.label_class.key
        for gold in Gold.objects.filter(project=project).select_related("item__image", "label_class")
    }
    assert len(gold) == 30
    assert sorted(set(gold.values())) == ["defective", "functional"]
    for sha256, key in gold.items():
        assert expert[sha256] == (1.0 if key == "defective" else 0.0)
    for definition in active_definitions(project):
        assert len(definition.criteria) > 100
        assert definition.checklist
        exemplars = [exemplar.image.sha256 for exemplar in definition.exemplars.all()]
        assert len(exemplars) == demo.EXEMPLARS_A_CLASS
        for sha256 in exemplars:
            assert sha256 not in gold
            assert expert[sha256] == (1.0 if definition.label_class.key == "defective" else 0.0)


def test_a_second_start_does_nothing_twice() -> None:
    _accounts(HERE)
    project = Command()._project()
    job = Job.objects.get(kind="intake")
    before = (
        Item.objects.count(),
        Gold.objects.count(),
        project.guidelines.count(),
        project.activities.count(),
    )
    again = Command()._project()
    assert again.pk == project.pk
    assert before == (
        Item.objects.count(),
        Gold.objects.count(),
        project.guidelines.count(),
        project.activities.count(),
    )
    assert Job.objects.get(kind="intake").pk == job.pk

    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    Command()._project()
    assert Job.objects.filter(kind="intake").count() == 2, "a failed intake is started again"


def test_simple_passwords_work_only_while_nobody_else_can_reach_the_server() -> None:
    shown = _accounts(HERE)
    assert shown == dict.fromkeys(PEOPLE, LOCAL_PASSWORD)
    assert authenticate(username="labeler1", password=LOCAL_PASSWORD) is not None

    shown = _accounts(ANYWHERE)
    assert len(set(shown.values())) == len(PEOPLE)
    for username, password in shown.items():
        assert authenticate(username=username, password=LOCAL_PASSWORD) is None
        assert authenticate(username=username, password=password) is not None


def test_a_password_that_somebody_chose_is_left_alone() -> None:
    _accounts(HERE)
    user = User.objects.get(username="reviewer1")
    user.set_password("my own words")
    user.save()
    for at in (HERE, ANYWHERE):
        assert "my own" not in _accounts(at)["reviewer1"]
        assert authenticate(username="reviewer1", password="my own words") is not None


def test_the_package_holds_the_photos_that_the_project_is_about() -> None:
    cells = elpv_cells()
    assert len(cells) == 2624
    assert len({hashlib.sha256(cell.path.read_bytes()).digest() for cell in cells}) == 2624, (
        "no two are the same"
    )
    counts = {
        round(p, 2): sum(round(cell.probability, 2) == round(p, 2) for cell in cells)
        for p in (0, 1 / 3, 2 / 3, 1)
    }
    assert counts == {0: 1508, 0.33: 295, 0.67: 106, 1: 715}
    assert clear_cells(count=5, defective=True) == clear_cells(count=5, defective=True)
