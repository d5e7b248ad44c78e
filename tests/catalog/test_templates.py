"""Templates of projects: the shipped ones can be used as they are, own ones go out and come back, a bad file is told."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from labeling.catalog import services
from labeling.catalog.guidelines import read_entries
from labeling.catalog.models import KeptProjectTemplate, Project
from labeling.catalog.project_templates.files import MOST_BYTES, as_toml, parse
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.of_project import template_of
from labeling.catalog.project_templates.template import read
from labeling.catalog.selectors import active_definitions, current_guideline
from labeling.refusals import Refused
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db
LEAST = {
    "kind": "project",
    "key": "rust",
    "name": "Rust",
    "question": "Is it rusty?",
    "classes": [{"key": "yes", "name": "Rusty"}, {"key": "no", "name": "Sound"}],
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user(is_superuser=True))
    return client


def test_what_is_shipped_makes_a_project_in_two_requests_in_either_language(client: Client) -> None:
    assert len(PROJECTS.shipped()) >= 10
    for template in PROJECTS.shipped():
        for language in ("en", "ko"):
            headers = {"accept-language": language}
            page = client.get(reverse("project-new"), {"template": template.key}, headers=headers)
            form, rows = page.context["form"], page.context["classes"].rows
            sent = {name: form[name].value() or "" for name in form.fields}
            sent |= {
                f"classes-{name}": rows.management_form[name].value()
                for name in ("TOTAL_FORMS", "INITIAL_FORMS")
            }
            for row in rows.forms:
                sent |= {row.add_prefix(name): row[name].value() or "" for name in row.fields}
            answer = client.post(reverse("project-new"), sent, headers=headers)
            assert answer.status_code == 302, answer.context["form"].errors
            project = Project.objects.get(slug=sent["slug"])
            with translation.override(language):
                said = template.__class__(template.content).said
            assert (project.name, project.question) == (said["name"], said["question"])
            entries = read_entries(current_guideline(project)).values()
            assert [(each.key, each.name, each.criteria, list(each.checklist)) for each in entries] == [
                (each["key"], each["name"], each["criteria"], each.get("checklist", []))
                for each in said["classes"]
            ]
            assert template.preset is not None and not template.preset.differs(project)


def test_a_project_goes_out_as_a_file_and_comes_back_as_it_was(client: Client) -> None:
    odd = 'A "crack" \\ or not\n\n"""\n- 12\u00a0%: 균열\t'
    project = make_project(
        slug="cells", answers_per_image=3, rule="k_of_n", gold_rate=0.125, sweep_allowed=True
    )
    services.amend_guideline(
        project=project,
        by=project.created_by,
        note="Say it",
        criteria={"defective": odd},
        checklist={"defective": ['I "see" it', "C:\\"]},
        group={"functional": "셀"},
    )
    file = client.get(reverse("project-template", args=["cells"]) + "?file").content
    assert tomllib.loads(file.decode())["classes"][1]["criteria"] == odd.strip()
    answer = client.post(reverse("templates"), {"file": SimpleUploadedFile("cells.toml", file)})
    assert answer.status_code == 302
    made = client.post(
        "/api/v1/projects",
        {"slug": "again", "template": "cells", "name": "Again"},
        content_type="application/json",
    )
    assert made.status_code == 201, made.content
    again = Project.objects.get(slug="again")
    assert again.name == "Again"
    kept, came = template_of(project).content, template_of(again).content
    assert came == kept | {"key": "again", "name": "Again"}
    assert [each.label_class.key for each in active_definitions(again)] == ["functional", "defective"]

    client.post(reverse("template-remove", args=["cells"]))
    assert PROJECTS.called("cells") is None and Project.objects.filter(slug="again").exists()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in LEAST.items() if key != name}


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ({}, {"kind", "key", "name", "question", "classes"}),
        (without("question") | {"qustion": "?"}, {"question", "qustion"}),
        (LEAST | {"kind": []}, {"kind"}),
        (LEAST | {"key": "Not a key"}, {"key"}),
        (LEAST | {"name": {"en": "x", "xx": "y"}}, {"name"}),
        (LEAST | {"name": {"en": "x" * 121, "ko": ""}}, {"name.en", "name.ko"}),
        (LEAST | {"classes": LEAST["classes"][:1]}, {"classes"}),
        (LEAST | {"classes": [{"key": "yes", "name": 5}, "no"]}, {"classes[1].name", "classes[2]"}),
        (LEAST | {"classes": [LEAST["classes"][0]] * 2}, {"classes"}),
        (
            LEAST | {"classes": [*LEAST["classes"], {"key": "a", "name": "A", "checklist": ["", 1]}]},
            {"classes[3].checklist[1]", "classes[3].checklist[2]"},
        ),
        (LEAST | {"strictness": "lax"}, {"strictness"}),
        (LEAST | {"settings": {"hourly_cost": 3}}, {"settings.hourly_cost"}),
        (LEAST | {"settings": {"answers_per_image": 2.5}}, {"settings.answers_per_image"}),
        (LEAST | {"settings": {"gold_rate": float("nan")}}, {"settings.gold_rate"}),
        (LEAST | {"settings": {"gold_rate": 0.8, "audit_rate": 0.8}}, {"settings.gold_rate"}),
        (LEAST | {"settings": {"rule": "most", "sweep_allowed": 1}}, {"settings.sweep_allowed"}),
        (LEAST | {"settings": {"rule": "most"}}, {"settings.rule"}),
    ],
)
def test_what_is_wrong_is_told_by_its_place(content: dict[str, Any], places: set[str]) -> None:
    with pytest.raises(Refused) as caught:
        read(content)
    assert (caught.value.status, set(caught.value.fields)) == (422, places)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"key = ",
        b"\xff\xfe",
        b"\x00",
        b"a = " + b"[" * 5000 + b"]" * 5000,
        b"a = " + b"9" * 5000,
        as_toml(LEAST | {"key": "damage"}).encode(),
        as_toml(LEAST).encode() + b"# " + b"x" * MOST_BYTES,
        as_toml(LEAST | {"colour": "red"}).encode(),
    ],
)
def test_a_bad_file_is_refused_in_words_and_keeps_nothing(client: Client, file: bytes) -> None:
    answer = client.post(reverse("templates"), {"file": SimpleUploadedFile("own.toml", file)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode() or 'class="errorlist"' in answer.content.decode()
    assert not KeptProjectTemplate.objects.exists()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives_its_file(text: str) -> None:
    content = {"text": text, "lines": [text], "table": {"a b": text}, "rows": [{"text": text}]}
    assert tomllib.loads(as_toml(content)) == content


def test_a_template_that_is_gone_is_said(client: Client) -> None:
    answer = client.post(
        "/api/v1/projects", {"slug": "x", "template": "gone"}, content_type="application/json"
    )
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "no_template"
    answer = client.post("/api/v1/projects", {"slug": "x"}, content_type="application/json")
    assert set(answer.json()["error"]["fields"]) == {"classes", "name", "question"}
    assert client.get(reverse("project-new"), {"template": "\0"}).status_code == 200
    assert client.delete("/api/v1/templates/damage").status_code == 409
    with pytest.raises(Refused):
        parse(b"a = 1\nb")
