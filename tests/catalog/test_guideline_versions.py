"""A change of the class schema appends a version, and touches no answer."""

from __future__ import annotations

import threading
import unicodedata
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from labeling.catalog import events, services
from labeling.catalog.history import guideline_history
from labeling.catalog.models import Activity, ClassDefinition, Exemplar, Guideline, Project
from labeling.catalog.selectors import active_definitions, class_resolution, current_guideline
from labeling.refusals import Refused
from labeling.truth.models import Annotation
from tests.factories import make_items, make_member, make_project

pytestmark = pytest.mark.django_db


def amend(project: Project, note: str = "Because", **changes: Any) -> Guideline:
    return services.amend_guideline(project=project, by=project.created_by, note=note, **changes)


def names(project: Project) -> list[str]:
    return [definition.name for definition in active_definitions(project)]


def keys(project: Project) -> list[str]:
    return [definition.label_class.key for definition in active_definitions(project)]


def refusal(project: Project, **changes: Any) -> str:
    before = Guideline.objects.filter(project=project).count()
    with pytest.raises(Refused) as caught:
        amend(project, **changes)
    assert Guideline.objects.filter(project=project).count() == before
    assert 400 <= caught.value.status < 500 and caught.value.message
    return caught.value.code


def answer_all(project: Project) -> list[dict[str, Any]]:
    """One answer a class and one hold; return them as they are stored."""
    guideline = current_guideline(project)
    for definition in active_definitions(project):
        (item,) = make_items(project, 1)
        Annotation.objects.create(
            project=project,
            item=item,
            labeler=make_member(project),
            key=uuid.uuid4(),
            kind="class",
            label_class=definition.label_class,
            guideline=guideline,
            draw="rank",
            view_ms=900,
        )
    return stored()


def stored() -> list[dict[str, Any]]:
    return [dict(row) for row in Annotation.objects.order_by("id").values()]


def by_key(project: Project) -> dict[str, str | None]:
    """class_resolution with keys instead of ids."""
    ids = dict(project.label_classes.values_list("id", "key"))
    return {ids[one]: ids[other] if other else None for one, other in class_resolution(project).items()}


@pytest.mark.parametrize(
    "changes",
    [
        {"rename": {"b": "Broken"}},
        {"add": [{"key": "d", "name": "D"}]},
        {"merge": {"b": "c"}},
        {"retire": ["b"]},
        {"rename": {"a": "x"}, "merge": {"b": "d"}, "retire": ["c"], "add": [{"key": "d", "name": "D"}]},
    ],
)
def test_no_change_of_the_schema_loses_or_changes_an_answer(changes: dict[str, Any]) -> None:
    project = make_project(classes=("a", "b", "c"))
    before = answer_all(project)
    amend(project, **changes)
    assert len(before) == 3 and stored() == before
    assert set(class_resolution(project)) >= {row["label_class_id"] for row in before}


def test_renaming_keeps_the_class_and_its_key() -> None:
    project = make_project(classes=("a", "b"))
    amend(project, rename={"a": "  Sound "})
    assert names(project) == ["Sound", "B"] and keys(project) == ["a", "b"]
    assert by_key(project) == {"a": "a", "b": "b"}


def test_merging_makes_answers_count_for_the_other_class_through_chains() -> None:
    project = make_project(classes=("a", "b", "c"))
    amend(project, merge={"a": "b"})
    assert keys(project) == ["b", "c"] and by_key(project) == {"a": "b", "b": "b", "c": "c"}
    amend(project, merge={"b": "c"})
    assert by_key(project) == {"a": "c", "b": "c", "c": "c"}


def test_retiring_makes_answers_count_for_nothing_also_those_merged_into_it() -> None:
    project = make_project(classes=("a", "b", "c"))
    amend(project, merge={"a": "b"})
    amend(project, retire=["b"])
    assert by_key(project) == {"a": None, "b": None, "c": "c"}


def test_a_class_out_of_use_can_be_brought_back() -> None:
    project = make_project(classes=("a", "b", "c"))
    amend(project, retire=["a"], merge={"b": "c"})
    amend(project, add=[{"key": "a", "name": "A again"}, {"key": "b", "name": "B again"}])
    assert by_key(project) == {"a": "a", "b": "b", "c": "c"}
    back = next(d for d in active_definitions(project) if d.label_class.key == "a")
    assert back.criteria == "What makes a photo a." and project.label_classes.count() == 3


