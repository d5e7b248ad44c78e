"""What admins see: what goes before they confirm, how far it is, and which models and certificates rested on it."""

from __future__ import annotations

import pytest
from django.test import Client

from labeling.catalog.models import Item
from labeling.erasure.models import ErasedPhoto, Erasure
from labeling.frontier.models import Certificate, CertificationRun
from labeling.learning.models import ModelVersion, Snapshot
from labeling.truth.models import Annotation, GroundTruth
from tests.database import without_triggers
from tests.erasure.conftest import do_jobs
from tests.gateway.conftest import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Version 2 learned from the settled photo, and a certificate rests on it."""
    world = make_world()
    ErasedPhoto.objects.all().delete()  # of rows alone, which any photo of these tests may be
    settled = world.settled
    truth = GroundTruth.objects.get(item=settled)
    with without_triggers():
        Snapshot.objects.filter(model_versions__number=2).update(ground_truth_ids=[truth.pk])
        CertificationRun.objects.update(item_ids=[settled.pk])
    return world


def test_the_page_says_what_goes_before_it_is_done(world: World) -> None:
    client, settled = world.client("admin"), world.settled
    page = f"/p/{world.project.slug}/erasures"
    shown = client.get(page, {"scope": "photos", "photo": settled.pk}).content.decode()
    assert "What goes, and what stays" in shown and "/models/2" in shown and "Erase them" in shown
    assert client.get(page, {"scope": "photos", "photo": "x"}).status_code == 422
    assert (
        client.post(page, {"scope": "photos", "photo": settled.pk, "reason": "", "days": "3"}).status_code
        == 422
    )
    assert not Erasure.objects.filter(scope="photos", reason="A wish").exists()
    made = client.post(page, {"scope": "photos", "photo": settled.pk, "reason": "A wish", "days": "3"})
    assert made.status_code == 302
    detail = client.get(made["Location"]).content.decode()
    assert "Bring them back" in detail and "version 2" in detail
    record = client.get(f"/p/{world.project.slug}/erased/{settled.pk}").content.decode()
    assert "can be brought back" in record and "Answered" not in record, "it may yet be asked about, blind"
    assert client.post(f"{made['Location']}/undo").status_code == 302
    assert Item.objects.get(pk=settled.pk).project == world.project


def test_models_and_certificates_say_that_they_rest_on_it(world: World) -> None:
    client, settled = world.client("admin"), world.settled
    made = client.post(
        world.api("/erasures"),
        {"scope": "photos", "photos": [settled.image.sha256], "reason": "A wish", "days": 0},
        content_type="application/json",
    ).json()
    assert made["models"] == [2] and made["certificates"] == [Certificate.objects.get().pk]
    do_jobs(Erasure.objects.get(pk=made["id"]))
    assert "Erased since" in client.get(f"/p/{world.project.slug}/models/2").content.decode()
    assert client.get(world.api("/models/2")).json()["erased"] == 1
    (certified, _other) = client.get(world.api("/frontier")).json()["classes"]
    assert certified["certificate"]["erased"] == 1
    assert (
        "1 photo of its sample was erased" in client.get(f"/p/{world.project.slug}/frontier").content.decode()
    )
    record = client.get(f"/p/{world.project.slug}/erased/{settled.pk}").content.decode()
    assert record.count("Answered") == Annotation.objects.filter(item=settled).count()
    for path in ("review", "mine", "labelers", "", "photos", "dashboard", "intake", "guideline"):
        assert client.get(f"/p/{world.project.slug}/{path}").status_code == 200, path
    assert ModelVersion.objects.count() == 2


def test_a_labeler_who_holds_it_is_refused_kindly(world: World) -> None:
    client: Client = world.client("admin")
    held = Item.objects.get(slots__pk=world.lease)
    client.post(
        world.api("/erasures"),
        {"scope": "photos", "photos": [held.image.sha256], "reason": "A wish"},
        content_type="application/json",
    )
    answer = world.client("labeler").post(
        world.api("/annotations"),
        {
            "key": "0b0f2d0e-8d39-4a2e-9f1e-0a1b2c3d4e5f",
            "lease": str(world.lease),
            "kind": "class",
            "class": "functional",
            "view_ms": 900,
        },
        content_type="application/json",
    )
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "lease_expired"
