"""What is counted follows the pool and the classes of today."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from labeling.catalog.services import amend_guideline, update_settings
from labeling.learning.models import ModelVersion, Snapshot
from labeling.learning.services import promote
from labeling.queue import services
from labeling.queue.selectors import labeler_progress, progress
from labeling.refusals import Refused
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def test_the_goal_shown_is_never_larger_than_the_pool(setting: Setting) -> None:
    cache.clear()
    update_settings(project=setting.project, by=setting.project.created_by, boundary_after=300)
    setting.project.refresh_from_db()
    shown = labeler_progress(setting.project, setting.ann)
    assert (shown["settled_in_band"], shown["needed_in_band"]) == (0, len(setting.items))
    for person in (setting.ann, setting.bob):
        answer_with(
            setting.project, services.claim(project=setting.project, labeler=person, count=1)[0], "functional"
        )
    cache.clear()
    shown = labeler_progress(setting.project, setting.ann)
    assert (shown["settled_in_band"], shown["needed_in_band"]) == (1, len(setting.items))


def test_ground_truths_are_counted_under_the_class_that_they_count_as_today(setting: Setting) -> None:
    project = setting.project
    for choice in ("functional", "defective"):
        for person in (setting.ann, setting.bob):
            answer_with(project, services.claim(project=project, labeler=person, count=1)[0], choice)
    assert progress(project)["classes"] == {"defective": 1, "functional": 1}
    amend_guideline(project=project, by=project.created_by, note="One", merge={"defective": "functional"})
    assert progress(project)["classes"] == {"functional": 2}


def test_a_model_that_knows_merged_classes_is_not_promoted(setting: Setting) -> None:
    project = setting.project
    guideline = project.guidelines.get()
    classes = list(project.label_classes.order_by("pk").values_list("pk", flat=True))
    snapshot = Snapshot.objects.create(
        project=project, guideline=guideline, ground_truth_ids=[], digest="0" * 64, counts={}
    )
    version = ModelVersion.objects.create(
        project=project, number=1, snapshot=snapshot, backbone="x", backbone_hash="0" * 64, classes=classes,
        artifact="x", manifest={}, metrics={},
    )  # fmt: skip
    amend_guideline(project=project, by=project.created_by, note="One", merge={"defective": "functional"})
    with pytest.raises(Refused) as refusal:
        promote(model_version=version, by=project.created_by)
    assert refusal.value.code == "outdated_classes"