def test_a_new_class_with_the_name_of_one_out_of_use_is_that_class() -> None:
    project = make_project(classes=("a", "b", "c"))
    amend(project, rename={"a": "Rusty"})
    amend(project, retire=["a"])
    amend(project, add=[{"name": "rusty"}])
    assert by_key(project) == {"a": "a", "b": "b", "c": "c"} and project.label_classes.count() == 3


def test_a_version_is_whole_and_the_earlier_ones_stay_as_they_were() -> None:
    project = make_project(classes=("a", "b"))
    item, other = make_items(project, 2)
    amend(project, exemplars={"a": [item.image.sha256]}, checklist={"a": ["crack visible", " ", "dark"]})
    second = list(ClassDefinition.objects.filter(guideline__number=2).values())
    amend(project, criteria={"b": "No cracks."})
    a, b = active_definitions(project)
    assert [e.image for e in a.exemplars.all()] == [item.image] and a.checklist == ["crack visible", "dark"]
    assert b.criteria == "No cracks." and current_guideline(project).number == 3
    assert list(ClassDefinition.objects.filter(guideline__number=2).values()) == second
    amend(project, exemplars={"a": [other.image.sha256, item.image.sha256]})
    assert [e.image for e in active_definitions(project)[0].exemplars.all()] == [other.image, item.image]
    assert Exemplar.objects.filter(definition__guideline__number=3).count() == 1


def test_the_order_names_some_and_the_rest_follow() -> None:
    project = make_project(classes=("a", "b", "c", "d"))
    amend(project, order=["c", "a"])
    assert keys(project) == ["c", "a", "b", "d"]
    assert [d.position for d in active_definitions(project)] == [0, 1, 2, 3]


def test_a_new_class_gets_a_key_from_its_name() -> None:
    project = make_project(classes=("a", "b"))
    amend(project, add=[{"name": "Deep Crack"}, {"name": "깊은 균열"}, {"name": "얕은 균열"}])
    assert keys(project) == ["a", "b", "deep-crack", "class-1", "class-2"]


