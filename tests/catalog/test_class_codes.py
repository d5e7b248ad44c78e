"""What is typed for a class: a digit, or two signs that stay as long as the class does."""

from __future__ import annotations

import string

import pytest

from labeling.catalog import services
from labeling.catalog.codes import BY_DIGIT, codes_of
from labeling.catalog.guidelines import MAX_CLASSES
from labeling.catalog.models import ClassDefinition, ClassState, LabelClass, Project
from labeling.catalog.selectors import current_guideline, schema_of
from labeling.people.keys import LETTERS
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


def by_key(project: Project) -> dict[str, str]:
    rows = schema_of(current_guideline(project).pk)
    codes = codes_of(rows)
    return {row.label_class.key: codes[row.label_class_id] for row in rows if row.label_class_id in codes}


def in_memory(keys: list[str], *, retired: int = 0) -> list[ClassDefinition]:
    return [
        ClassDefinition(
            label_class_id=number,
            label_class=LabelClass(pk=number, key=key),
            state=ClassState.RETIRED if number < retired else ClassState.ACTIVE,
        )
        for number, key in enumerate(keys)
    ]


def test_up_to_nine_classes_are_answered_by_digits_in_their_order() -> None:
    project = make_project(classes=tuple("abcdefghi"))
    assert by_key(project) == {key: str(place) for place, key in enumerate("abcdefghi", start=1)}


def test_more_are_answered_by_two_signs_made_from_their_keys() -> None:
    rows = in_memory(["front-bumper", "crack", "hood", "dent", "class-1", "class-2", "k", "w", "x", "y"])
    found = list(codes_of(rows).values())
    assert found[:6] == ["on", "cr", "oo", "de", "c1", "c2"]  # f, r and h are commands
    assert len(set(found)) == len(rows) and all(len(code) == 2 for code in found)


def test_five_hundred_classes_have_codes_of_their_own_that_no_command_begins() -> None:
    for keys in (
        [f"class-{n}" for n in range(MAX_CLASSES)],
        [f"scratch-{n}" for n in range(MAX_CLASSES)],
        ["h" * (n % 60 + 1) + f"-{n}" for n in range(MAX_CLASSES)],
    ):
        codes = list(codes_of(in_memory(keys)).values())
        assert len(codes) == len(set(codes)) == MAX_CLASSES
        assert not any(code[0] in LETTERS or code[0] in string.digits for code in codes)


def test_classes_out_of_use_give_their_codes_where_none_is_left() -> None:
    codes = codes_of(in_memory([f"class-{n}" for n in range(900)], retired=900 - MAX_CLASSES))
    assert len(codes) == len(set(codes.values())) == MAX_CLASSES


def test_a_class_keeps_its_code_while_others_come_go_and_move() -> None:
    keys = tuple(f"part-{n}" for n in range(BY_DIGIT + 3))
    project = make_project(classes=keys)
    before = by_key(project)
    admin = project.created_by
    services.amend_guideline(
        project=project,
        by=admin,
        note="n",
        add=[{"name": "Part of another kind"}, {"name": "Pa"}],
        retire=["part-3"],
        rename={"part-1": "Windscreen"},
        order=list(reversed([key for key in keys if key != "part-3"])),
    )
    after = by_key(project)
    assert {key: after[key] for key in keys if key != "part-3"} == {
        key: code for key, code in before.items() if key != "part-3"
    }
    services.amend_guideline(project=project, by=admin, note="n", add=[{"key": "part-3", "name": "Part 3"}])
    assert by_key(project)["part-3"] == before["part-3"]


def test_codes_are_dealt_out_in_the_order_in_which_classes_were_given() -> None:
    names = [f"Kind {n}" for n in range(12)]
    made = [
        services.create_project(
            slug=slug, name="n", question="q?", by=make_user(), classes=[{"name": name} for name in names]
        )
        for slug in ("one", "two")
    ]
    assert by_key(made[0]) == by_key(made[1])


def test_a_class_is_listed_under_a_heading_and_moving_it_is_a_wording() -> None:
    project = services.create_project(
        slug="car", name="n", question="q?", by=make_user(),
        classes=[{"name": "Dent", "group": "Body"}, {"name": "Chip", "group": "Glass"}, {"name": "None"}],
    )  # fmt: skip
    version = services.amend_guideline(
        project=project,
        by=project.created_by,
        note="n",
        group={"none": "Other", "dent": ""},
        wording_only=True,
    )
    assert [row.group for row in schema_of(version.pk)] == ["", "Glass", "Other"]
    assert version.wording_only
