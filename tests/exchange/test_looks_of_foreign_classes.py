"""A class from elsewhere whose name says nothing: what the champion says of its photos is told, and an admin maps it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Item, LabelClass, Project
from labeling.exchange.imports.looks import PHOTOS
from labeling.exchange.imports.services import check_import, latest_job
from labeling.learning.models import ModelVersion, Promotion, Score, Snapshot
from labeling.queue.services import append_arrivals
from tests.exchange.bringing import apply, outcomes, run, send, table, truths
from tests.factories import make_items, make_project

pytestmark = pytest.mark.django_db


def pool(count: int) -> tuple[Project, list[Item]]:
    project = make_project()
    items = make_items(project, count)
    append_arrivals(project=project, item_ids=[item.pk for item in items])
    return project, items


def serve(project: Project, said: dict[int, str]) -> ModelVersion:
    """A champion, and what it says of photos: item id -> class key."""
    classes = {each.key: each for each in LabelClass.objects.filter(project=project)}
    version = ModelVersion.objects.create(
        project=project,
        number=7,
        snapshot=Snapshot.objects.create(
            project=project,
            guideline=project.guidelines.get(),
            ground_truth_ids=[1],
            digest="7" * 64,
            counts=dict.fromkeys(classes, 1),
        ),
        backbone=project.backbone_name,
        backbone_hash="b" * 64,
        classes=[each.pk for each in classes.values()],
        artifact="looks/7",
        manifest={"seed": 0, "unusable_photos": 0, "libraries": {}},
        metrics={"order": list(classes)},
        created_by=project.created_by,
    )
    Promotion.objects.create(project=project, model_version=version, by=project.created_by)
    Score.objects.bulk_create(
        Score(
            model_version=version,
            item_id=item,
            predicted=classes[key],
            confidence=0.4,
            probabilities=[0.7, 0.3],
        )
        for item, key in said.items()
    )
    return version


def file_of(items: Sequence[Item], labels: Sequence[str]) -> bytes:
    rows = [(item.image.sha256, label) for item, label in zip(items, labels, strict=True)]
    return table(rows, head=("sha256", "class"))


def says(items: Sequence[Item], defective: int) -> dict[int, str]:
    return {item.pk: "defective" if number < defective else "functional" for number, item in enumerate(items)}


def test_it_is_told_and_nothing_comes_of_it_before_an_admin_saves() -> None:
    project, items = pool(6)
    serve(project, says(items, defective=5))
    of, _job = send(project, "cvat.csv", file_of(items, ["cls_3"] * 6), use="train")
    assert of.found["looks"] == {"cls_3": {"key": "defective", "alike": 5, "of": 6, "version": 7}}
    assert of.classes == {} and outcomes(of) == [("refused", "unmapped")] * 6
    assert truths(project) == {}
    apply(of)
    assert truths(project) == {}

    of, _job = send(project, "cvat.csv", file_of(items, ["cls_3"] * 6), use="train")
    client, page = Client(), reverse("import", args=[project.slug, of.pk])
    client.force_login(project.created_by)
    shown = client.get(page).content.decode()
    assert "Looks like <bdi>Defective</bdi>: 5 of 6 photos" in shown
    assert "One label is only mapped in advance" in shown
    assert '<option value="defective" selected>' in shown
    asked = {
        "action": "map", "use": "train", "source": "cvat", "format": "csv",
        "column-photo": "sha256", "column-label": "class", "column-annotator": "", "class-0": "defective",
    }  # fmt: skip
    assert client.post(page, asked).status_code == 302
    job = latest_job(of)
    assert job is not None and run(job).state == "succeeded"
    of.refresh_from_db()
    assert of.classes == {"cls_3": "defective"} and of.found["looks"] == {}
    assert "Looks like" not in client.get(page).content.decode()
    apply(of)
    assert {key for key, _origin in truths(project).values()} == {"defective"}


def test_half_of_the_photos_are_told_and_choose_nothing() -> None:
    project, items = pool(6)
    serve(project, says(items, defective=4))
    of, _job = send(project, "cvat.csv", file_of(items, ["cls_3"] * 6))
    assert of.found["looks"]["cls_3"]["alike"] == 4
    client = Client()
    client.force_login(project.created_by)
    shown = client.get(reverse("import", args=[project.slug, of.pk])).content.decode()
    assert "4 of 6 photos" in shown and "mapped in advance" not in shown
    assert '<option value="defective" selected>' not in shown


def test_what_is_not_looked_at() -> None:
    """Names that say what they mean, too few photos, photos without a score, and those that were drawn at random."""
    project, items = pool(24)
    of, _job = send(project, "early.csv", file_of(items, ["cls_1"] * 24))
    assert of.found["looks"] == {}  # no champion yet

    serve(project, says(items[:20], defective=20))
    Item.objects.filter(pk__in=[item.pk for item in items[14:20]]).update(audit_drawn_at=timezone.now())
    labels = ["cls_1"] * 4 + ["Functional"] * 4 + ["cls_2"] * 6 + ["cls_3"] * 6 + ["cls_4"] * 4
    of, _job = send(project, "late.csv", file_of(items, labels))
    assert set(of.found["looks"]) == {"cls_2"}
    assert of.classes == {"Functional": "functional"}


def test_as_many_photos_are_looked_at_as_are_enough() -> None:
    project, items = pool(PHOTOS + 10)
    serve(project, says(items, defective=len(items)))
    of, _job = send(project, "cvat.csv", file_of(items, ["cls_3"] * len(items)))
    assert (of.found["looks"]["cls_3"]["alike"], of.found["looks"]["cls_3"]["of"]) == (PHOTOS, PHOTOS)


def test_photos_that_have_a_score_by_now_are_told_when_it_is_looked_again() -> None:
    project, items = pool(6)
    of, _job = send(project, "cvat.csv", file_of(items, ["cls_3"] * 6))
    serve(project, says(items, defective=6))
    run(check_import(of=of, by=of.created_by))
    of.refresh_from_db()
    assert of.found["looks"]["cls_3"]["alike"] == 6
