"""Which version is the champion is decided by people, and written down."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from labeling.catalog.models import Activity
from labeling.learning import events, selectors, services
from labeling.learning.models import ModelVersion, Promotion
from labeling.refusals import Refused
from tests.learning.building import run_job, separable_project

pytestmark = pytest.mark.django_db


def two_versions() -> tuple[ModelVersion, ModelVersion]:
    project, _items, _keys = separable_project(16)
    for seed in (0, 1):
        run_job(services.request_training(project=project, by=None, seed=seed))
    second, first = ModelVersion.objects.all()
    return first, second


def test_the_version_promoted_last_is_the_champion_and_rolling_back_keeps_history() -> None:
    first, second = two_versions()
    admin = first.project.created_by
    assert selectors.champion(first.project) is None
    for version in (first, second, first):
        services.promote(model_version=version, by=admin, reason="because")
        assert selectors.champion(first.project) == version
    assert [row.model_version_id for row in Promotion.objects.order_by("id")] == [
        first.pk,
        second.pk,
        first.pk,
    ]
    said = Activity.objects.filter(kind="model_promoted").values_list("data__number", "data__before")
    assert list(said) == [(1, 2), (2, 1), (1, None)]


def test_promoting_the_champion_again_is_refused() -> None:
    first, _second = two_versions()
    services.promote(model_version=first, by=first.project.created_by)
    with pytest.raises(Refused) as refusal:
        services.promote(model_version=first, by=first.project.created_by)
    assert (refusal.value.code, refusal.value.status) == ("already_champion", 409)
    assert Promotion.objects.count() == 1


def test_a_reason_that_does_not_fit_is_refused_and_nothing_is_changed() -> None:
    first, _second = two_versions()
    with pytest.raises(Refused) as refusal:
        services.promote(model_version=first, by=None, reason="x" * 301)
    assert refusal.value.status == 422 and not Promotion.objects.exists()


def test_the_rooms_above_are_told_inside_the_transaction() -> None:
    """What they enqueue stands or falls with the promotion."""
    first, second = two_versions()
    seen: list[tuple[int, bool]] = []

    def listen(sender: Any, *, project: Any, model_version: ModelVersion, **_: Any) -> None:
        seen.append((model_version.pk, transaction.get_connection().in_atomic_block))
        if model_version == second:
            raise RuntimeError("the queue could not be told")

    events.promoted.connect(listen)
    try:
        services.promote(model_version=first, by=None)
        with pytest.raises(RuntimeError), transaction.atomic():
            services.promote(model_version=second, by=None)
    finally:
        events.promoted.disconnect(listen)
    assert seen == [(first.pk, True), (second.pk, True)]
    assert selectors.champion(first.project) == first


def test_two_versions_can_be_put_side_by_side() -> None:
    first, second = two_versions()
    figures = selectors.compare(first, second)
    assert figures[0].name == "accuracy" and figures[0].difference is not None
    assert {figure.label_class for figure in figures[1:]} == {"functional", "defective"}
    details = selectors.snapshot_details(second)
    assert (details.total, details.added, details.removed, details.before) == (16, 0, 0, 1)
