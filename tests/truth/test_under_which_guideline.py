"""An answer keeps the guideline version that it was given under, and a ground truth that of its oldest answer."""

from __future__ import annotations

import pytest

from labeling.catalog.models import Guideline, Project
from labeling.catalog.services import amend_guideline
from labeling.truth import services
from labeling.truth.current import truth_in_force
from labeling.truth.models import GroundTruth
from tests.factories import make_items, make_member, make_project
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db


def _amend(project: Project, text: str = "Other criteria") -> Guideline:
    return amend_guideline(
        project=project, by=project.created_by, note=text, criteria={"functional": f"{text}."}
    )


def _number(truth: GroundTruth | None) -> int:
    assert truth is not None
    return truth.guideline.number


def test_a_ground_truth_is_of_the_oldest_version_among_its_answers() -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    mixed, fresh = make_items(project, 2)
    answer(project, mixed, ann)
    _amend(project)
    answer(project, mixed, bob)
    for person in (ann, bob):
        answer(project, fresh, person)
    assert _number(truth_in_force(mixed.pk)) == 1
    assert _number(truth_in_force(fresh.pk)) == 2


def test_an_answer_that_dissents_does_not_age_what_the_others_agree_on() -> None:
    project = make_project(answers_per_image=3, rule="k_of_n", agreement_k=2)
    (item,) = make_items(project, 1)
    answer(project, item, make_member(project), "defective")
    _amend(project)
    for _ in range(2):
        answer(project, item, make_member(project))
    assert _number(truth_in_force(item.pk)) == 2


def test_answers_that_are_judged_again_make_a_truth_of_their_own_version() -> None:
    """As after a merge: what people said under version 1 settles the photo under version 2's classes."""
    project = make_project(answers_per_image=2)
    (item,) = make_items(project, 1)
    answer(project, item, make_member(project))
    _amend(project)
    Project.objects.filter(pk=project.pk).update(answers_per_image=1)
    project.refresh_from_db()
    services.reconsider(project=project, item_ids=[item.pk])
    assert _number(truth_in_force(item.pk)) == 1
