"""Somebody publishes a guideline version, or adds a class, while somebody else's request is on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labeling.catalog.services import amend_guideline
from labeling.gateway.api import guidelines
from labeling.gateway.api.learning import models
from labeling.learning.models import ModelVersion
from tests.gateway.conftest import World


def _first(happens: Callable[[], object], then: Callable[..., Any]) -> Callable[..., Any]:
    """``then``, before which this happens once."""
    left = [happens]

    def both(*args: Any) -> Any:
        while left:
            left.pop()()
        return then(*args)

    return both


@pytest.mark.parametrize(
    ("path", "then"), [("/guideline", "current_guideline"), ("/guidelines", "page_by_id")]
)
def test_the_guideline_is_read_while_a_new_one_is_published(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, then: str
) -> None:
    def publish() -> None:
        change = {"note": "New", "criteria": {"defective": "Dark."}, "wording_only": True}
        amend_guideline(project=world.project, by=world.admin, **change)

    monkeypatch.setattr(guidelines, then, _first(publish, getattr(guidelines, then)))
    answer = world.client("viewer").get(world.api(path))
    assert answer.status_code == 200
    shown = answer.json()["results"][-1] if path == "/guidelines" else answer.json()
    assert (shown["number"] > 1, shown["means_as"]) == (True, 1)


def test_models_are_listed_while_one_of_a_new_class_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add() -> None:
        amend_guideline(
            project=world.project, by=world.admin, note="New", add=[{"key": "new", "name": "New"}]
        )
        new = world.project.label_classes.get(key="new")
        newest = ModelVersion.objects.filter(project=world.project).latest("number")
        newest.pk, newest.number, newest.classes = None, newest.number + 1, [*newest.classes, new.pk]
        newest.save(force_insert=True)

    monkeypatch.setattr(models, "page_by_id", _first(add, models.page_by_id))
    answer = world.client("admin").get(world.api("/models"))
    assert answer.status_code == 200
    assert answer.json()["results"][-1]["classes"][-1] == "new"
