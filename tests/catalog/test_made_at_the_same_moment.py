"""Requests that are sent twice, or by two people at once, are refused in words, as one after the other would be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Membership, Project
from labeling.people.models import User
from tests.factories import make_items, make_project, make_user

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6
CLASSES = [{"key": "good", "name": "Good"}, {"key": "bad", "name": "Bad"}]
ROWS = {
    "classes-TOTAL_FORMS": "2",
    "classes-INITIAL_FORMS": "0",
    "classes-0-name": "Good",
    "classes-1-name": "Bad",
}


def all_at_once(by: User, send: Callable[[Client], Any]) -> list[Any]:
    together = Barrier(AT_ONCE)

    def one(client: Client) -> Any:
        try:
            connection.ensure_connection()
            together.wait(30)
            return send(client)
        finally:
            connection.close()

    clients = [Client() for _ in range(AT_ONCE)]
    for client in clients:
        client.force_login(by)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, clients))


def test_one_of_many_projects_with_one_address_is_founded_by_the_api() -> None:
    body = {"slug": "cells", "name": "Cells", "question": "Defective?", "classes": CLASSES}
    told = all_at_once(
        make_user(is_superuser=True),
        lambda client: client.post("/api/v1/projects", body, content_type="application/json"),
    )
    assert sorted(each.status_code for each in told) == [201, *[422] * (AT_ONCE - 1)]
    for each in told:
        if each.status_code == 422:
            assert "taken" in each.json()["error"]["fields"]["slug"][0]
    assert Project.objects.get().slug == "cells"


def test_one_of_many_projects_with_one_address_is_founded_by_the_page() -> None:
    form = {"slug": "cells", "name": "Cells", "question": "Defective?", **ROWS}
    told = all_at_once(make_user(is_superuser=True), lambda client: client.post(reverse("project-new"), form))
    assert sorted(each.status_code for each in told) == [302, *[422] * (AT_ONCE - 1)]
    assert Project.objects.count() == 1


def test_one_of_many_projects_with_one_address_is_derived() -> None:
    source = make_project()
    make_items(source, 3)
    body = {"slug": "kinds", "name": "Kinds", "question": "Mono?", "classes": CLASSES}
    told = all_at_once(
        source.created_by,
        lambda client: client.post(
            f"/api/v1/projects/{source.slug}/derive", body, content_type="application/json"
        ),
    )
    assert sorted(each.status_code for each in told) == [202, *[422] * (AT_ONCE - 1)]
    assert Project.objects.filter(slug="kinds").count() == 1


def test_one_of_many_accounts_with_one_name_is_made() -> None:
    project, chief = make_project(), make_user(is_superuser=True)
    form = {
        "action": "create",
        "account-username": "mina",
        "account-role": "labeler",
    }
    told = all_at_once(chief, lambda client: client.post(reverse("members", args=[project.slug]), form))
    assert sorted(each.status_code for each in told) == [201, *[422] * (AT_ONCE - 1)]
    assert Membership.objects.filter(project=project, user__username="mina").count() == 1


def test_one_person_is_made_a_member_by_many_at_once() -> None:
    project, person = make_project(), make_user()
    told = all_at_once(
        project.created_by,
        lambda client: client.put(
            f"/api/v1/projects/{project.slug}/members/{person.username}",
            {"role": "labeler"},
            content_type="application/json",
        ),
    )
    assert {each.status_code for each in told} == {200}
    assert Membership.objects.filter(project=project, user=person).count() == 1


def test_one_of_many_guideline_versions_written_on_the_same_one_is_published() -> None:
    project = make_project()
    body = {"note": "Gaps too", "expected": 1, "add": [{"key": "unclear", "name": "Unclear"}]}
    told = all_at_once(
        project.created_by,
        lambda client: client.post(
            f"/api/v1/projects/{project.slug}/guidelines", body, content_type="application/json"
        ),
    )
    assert sorted(each.status_code for each in told) == [201, *[409] * (AT_ONCE - 1)], told[0].content
    assert project.guidelines.count() == 2


def test_many_log_in_at_once_and_each_gets_a_token() -> None:
    robot = make_user()  # whose password is the name
    body = {"username": robot.username, "password": robot.username}
    told = all_at_once(
        make_user(), lambda client: client.post("/api/v1/login", body, content_type="application/json")
    )
    assert {each.status_code for each in told} == {200}
    assert len({each.json()["token"] for each in told}) == AT_ONCE