def test_a_name_is_one_whatever_its_spelling_and_shows() -> None:
    """A list that is pasted from a Mac's folder spells 앞면 in five pieces: two classes that nobody can tell apart."""
    project = make_project(classes=("a", "b"))
    pieces = unicodedata.normalize("NFD", "앞면")
    amend(project, add=[{"name": pieces, "group": pieces}])
    assert names(project)[-1] == "앞면"
    assert active_definitions(project)[-1].group == "앞면"
    for unfit in (
        {"add": [{"name": "앞면"}]},
        {"add": [{"name": "\u200b\u2060"}]},
        {"rename": {"a": pieces}},
    ):
        with pytest.raises(Refused) as refused:
            amend(project, **unfit)
        assert refused.value.code == "invalid"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rename": {"zzz": "Z"}}, "unknown_class"),
        ({"criteria": {"zzz": "Z"}}, "unknown_class"),
        ({"retire": ["zzz"]}, "unknown_class"),
        ({"order": ["a", "zzz"]}, "unknown_class"),
        ({"order": ["a", "a"]}, "invalid"),
        ({"rename": {"a": " "}}, "invalid"),
        ({"rename": {"a": "x" * 81}}, "invalid"),
        ({"rename": {"a": "b"}}, "invalid"),
        ({"add": [{"key": "a", "name": "A2"}]}, "invalid"),
        ({"add": [{"key": "Not A Key", "name": "A2"}]}, "invalid"),
        ({"merge": {"a": "a"}}, "invalid"),
        ({"merge": {"a": "zzz"}}, "invalid"),
        ({"merge": {"a": "b", "b": "a"}}, "invalid"),
        ({"merge": {"a": "b"}, "retire": ["a"]}, "invalid"),
        ({"merge": {"a": "b"}, "retire": ["b"]}, "invalid"),
        ({"retire": ["a", "b", "c"]}, "invalid"),
        ({"exemplars": {"a": ["0" * 64]}}, "invalid"),
        ({"checklist": {"a": [str(n) for n in range(30)]}}, "invalid"),
        ({"note": "  ", "rename": {"a": "A2"}}, "invalid"),
        ({}, "nothing_changed"),
        ({"rename": {"a": "A"}, "criteria": {"a": "What makes a photo a. "}}, "nothing_changed"),
        ({"rename": {"a": "A2"}, "expected": 7}, "guideline_moved"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_makes_no_version(changes: dict[str, Any], code: str) -> None:
    assert refusal(make_project(classes=("a", "b", "c")), **changes) == code


def test_an_exemplar_must_be_a_photo_of_the_project() -> None:
    project, other = make_project(classes=("a", "b")), make_project()
    (foreign,) = make_items(other, 1)
    assert refusal(project, exemplars={"a": [foreign.image.sha256]}) == "invalid"


def test_two_admins_who_edit_the_same_version_do_not_overwrite_each_other() -> None:
    project = make_project(classes=("a", "b"))
    amend(project, rename={"a": "First"}, expected=1)
    assert refusal(project, rename={"a": "Second"}, expected=1) == "guideline_moved"
    assert names(project) == ["First", "B"]


def test_upper_rooms_are_told_of_a_new_version() -> None:
    heard: list[tuple[Project, Guideline]] = []

    def hear(sender: Any, project: Project, guideline: Guideline, **kwargs: Any) -> None:
        heard.append((project, guideline))

    events.guideline_changed.connect(hear)
    try:
        project = make_project(classes=("a", "b"))
        version = amend(project, rename={"a": "X"})
    finally:
        events.guideline_changed.disconnect(hear)
    assert heard == [(project, version)]
    assert Activity.objects.get(project=project, kind="guideline_changed").data["number"] == 2


def test_the_history_says_what_each_version_changed() -> None:
    project = make_project(classes=("a", "b", "c"))
    (item,) = make_items(project, 1)
    amend(project, "Clearer", rename={"a": "Alpha"}, criteria={"b": "New."}, add=[{"key": "d", "name": "D"}])
    amend(project, "Fewer", merge={"b": "c"}, retire=["d"], exemplars={"a": [item.image.sha256]})
    amend(project, "Back", add=[{"key": "d", "name": "D"}], order=["c", "a"])
    history = guideline_history(project)
    assert [version.guideline.number for version in history] == [4, 3, 2, 1]
    assert history[3].changes == []
    assert set(map(str, history[2].changes)) == {
        "“A” is now called “Alpha”.",
        "The criteria of “B” were amended.",
        "“D” was added.",
    }
    assert set(map(str, history[1].changes)) == {
        "“B” was merged into “C”.",
        "“D” was retired.",
        "The exemplars of “Alpha” were changed.",
    }
    assert set(map(str, history[0].changes)) == {
        "“D” is in use again.",
        "The order of the classes was changed.",
    }
    assert [v.guideline.number for v in guideline_history(project, limit=2)] == [4, 3]
    assert guideline_history(project, limit=2)[1].changes


@pytest.mark.parametrize("model", [Guideline, ClassDefinition, Exemplar, Activity])
@pytest.mark.parametrize("statement", ["update", "delete"])
def test_the_database_refuses_to_change_what_is_appended(model: Any, statement: str) -> None:
    project = make_project(classes=("a", "b"))
    (item,) = make_items(project, 1)
    amend(project, exemplars={"a": [item.image.sha256]})
    rows = model.objects.all()
    assert rows.exists()
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        if statement == "delete":
            rows._raw_delete(rows.db)
        else:
            field = {
                "Guideline": "note",
                "ClassDefinition": "name",
                "Exemplar": "caption",
                "Activity": "kind",
            }
            rows.update(**{field[model.__name__]: "changed"})


@pytest.mark.django_db(transaction=True)
def test_versions_published_at_the_same_moment_get_numbers_in_a_row() -> None:
    project = make_project(classes=("a", "b"))
    at_once = threading.Barrier(5)

    def publish(number: int) -> None:
        try:
            at_once.wait()
            amend(project, rename={"a": f"Name {number}"})
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(project.guidelines.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
