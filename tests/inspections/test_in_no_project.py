"""A photo of a shot that no project asks: seen by whoever may see the inspection, and erased with its asset only."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

import labeling.erasure.tasks  # noqa: F401 - registers the handler, as a worker does
from labeling.catalog import storage
from labeling.catalog.models import Image, Item
from labeling.catalog.selectors import photo_url
from labeling.catalog.services import add_items
from labeling.erasure.services import ask, ask_for_asset
from labeling.inspections.models import InspectionPhoto
from labeling.inspections.services import Sent, publish_version
from tests.factories import join, make_user
from tests.inspections.conftest import SHOTS, Yard, picture
from tests.inspections.test_erasing import do_jobs
from tests.inspections.test_recording import record


@pytest.fixture
def photo(yard: Yard) -> InspectionPhoto:
    """The front, where only the rear is asked, by one of the two projects."""
    shots = [SHOTS[0], SHOTS[1] | {"checks": ["wash"]}]
    publish_version(protocol=yard.protocol, by=yard.root, note="Kept only", shots=shots)
    return record(yard, Sent("front", picture(1))).photos[0]


def test_it_is_seen_with_the_evidence_and_by_nobody_else(yard: Yard, photo: InspectionPhoto) -> None:
    labeler, other, stranger = make_user(), make_user(), make_user()
    join(yard.wash, labeler, role="labeler")
    join(yard.dent, other, role="admin")
    thumbnail = photo_url(photo.sha256, "thumb")
    page = reverse("inspection", args=[yard.protocol.slug, photo.inspection_id])
    client = Client()
    for person, status in (
        (yard.clerk, 200),
        (yard.root, 200),
        (labeler, 403),
        (other, 404),
        (stranger, 404),
    ):
        client.force_login(person)
        answer = client.get(page)
        assert answer.status_code == status
        assert (thumbnail in answer.content.decode()) == (status == 200)
        assert client.get(thumbnail).status_code == (200 if status == 200 else 404)


def test_another_project_that_erases_the_same_file_does_not_take_it(
    yard: Yard, photo: InspectionPhoto
) -> None:
    assert photo.image and not Item.objects.exists()
    (item,) = add_items(project=yard.dent, images=[(photo.image, "1.jpg")], source="elsewhere")
    ask(project=yard.dent, by=yard.root, scope="photos", reason="Asked", item_ids=[item.pk], days=0)
    do_jobs()
    sha256 = photo.sha256
    photo.refresh_from_db()
    assert photo.image and photo.sha256 == sha256 and storage.is_whole(sha256)
    assert not Item.objects.filter(image=photo.image).exists()
    ask_for_asset(asset=photo.inspection.asset, by=yard.root, reason="Asked")
    photo.refresh_from_db()
    assert photo.image is None and not storage.is_whole(sha256)


def test_its_asset_takes_it_out_of_the_other_project_too(yard: Yard, photo: InspectionPhoto) -> None:
    assert photo.image
    add_items(project=yard.dent, images=[(photo.image, "1.jpg")], source="elsewhere")
    ask_for_asset(asset=photo.inspection.asset, by=yard.root, reason="Asked", days=0)
    do_jobs()
    assert not storage.is_whole(photo.sha256) and not Image.objects.filter(sha256=photo.sha256).exists()
