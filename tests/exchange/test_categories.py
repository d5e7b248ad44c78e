"""Free texts of photos become categories: what is said, and what is in force for which photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Item, MetadataChange, Project
from labeling.exchange.categories import selectors, services
from labeling.exchange.imports.services import undo_import
from labeling.exchange.models import Use
from labeling.exchange.vocabularies import Vocabulary
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.jobs.models import Job
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.refusals import Refused
from tests.exchange.bringing import apply, outcomes, run, send, table, truths
from tests.exchange.conftest import keep_photos
from tests.factories import make_items, make_project

pytestmark = pytest.mark.django_db
NAME, TARGET = "category", "category_normalised"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Project:
    settings.EMBEDDINGS_DIR = tmp_path
    project = make_project()
    say(project, *["Foam wash"] * 3, "foam-wash", "거품 세차", "")
    return project


def say(project: Project, *texts: str) -> list[Item]:
    """Photos with these texts."""
    items = make_items(project, len(texts))
    given = {item.pk: metadata.checked({NAME: text}) for item, text in zip(items, texts, strict=True)}
    metadata.put(project=project, given=given, by=project.created_by)
    return items


def look_at(of: Vocabulary) -> None:
    """Do what waits."""
    for job in Job.objects.filter(kind=services.JOB_KIND, state="queued").order_by("created_at"):
        done = run(job)
        assert done.state == "succeeded", done.error or done.trace


def normalised(project: Project) -> list[str | None]:
    return [
        metadata.of_photo(item).get(TARGET)  # type: ignore[misc]
        for item in Item.objects.filter(project=project).select_related("metadata").order_by("pk")
    ]


def made(project: Project) -> Vocabulary:
    of = services.make_vocabulary(project=project, by=project.created_by, name=NAME)
    look_at(of)
    return of


def test_from_texts_to_categories_and_what_comes_later(project: Project) -> None:
    of, by = made(project), project.created_by
    rows = {row.text: (row.count, row.proposed, row.why, len(row.photos)) for row in of.texts.all()}
    assert rows == {"Foam wash": (4, "Foam wash", "itself", 4), "거품 세차": (1, "거품 세차", "itself", 1)}
    with pytest.raises(Refused, match="Nothing was said"):
        services.save_version(of=of, by=by, note="Nothing")
    assert normalised(project) == [None] * 6  # proposed is not said
    assert services.accept_proposals(of=of, why="itself") == 2
    services.rename_category(of=of, old="거품 세차", new="Foam wash")
    services.save_version(of=of, by=by, note="Both languages")
    look_at(of)
    assert normalised(project) == ["Foam wash"] * 5 + [None]
    change = MetadataChange.objects.latest("pk")
    assert (change.data, change.origin, change.by) == ({TARGET: "Foam wash"}, "category, version 1", by)
    found = search(project, by, Wanted(metadata=f'{TARGET}="Foam wash"'), after=0, limit=10)
    assert len(found.rows) == 5

    foam, strange = say(project, "FOAM  WASH", "wax")
    assert normalised(project)[-2:] == ["Foam wash", None]
    assert list(selectors.texts_of(of, selectors.WAITING).values_list("text", flat=True)) == ["wax"]
    look_at(of)
    wax = of.texts.get(text="wax")
    assert (wax.category, wax.proposed, wax.why) == ("", "wax", "itself")
    services.say(of=of, categories={"wax": "Foam wash", "polish": "Polish"})
    services.save_version(of=of, by=by, note="Wax is part of it")
    look_at(of)
    assert normalised(project)[-1] == "Foam wash"
    # A text that changes, and one that goes, take their category along.
    metadata.put_one(project=project, item_id=foam.pk, given={NAME: "Polish"}, by=by)
    metadata.put_one(project=project, item_id=strange.pk, given={NAME: None}, by=by)
    assert normalised(project)[-2:] == ["Polish", None]
    assert [version.number for version in selectors.versions_of(of)] == [2, 1]


def test_a_text_that_is_not_said_any_more_is_mapped_to_nothing(project: Project) -> None:
    of, by = made(project), project.created_by
    services.accept_proposals(of=of, why="itself")
    services.save_version(of=of, by=by, note="All")
    look_at(of)
    services.say(of=of, categories={"거품 세차": ""})
    services.save_version(of=of, by=by, note="What is it?")
    look_at(of)
    assert normalised(project) == ["Foam wash"] * 4 + [None, None]


def test_counting_again_forgets_what_nobody_has_and_keeps_what_was_said(project: Project) -> None:
    of = made(project)
    services.say(of=of, categories={"거품 세차": "Foam wash"})
    for item in Item.objects.filter(project=project):
        metadata.put_one(project=project, item_id=item.pk, given={NAME: "dry"}, by=project.created_by)
    services.look_again(of=of, by=None)
    look_at(of)
    assert {row.text: row.count for row in of.texts.all()} == {"dry": 6, "거품 세차": 0}


def test_photos_speak_for_texts_that_share_no_word(project: Project) -> None:
    foam, xx, dry = (say(project, *[text] * 4) for text in ("foam jet", "xx", "dry"))
    say(project, "foam jett", "dry ", "drry dust")
    store = store_of(load_backbone(project.backbone_name))
    rng = np.random.default_rng(0)
    for items, place in ((foam, 0), (xx, 0), (dry, 1)):
        rows = np.eye(store.dim)[place] + rng.normal(0, 0.001, (4, store.dim))
        store.append([item.image.sha256 for item in items], rows.astype(np.float32))
    row = made(project).texts.get(text="xx")
    assert (row.proposed, row.why, row.like) == ("foam jet", "looks", "foam jet")
    assert row.alike is not None and row.alike >= 3 and row.looked_at == 4


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a=b"}, "name"),
        ({"name": NAME}, "name"),
        ({"name": "site", "target": "site"}, "target"),
        ({"name": "site", "target": NAME}, "target"),
        ({"name": TARGET}, "name"),
    ],
)
def test_what_cannot_be_normalised(project: Project, asked: dict[str, str], field: str) -> None:
    made(project)
    with pytest.raises(Refused) as refusal:
        services.make_vocabulary(project=project, by=project.created_by, **asked)
    assert field in refusal.value.fields


def test_on_its_pages(project: Project) -> None:
    client = Client()
    client.force_login(project.created_by)
    base = f"/p/{project.slug}/categories"
    assert "No texts are normalised yet" in client.get(base).content.decode()
    assert client.post(base, {"name": "a=b"}).status_code == 422
    page = client.post(base, {"name": NAME})["Location"]
    assert "Waiting for a worker" in client.get(page).content.decode()
    of = Vocabulary.objects.get()
    look_at(of)
    shown = client.get(page).content.decode()
    assert "2 texts wait" in shown and "거품 세차" in shown and "nothing is mapped" in shown
    foam, other = of.texts.order_by("-count")
    client.post(page, {"action": "say", f"text-{foam.pk}": "Foam", f"text-{other.pk}": ""})
    assert client.post(page, {"action": "save", "note": ""}).status_code == 422
    assert client.post(page, {"action": "rename", "old": "nothing", "new": "x"}).status_code == 422
    client.post(page, {"action": "rename", "old": "Foam", "new": "Foam wash"})
    client.post(page, {"action": "accept", "why": "itself"})
    client.post(page, {"action": "save", "note": "First"})
    look_at(of)
    shown = client.get(f"{page}?which=said").content.decode()
    assert "Version 1 is in force" in shown and "You have said of each text" in shown
    assert normalised(project) == ["Foam wash"] * 4 + ["거품 세차", None]
    assert "Nothing waits." in client.get(page).content.decode()
    assert client.get(f"{base}/{of.pk + 1}").status_code == 404


def test_by_the_api(project: Project) -> None:
    client = Client()
    client.force_login(project.created_by)
    base = f"/api/v1/projects/{project.slug}/categories"
    of = client.post(base, {"name": NAME}, content_type="application/json")
    assert (of.status_code, of.json()["target"], of.json()["version"]) == (202, TARGET, None)
    one = f"{base}/{of.json()['id']}"
    look_at(Vocabulary.objects.get())
    assert client.get(one).json()["proposed"] == {"itself": 2}
    texts = client.get(f"{one}/texts?which=waiting").json()["results"]
    assert {(row["text"], row["count"], row["proposed"]) for row in texts} == {
        ("Foam wash", 4, "Foam wash"), ("거품 세차", 1, "거품 세차"),
    }  # fmt: skip
    said = client.patch(
        one, {"accept": "itself", "texts": {"거품 세차": "Foam wash"}}, content_type="application/json"
    ).json()
    assert (said["waiting"], said["changed"], said["categories"]) == (0, 2, {"Foam wash": 2})
    saved = client.post(f"{one}/versions", {"note": "First"}, content_type="application/json")
    assert (saved.status_code, saved.json()["number"]) == (201, 1)
    again = client.post(f"{one}/versions", {"note": "First"}, content_type="application/json")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_changed")
    assert client.patch(one, {"texts": {"x": "y" * 201}}, content_type="application/json").status_code == 422
    assert [row["note"] for row in client.get(f"{one}/versions").json()["results"]] == ["First"]


def test_a_table_of_texts_for_photos_that_are_here(project: Project) -> None:
    photos, (foam, dry, full) = keep_photos(project), make_items(project, 3, seed=1)
    named = dict(zip(("foam.png", "dry.png", "full.png"), (foam, dry, full), strict=True))
    for name, item in named.items():
        Item.objects.filter(pk=item.pk).update(name=name)
    metadata.put(project=project, given={dry.pk: {"work": "dry"}}, by=project.created_by)
    metadata.put(
        project=project, given={full.pk: {f"n{n}": n for n in range(metadata.MOST)}}, by=project.created_by
    )
    rows = [
        ("foam.png", "거품 세차"), ("dry.png", "wax"), ("full.png", "wax"), ("gone.png", "wax"),
        ("side.png", "polish"), ("side.png", "wash"), ("roof.png", ""),
    ]  # fmt: skip
    assert {"side.png", "roof.png"} <= photos.keys()
    of, _job = send(project, "work.csv", table(rows, head=("photo", "work")), use=Use.TEXT)
    assert outcomes(of) == [
        ("ready", ""), ("ready", ""), ("ready", ""), ("refused", "no_photo"),
        ("ready", ""), ("refused", "several_texts"), ("refused", "no_label"),
    ]  # fmt: skip
    apply(of)
    assert [outcome for outcome, _reason in outcomes(of)[:3]] == ["done", "done", "refused"]
    assert of.rows.get(place="line 4").reason == "full"

    def known(item: Item) -> object:
        return metadata.of_photo(Item.objects.select_related("metadata").get(pk=item.pk)).get("work")

    assert (known(foam), known(dry)) == ("거품 세차", "wax")
    again, _job = send(project, "work.csv", table(rows, head=("photo", "work")), use=Use.TEXT)
    assert [outcome for outcome, _reason in outcomes(again)[:2]] == ["same", "same"]
    metadata.put_one(project=project, item_id=foam.pk, given={"work": "foam"}, by=project.created_by)
    assert run(undo_import(of=of, by=project.created_by)).state == "succeeded"
    assert (known(foam), known(dry)) == ("foam", "dry")  # what was said since stays; what was before is back
    assert [outcome for outcome, _reason in outcomes(of)[:2]] == ["kept", "undone"]
    assert not truths(project)
