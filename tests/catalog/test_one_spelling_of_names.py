"""앞면 is the same name whether a Mac wrote it in five pieces of letters or Windows in two: wherever names meet."""

from __future__ import annotations

import unicodedata
from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from labeling.catalog.forms.guideline import ClassForm
from labeling.catalog.images import add_items
from labeling.catalog.models import IntakeBatch, Item, Project
from labeling.catalog.selectors import active_definitions
from labeling.catalog.shots import folder_of, shot_type
from labeling.learning.deriving import read_gold
from labeling.truth.selectors import gold_candidates
from tests.factories import make_items, make_project

pytestmark = pytest.mark.django_db

COMPOSED = "검사 17/앞면.png"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.fixture(params=[COMPOSED, DECOMPOSED], ids=["composed", "decomposed"])
def asked(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project() -> Project:
    project = make_project()
    image = make_items(make_project(), 1)[0].image
    add_items(project=project, images=[(image, DECOMPOSED)], source=unicodedata.normalize("NFD", "검사"))
    return project


def signed_in(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def test_a_name_is_composed_when_it_is_kept(project: Project) -> None:
    item = Item.objects.get(project=project)
    assert (item.name, item.source) == (COMPOSED, "검사")


def test_a_photo_is_found_for_gold_in_either_spelling(project: Project, asked: str) -> None:
    assert [item.name for item in gold_candidates(project, asked.split("/")[1])] == [COMPOSED]


def test_known_answers_name_a_photo_in_either_spelling(project: Project, asked: str) -> None:
    assert read_gold(f"{asked},defective") == [(COMPOSED, "defective")]
    answer = signed_in(project).post(
        f"/api/v1/projects/{project.slug}/derive",
        {
            "slug": "another", "name": "Another", "question": "Which?",
            "classes": [{"key": "a", "name": "A"}, {"key": "b", "name": "B"}],
            "gold": [{"photo": asked, "class": "a"}],
        },
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code == 202, answer.content
    assert Project.objects.filter(slug="another").exists()


def test_an_exemplar_is_named_in_either_spelling(project: Project, asked: str) -> None:
    definition = active_definitions(project)[0]
    given = {"name": "A", "place": 1, "fate": "keep", "more": asked}
    form = ClassForm(
        {f"class-{definition.label_class.key}-{name}": value for name, value in given.items()},
        project=project, definition=definition, others=[],
    )  # fmt: skip
    assert form.is_valid(), form.errors
    assert form.exemplars() == [Item.objects.get(project=project).image.sha256]


def test_more_exemplars_than_a_class_can_have_are_refused_not_cut(project: Project) -> None:
    definition = active_definitions(project)[0]
    given = {"name": "A", "place": 1, "fate": "keep", "more": "\n".join([COMPOSED] * 21)}
    form = ClassForm(
        {f"class-{definition.label_class.key}-{name}": value for name, value in given.items()},
        project=project, definition=definition, others=[],
    )  # fmt: skip
    assert "at most 12" in str(form.errors)


def test_photos_of_a_delivery_are_found_in_either_spelling(project: Project) -> None:
    IntakeBatch.objects.create(project=project, kind="upload", source="검사", created_by=project.created_by)
    for source in ("검사", unicodedata.normalize("NFD", "검사")):
        page = signed_in(project).get(reverse("photos", args=[project.slug]), {"source": source})
        assert len(page.context["photos"]) == 1


def test_a_shot_is_the_same_in_either_spelling(asked: str) -> None:
    assert (folder_of(asked), shot_type(asked)) == ("검사 17", "앞면")


def test_names_of_before_are_composed_by_the_migration_and_unreadable_dates_go(project: Project) -> None:
    item = Item.objects.get(project=project)
    Item.objects.filter(pk=item.pk).update(name=DECOMPOSED)
    batch = IntakeBatch.objects.create(
        project=project,
        kind="upload",
        source=unicodedata.normalize("NFD", "검사"),
        created_by=project.created_by,
    )
    migration = import_module("labeling.catalog.migrations.0007_names_of_files").Migration
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_image SET taken_at = '10000-01-01Z' WHERE id = %s", [item.image_id])
        for operation in migration.operations:
            if sql := getattr(operation, "sql", None):
                cursor.execute(sql)
    item.refresh_from_db()
    batch.refresh_from_db()
    assert (item.name, batch.source, item.image.taken_at) == (COMPOSED, "검사", None)
