"""What pages say where a first-time user found a raw message, a list without bullets, or a number that read oddly."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone, translation

from config.translations import compile_translations
from labeling.catalog.models import Project
from labeling.catalog.services import amend_guideline
from labeling.catalog.sources.errors import TEXTS, SourceError
from labeling.jobs.told import told
from labeling.people.templatetags.look import criteria
from labeling.queue import services as queue
from labeling.refusals import Refused
from labeling.truth.services import Answer
from tests.factories import make_items, make_member, make_project, make_user

TEXT = "Any one is enough:\n- a crack\n• a <dead> area\n\nIf in doubt, hold it.\n- again"
HTML = (
    '<p dir="auto">Any one is enough:</p>'
    '<ul class="points"><li dir="auto">a crack</li><li dir="auto">a &lt;dead&gt; area</li></ul>'
    '<p dir="auto">If in doubt, hold it.</p><ul class="points"><li dir="auto">again</li></ul>'
)


@pytest.mark.parametrize("code", TEXTS)
def test_an_error_of_a_source_is_told_in_the_readers_language(code: str) -> None:
    """A worker kept it in English, with what it names."""
    compile_translations()
    about = {"limit": "1234", "code": "AccessDenied"}
    kept = str(SourceError(code, **about))
    assert told(kept) == kept
    with translation.override("ko"):
        korean = told(kept)
    assert re.search("[가-힣]", korean) and not re.search("[.] [A-Z]|%", korean)
    assert all((value in korean) == (value in kept) for value in about.values())


def test_any_other_error_is_told_as_it_is() -> None:
    with translation.override("ko"):
        assert [told(each) for each in ("", "No text of ours.")] == ["", "No text of ours."]


def client_of(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def test_lines_with_a_hyphen_become_a_list() -> None:
    assert criteria(TEXT) == HTML
    assert criteria("-5 degrees\nno list") == '<p dir="auto">-5 degrees</p><p dir="auto">no list</p>'
    assert criteria("") == ""


def test_every_page_with_criteria_shows_their_list(db: None) -> None:
    project = make_project(answers_per_image=2)
    amend_guideline(project=project, by=project.created_by, note="list", criteria={"functional": TEXT})
    one, two = make_member(project), make_member(project)
    (item,) = make_items(project, 1)
    queue.append_arrivals(project=project, item_ids=[item.pk])
    for labeler, key in ((one, "functional"), (two, "defective")):
        (slot,) = queue.claim(project=project, labeler=labeler, count=1)
        queue.submit(
            project=project,
            labeler=labeler,
            lease=slot.pk,
            key=uuid4(),
            answer=Answer("class", key),
            view_ms=9,
        )
    admin = client_of(project.created_by)
    for page in ("guideline", "review", "label"):
        assert HTML in admin.get(f"/p/{project.slug}/{page}").content.decode(), page
    assert HTML in client_of(one).get(f"/p/{project.slug}/").content.decode()


def test_a_new_project_sent_without_its_rows_gets_rows_and_plain_words(db: None) -> None:
    client = client_of(make_user(is_superuser=True))
    for sent in ({}, {"name": "Cells", "question": "Broken?"}):
        response = client.post("/new", sent)
        page = response.content.decode()
        assert response.status_code == 422
        assert "nothing was created" in page
        assert "ManagementForm" not in page
        assert "classes-0-name" in page
    assert not Project.objects.exists()


def test_too_many_class_rows_are_refused_in_plain_words(db: None) -> None:
    client = client_of(make_user(is_superuser=True))
    sent = {
        "name": "Cells",
        "question": "Broken?",
        "classes-TOTAL_FORMS": "501",
        "classes-INITIAL_FORMS": "0",
    }
    sent |= {f"classes-{n}-name": f"Class {n}" for n in range(501)}
    response = client.post("/new", sent)
    assert response.status_code == 422
    assert "at most 500 classes" in response.content.decode()


def test_a_project_without_undo_says_so(db: None) -> None:
    project = make_project(undo_seconds=0)
    labeler = make_member(project)
    (item,) = make_items(project, 1)
    queue.append_arrivals(project=project, item_ids=[item.pk])
    (slot,) = queue.claim(project=project, labeler=labeler, count=1)
    key = uuid4()
    stored = queue.submit(
        project=project,
        labeler=labeler,
        lease=slot.pk,
        key=key,
        answer=Answer("class", "functional"),
        view_ms=9,
    )
    assert stored.annotation.created_at <= timezone.now() + timedelta(seconds=1)
    with pytest.raises(Refused) as refusal:
        queue.undo(project=project, labeler=labeler, key=key)
    assert refusal.value.code == "undo_too_late"
    assert "0 seconds" not in refusal.value.message
    assert "takes no answer back" in refusal.value.message
    screen = " ".join(client_of(labeler).get(f"/p/{project.slug}/label").content.decode().split())
    assert 'aria-keyshortcuts="Z" disabled hidden' in screen
    settings = client_of(project.created_by).get(f"/p/{project.slug}/settings").content.decode()
    assert "0: no answer can be taken back." in settings


def test_before_any_ground_truth_no_training_is_spoken_of(db: None) -> None:
    project = make_project()
    page = client_of(project.created_by).get(f"/p/{project.slug}/models").content.decode()
    assert "since the last training" not in page
    assert "No photo is settled as a class yet. Label photos of each class, then train." in " ".join(
        page.split()
    )


def test_saving_settings_says_whether_anything_changed(db: None) -> None:
    project = make_project()
    client = client_of(project.created_by)
    address = f"/p/{project.slug}/settings"
    as_it_is = {
        field.name: field.value()
        for field in client.get(address).context["form"]
        if field.value() is not None and field.value() is not False
    }
    for sent, said in (
        (as_it_is, "Nothing was changed, so nothing was saved."),
        (as_it_is | {"undo_seconds": 0}, "The settings are saved."),
    ):
        assert said in client.post(address, sent, follow=True).content.decode()
