"""A request that only looks asks once for what many parts of its page need; whoever writes sees what was written."""

from __future__ import annotations

from contextvars import copy_context

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, project_for
from labeling.catalog.selectors import active_definitions, current_guideline
from labeling.catalog.services import amend_guideline
from labeling.database.read_once import only_looking, read_once_while_looking
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


def amend(project: Project) -> None:
    amend_guideline(
        project=project, by=project.created_by, note="A new name", rename={"functional": "It works"}
    )


def test_a_page_that_only_looks_asks_once_and_one_that_writes_each_time() -> None:
    project = make_project()

    def twice(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(len(active_definitions(project)) == len(active_definitions(project))))

    page = read_once_while_looking(twice)
    asked = {}
    for method in ("GET", "HEAD", "POST"):
        with CaptureQueriesContext(connection) as queries:
            page(RequestFactory().generic(method, "/"))
        asked[method] = len(queries)
    assert asked["GET"] == asked["HEAD"] > 0
    assert asked["POST"] == 2 * asked["GET"]


def test_answers_are_told_apart_by_who_and_what_is_asked() -> None:
    one, other, stranger = make_project(), make_project(), make_user("stranger")
    with only_looking():
        assert current_guideline(one) != current_guideline(other)
        assert may(one.created_by, one, Action.ADMIN)
        assert not may(stranger, one, Action.ADMIN)


def test_a_stream_that_goes_on_after_the_answer_asks_again() -> None:
    project = make_project()
    with only_looking():
        before = current_guideline(project)
        inherited = copy_context()
        amend(project)
        assert current_guideline(project) == before
    assert inherited.run(current_guideline, project).number == before.number + 1


def test_what_came_with_the_project_is_not_asked_again_and_of_nobody_else() -> None:
    project, stranger = make_project(), make_user("other")
    with only_looking():
        found = project_for(project.created_by, project.slug, Action.VIEW)
        with CaptureQueriesContext(connection) as queries:
            assert may(project.created_by, found, Action.ADMIN)
        assert len(queries) == 0
        assert not may(stranger, found, Action.VIEW)


def test_a_block_within_a_look_goes_on_with_what_it_was_told() -> None:
    project = make_project()
    with only_looking():
        current_guideline(project)
        with only_looking(), CaptureQueriesContext(connection) as queries:
            current_guideline(project)
        assert len(queries) == 0
    amend(project)
    with only_looking():
        assert current_guideline(project).number == 2
