"""An answer keeps the guideline version that it was given under, and a ground truth that of its oldest answer."""

from __future__ import annotations

import pytest
from django.db import transaction

from labeling.catalog.models import Guideline, Project
from labeling.catalog.services import amend_guideline
from labeling.refusals import Refused
from labeling.truth import services
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Annotation, GroundTruth
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


def test_an_answer_is_of_the_version_that_it_was_given_under_not_of_the_one_in_force_when_it_comes() -> None:
    project = make_project()
    (item,) = make_items(project, 1)
    _amend(project)
    given = answer(project, item, make_member(project), under=1)
    assert given.guideline.number == 1
    answer(project, item, make_member(project), under=2)
    assert _number(truth_in_force(item.pk)) == 1


def test_a_class_that_was_merged_since_is_taken_and_counts_as_what_it_is_now() -> None:
    project = make_project(classes=("functional", "cracked", "defective"))
    (item,) = make_items(project, 1)
    amend_guideline(
        project=project, by=project.created_by, note="One class fewer", merge={"cracked": "defective"}
    )
    with pytest.raises(Refused) as refusal, transaction.atomic():
        answer(project, item, make_member(project), "cracked", under=2)
    assert refusal.value.code == "unknown_class"
    answer(project, item, make_member(project), "cracked", under=1)
    answer(project, item, make_member(project), "defective", under=2)
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "defective"


def test_a_class_that_was_retired_since_is_taken_and_votes_for_nothing() -> None:
    project = make_project(classes=("functional", "cracked", "defective"))
    (item,) = make_items(project, 1)
    amend_guideline(project=project, by=project.created_by, note="No more", retire=["cracked"])
    assert answer(project, item, make_member(project), "cracked", under=1).label_class is not None
    assert truth_in_force(item.pk) is None and open_dispute(item.pk) is not None


def test_the_checklist_is_that_of_the_version() -> None:
    project = make_project(checklist_required=True)
    one, two = make_items(project, 2)
    amend_guideline(
        project=project, by=project.created_by, note="Look closely", checklist={"functional": ["No crack"]}
    )
    answer(project, one, make_member(project), under=1)
    with pytest.raises(Refused) as refusal, transaction.atomic():
        answer(project, two, make_member(project), under=2)
    assert refusal.value.code == "checklist_incomplete"


def test_a_number_that_the_project_does_not_have_is_refused_and_nothing_is_stored() -> None:
    project, other = make_project(), make_project()
    _amend(other)
    (item,) = make_items(project, 1)
    with pytest.raises(Refused) as refusal, transaction.atomic():
        answer(project, item, make_member(project), under=2)
    assert (refusal.value.code, refusal.value.status, set(refusal.value.fields)) == (
        "invalid",
        422,
        {"guideline"},
    )
    assert not Annotation.objects.exists()
