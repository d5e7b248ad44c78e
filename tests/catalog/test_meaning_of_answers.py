"""Some changes of a guideline change what earlier answers mean; most do not."""

from __future__ import annotations

import pytest

from labeling.catalog.meaning import meaning_since
from labeling.catalog.models import Project
from labeling.catalog.services import amend_guideline, object_to_wording
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def since(project: Project) -> dict[str, int]:
    keys = dict(project.label_classes.values_list("pk", "key"))
    return {keys[pk]: number for pk, number in meaning_since(project).items()}


def amend(project: Project, **changes: object) -> None:
    amend_guideline(project=project, by=project.created_by, note="a change", **changes)  # type: ignore[arg-type]


def test_other_criteria_or_another_checklist_change_the_answers_of_that_class_only() -> None:
    project = make_project()
    assert since(project) == {"functional": 1, "defective": 1}
    amend(project, criteria={"defective": "A crack of a centimetre or more."})
    assert since(project) == {"functional": 1, "defective": 2}
    amend(project, checklist={"functional": ["No dark area"]})
    assert since(project) == {"functional": 3, "defective": 2}


def test_a_name_and_an_order_change_nothing() -> None:
    project = make_project()
    amend(project, rename={"defective": "Broken"})
    amend(project, order=["defective", "functional"])
    assert since(project) == {"functional": 1, "defective": 1}


def test_a_class_that_is_added_changes_what_all_answers_mean() -> None:
    project = make_project()
    amend(project, add=[{"name": "Dirty"}])
    assert since(project) == {"functional": 2, "defective": 2, "dirty": 2}


def test_merged_answers_go_on_counting_until_the_class_that_they_count_for_is_described_otherwise() -> None:
    project = make_project(classes=("passed", "washed", "dirty"))
    amend(project, merge={"washed": "passed"})
    assert since(project) == {"passed": 1, "washed": 1, "dirty": 1}
    amend(project, criteria={"passed": "Clean, by whatever means."})
    assert since(project) == {"passed": 3, "washed": 3, "dirty": 1}


def test_answers_of_a_retired_class_count_for_nothing_and_one_that_is_asked_again_begins_anew() -> None:
    project = make_project(classes=("passed", "washed", "dirty"))
    amend(project, retire=["washed"])
    assert since(project) == {"passed": 1, "dirty": 1}
    amend(project, add=[{"key": "washed", "name": "Washed"}])
    assert since(project) == {"passed": 3, "dirty": 3, "washed": 3}


def test_another_wording_changes_nothing_until_an_admin_objects() -> None:
    project = make_project()
    amend(project, criteria={"defective": "A crack."}, wording_only=True)
    amend(project, criteria={"functional": "No crack."})
    assert since(project) == {"functional": 3, "defective": 1}
    object_to_wording(project=project, number=2, by=project.created_by, note="Only cracks now")
    assert since(project) == {"functional": 3, "defective": 2}
