"""Founding and setting up a project; who belongs to it."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.catalog import events, services
from labeling.catalog.forms.projects import ProjectForm
from labeling.catalog.models import Activity, Membership, Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.selectors import active_definitions, current_guideline, members
from labeling.people.services import create_account
from labeling.refusals import Refused
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db
CLASSES = [
    {"name": "Functional", "criteria": "No crack."},
    {"key": "bad", "name": "Defective", "checklist": ["crack"]},
]


def found(**given: Any) -> Project:
    fields: dict[str, Any] = {
        "slug": "cells",
        "name": "Cells",
        "question": "Defective?",
        "classes": CLASSES,
        "by": make_user(is_superuser=True),
    }
    return services.create_project(**fields | given)


def test_a_project_starts_with_version_1_and_its_founder_as_admin() -> None:
    founder = make_user(is_superuser=True)
    project = found(by=founder, bands=7)
    assert current_guideline(project).number == 1 and project.bands == 7
    assert [(d.label_class.key, d.criteria, d.checklist) for d in active_definitions(project)] == [
        ("functional", "No crack.", []),
        ("bad", "", ["crack"]),
    ]
    assert [(m.user, m.role) for m in members(project)] == [(founder, "admin")]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slug": "not a slug"}, "slug"),
        ({"name": ""}, "name"),
        ({"classes": CLASSES[:1]}, "classes"),
        ({"classes": [{"name": "A"}, {"key": "b", "name": "a"}]}, "name"),
        ({"classes": [{"name": "A", "key": "a"}, {"name": "B", "key": "a"}]}, "key"),
        ({"answers_per_image": 0}, "answers_per_image"),
        ({"rule": "k_of_n", "agreement_k": 3, "answers_per_image": 2}, "agreement_k"),
        ({"gold_rate": 0.6, "audit_rate": 0.5}, "gold_rate"),
        ({"gold_rate": 1.6}, "gold_rate"),
        ({"strategy": "by mood"}, "strategy"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_project_that_cannot_be_is_refused_by_field_and_leaves_nothing(
    given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        found(**given)
    assert caught.value.status == 422 and field in caught.value.fields
    assert not Project.objects.exists()


def test_two_projects_cannot_have_one_address() -> None:
    found()
    with pytest.raises(Refused) as caught:
        found()
    assert "slug" in caught.value.fields


@pytest.mark.parametrize("slug", ["Cells", "-x", "x-", "a_b", "a\n", "a" * 61])
def test_an_address_is_small_letters_and_digits_with_hyphens_between(slug: str) -> None:
    with pytest.raises(Refused) as caught:
        found(slug=slug)
    assert caught.value.status == 422 and "slug" in caught.value.fields
    assert found(slug="x").slug == "x" and found(slug="a-1--b").slug == "a-1--b"


def test_an_older_address_in_capitals_stays_usable_and_its_small_twin_is_taken() -> None:
    older = make_project(slug="CELLS_")
    services.update_settings(project=older, by=older.created_by, bands=9)
    assert Project.objects.get(slug="CELLS_").bands == 9
    make_project(slug="LINE")
    with pytest.raises(Refused) as caught:
        found(slug="line")
    assert "taken" in caught.value.fields["slug"]


@pytest.mark.parametrize("name", ["New  _ line", "-- x --", "a" * 59 + " b", "Zelle №1"])
def test_the_address_that_is_made_from_a_name_is_one_that_is_taken(name: str) -> None:
    form = ProjectForm({"name": name, "question": "Defective?"})
    assert form.is_valid(), form.errors
    assert found(slug=form.cleaned_data["slug"]).pk


def test_settings_change_and_upper_rooms_hear_which() -> None:
    heard: list[frozenset[str]] = []

    def hear(sender: Any, changed: frozenset[str], **kwargs: Any) -> None:
        heard.append(changed)

    project = make_project(bands=4)
    events.settings_changed.connect(hear)
    try:
        project = services.update_settings(project=project, by=project.created_by, bands=9, strategy="inward")
        services.update_settings(project=project, by=project.created_by, bands=9)
    finally:
        events.settings_changed.disconnect(hear)
    assert heard == [frozenset({"bands"})] and Project.objects.get().bands == 9
    assert Activity.objects.get(kind="settings_changed").data == {"changes": {"bands": [4, 9]}}


@pytest.mark.parametrize(
    "changes", [{"agreement_k": 5, "rule": "k_of_n"}, {"audit_rate": 1.5}, {"slug": "new"}]
)
def test_settings_that_cannot_be_are_refused_and_nothing_changes(changes: dict[str, Any]) -> None:
    project = make_project()
    before = Project.objects.values().get()
    with pytest.raises(Refused) as caught:
        services.update_settings(project=project, by=project.created_by, **changes)
    assert caught.value.status == 422 and Project.objects.values().get() == before


def test_an_archived_project_is_seen_by_nobody() -> None:
    project = make_project()
    labeler, superuser = make_member(project), make_user(is_superuser=True)
    services.archive_project(project=project, by=project.created_by)
    assert not Project.objects.for_member(labeler) and not Project.objects.for_member(superuser)
    assert Project.objects.get().archived_at


def test_roles_are_given_changed_and_taken() -> None:
    project, person = make_project(), make_user()
    by = project.created_by
    services.set_role(project=project, user=person, role="labeler", by=by)
    assert may(person, project, Action.LABEL) and not may(person, project, Action.REVIEW)
    services.set_role(project=project, user=person, role="reviewer", by=by)
    assert may(person, project, Action.REVIEW) and not may(person, project, Action.ADMIN)
    services.remove_member(project=project, user=person, by=by)
    assert not may(person, project, Action.VIEW)
    kinds = Activity.objects.filter(project=project).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["role_set", "role_set", "member_removed"]


def test_a_project_never_loses_its_last_admin() -> None:
    project = make_project()
    admin = project.created_by
    for attempt in (
        lambda: services.remove_member(project=project, user=admin, by=admin),
        lambda: services.set_role(project=project, user=admin, role="labeler", by=admin),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "last_admin"
    second = make_member(project, "admin")
    services.remove_member(project=project, user=admin, by=second)
    assert list(Membership.objects.values_list("user", flat=True)) == [second.pk]


def test_odd_members_are_refused() -> None:
    project = make_project()
    by = project.created_by
    with pytest.raises(Refused) as caught:
        services.set_role(project=project, user=make_user(), role="king", by=by)
    assert caught.value.code == "invalid" and "role" in caught.value.fields
    with pytest.raises(Refused) as caught:
        services.set_role(project=project, user=make_user(is_active=False), role="labeler", by=by)
    assert caught.value.code == "inactive"
    with pytest.raises(Refused) as caught:
        services.remove_member(project=project, user=make_user(), by=by)
    assert caught.value.code == "not_a_member" and caught.value.status == 404


def test_only_superusers_make_accounts_and_passwords_must_be_decent() -> None:
    chief = make_user(is_superuser=True)
    made = create_account(username="mina", password="quite-long-words-7", full_name="Mina Kim", by=chief)
    assert made.check_password("quite-long-words-7") and (made.first_name, made.last_name) == ("Mina", "Kim")
    for given, field in (
        ({"username": "mina", "password": "quite-long-words-7"}, "username"),
        ({"username": "no spaces!", "password": "quite-long-words-7"}, "username"),
        ({"username": "joon", "password": "12345"}, "password"),
    ):
        with pytest.raises(Refused) as caught:
            create_account(by=chief, **given)
        assert caught.value.status == 422 and field in caught.value.fields
    for name in ("MINA", ".", ".."):
        with pytest.raises(Refused) as caught:
            create_account(username=name, password="quite-long-words-7", by=chief)
        assert caught.value.status == 422 and "username" in caught.value.fields, name
    with pytest.raises(Refused) as caught:
        create_account(username="x", password="quite-long-words-7", by=make_user())
    assert caught.value.status == 403
