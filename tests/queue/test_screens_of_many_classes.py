"""The pages of both screens where a project has many classes: light, each class in them once, criteria one by one."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from django.test import Client

from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.models import Project
from tests.factories import make_member, make_project

pytestmark = pytest.mark.django_db


def page(project: Project, path: str) -> Any:
    client = Client()
    client.force_login(make_member(project))
    return client.get(f"/p/{project.slug}/{path}")


@pytest.mark.parametrize(("name", "most"), [("label", 130_000), ("sweep", 180_000)])
def test_the_page_of_five_hundred_classes_is_light_and_brings_no_criteria_along(name: str, most: int) -> None:
    project = make_project(classes=tuple(f"a-part-with-a-name-{n}" for n in range(500)), sweep_allowed=True)
    html = page(project, name).content.decode()
    assert len(html) < most
    assert len(gzip.compress(html.encode())) < 20_000
    assert "What makes a photo" not in html
    assert html.count('id="finder"') == 1
    found = re.search(r'<script id="hilltop-settings"[^>]*>(.*?)</script>', html, re.S)
    assert found
    classes = json.loads(found[1])["classes"]
    assert len({row["code"] for row in classes}) == len(classes) == 500


def test_up_to_nine_classes_have_their_buttons_and_criteria_on_the_page() -> None:
    html = page(make_project(classes=tuple(f"part-{n}" for n in range(9))), "label").content.decode()
    assert html.count("data-answer=") == html.count("What makes a photo") == 9
    assert 'id="finder"' not in html


def test_criteria_of_one_class_are_told_and_of_none_refused_with_what_to_do() -> None:
    project = make_project(classes=tuple(f"part-{n}" for n in range(12)))
    told = page(project, "label/criteria/part-7")
    assert told.status_code == 200
    assert told.content.decode().count("What makes a photo") == 1
    assert "What makes a photo part-7." in told.content.decode()
    missing = page(project, "label/criteria/part-99")
    assert missing.status_code == 404
    assert "There is no such class in this project now." in missing.content.decode()


def test_a_checklist_is_on_the_page_of_many_classes_too() -> None:
    project = make_project(classes=tuple(f"part-{n}" for n in range(12)), checklist_required=True)
    by, points = project.created_by, {"part-3": ["A crack", "A sharp edge"]}
    amend_guideline(project=project, by=by, note="What to tick", checklist=points)
    html = page(project, "label").content.decode()
    assert html.count('data-of="part-3"') == html.count("data-point=") == 2
    assert html.count("What makes a photo") == 1
    assert html.count("data-ticks=") == 1
