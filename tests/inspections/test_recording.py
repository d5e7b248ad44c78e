"""An inspection comes in once, whole, and its photos go where they are asked."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from labeling.catalog import erased, storage
from labeling.catalog.models import Image, Item, Metadata
from labeling.inspections.models import Asset, Inspection, InspectionPhoto
from labeling.inspections.selectors import missing_among, photos_of
from labeling.inspections.services import (
    Recorded,
    Sent,
    add_photo,
    advice_on,
    record_inspection,
    refuse_later,
)
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.factories import photo_bytes
from tests.inspections.capturing import saved_anew
from tests.inspections.conftest import Yard, picture

AT_ONCE = 4
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def record(yard: Yard, *photos: Sent, **said: Any) -> Recorded:
    usual = {
        "external_id": "W-1",
        "asset": {"identifier": "12가 3456", "type": "van", "site": "Mapo"},
        "event": "wash",
        "happened_at": AT,
        "metadata": {"programme": "foam"},
    }
    return record_inspection(protocol=yard.protocol, by=yard.clerk, photos=photos, **usual | said)


def test_photos_are_stored_once_and_asked_in_each_project_of_their_shot(yard: Yard) -> None:
    recorded = record(yard, Sent("front", picture(1)), Sent("rear", picture(2)))
    front, rear = recorded.photos
    assert recorded.created and front.faults == rear.faults == []
    assert storage.is_whole(front.sha256) and Image.objects.count() == 2
    assert set(Item.objects.filter(project=yard.wash).values_list("image", flat=True)) == {
        front.image_id,
        rear.image_id,
    }
    assert list(Item.objects.filter(project=yard.dent).values_list("image", flat=True)) == [front.image_id]
    said = Metadata.objects.get(item__project=yard.dent).data
    assert said == {
        "asset": recorded.inspection.asset_id,
        "shot": "front",
        "event": "wash",
        "site": "Mapo",
    }, "and no plate"
    assert recorded.inspection.look_wanted_at is None, "as it was made; the row says more"
    assert Inspection.objects.filter(look_wanted_at__isnull=False).count() == 1
    kinds = list(Job.objects.order_by("kind", "project_id").values_list("kind", "project_id"))
    embedded = sorted([("embed", yard.wash.pk), ("embed", yard.dent.pk)])
    assert kinds == [*embedded, ("look_at_inspections", None)]


def test_bytes_are_on_the_disk_before_anything_names_them(yard: Yard, monkeypatch: Any) -> None:
    there: list[bool] = []

    def flush() -> None:
        sha256 = hashlib.sha256(picture(1)).hexdigest()
        there.append(storage.is_whole(sha256) and not Image.objects.exists())

    monkeypatch.setattr(storage, "flush", flush)
    record(yard, Sent("front", picture(1)))
    assert there == [True] and Image.objects.count() == 1


def test_many_inspections_ask_for_one_job_of_a_kind(yard: Yard) -> None:
    for number in range(3):
        record(yard, Sent("front", picture(number)), external_id=f"W-{number}")
    assert Job.objects.count() == 3, "an embedding of each project, and a look"


def test_one_bad_photo_stops_no_other_and_is_told_with_advice(yard: Yard) -> None:
    recorded = record(
        yard,
        Sent("front", b"no photo"),
        Sent("front", photo_bytes(3, size=(60, 60), format="JPEG")),
        Sent("front", picture(4), tilt=-11),
        Sent("rear", picture(5)),
        Sent("front", picture(5)),
    )
    assert [photo.faults for photo in recorded.photos] == [
        ["not_an_image"],
        ["small"],
        ["tilted"],
        [],
        ["repeated"],
    ]
    assert [photo.number for photo in recorded.photos] == [1, 2, 3, 1, 4]
    assert Image.objects.count() == 1, "what does not serve is not kept"
    shots = recorded.inspection.version.shots.all()
    assert missing_among(photos_of(recorded.inspection), shots) == ["front"]
    (small,) = advice_on(recorded.photos[1])
    assert "64\u00a0pixels" in small["advice"] and small["advice"].endswith("Both lamps inside the line.")
    with translation.override("ko"):
        assert advice_on(recorded.photos[2])[0]["advice"] != small["advice"]
    add_photo(inspection=recorded.inspection, by=yard.clerk, shot="front", data=picture(6))
    assert missing_among(photos_of(recorded.inspection), shots) == []
    current = InspectionPhoto.objects.filter(inspection=recorded.inspection).current()
    assert [(photo.shot.key, photo.number) for photo in current] == [("front", 5), ("rear", 1)]


def test_the_same_again_changes_nothing_and_something_else_is_refused_by_name(yard: Yard) -> None:
    first = record(yard, Sent("front", picture(1)))
    jobs = Job.objects.count()
    again = record(yard, Sent("front", picture(1)))
    assert not again.created and again.inspection.pk == first.inspection.pk
    assert [photo.pk for photo in again.photos] == [photo.pk for photo in first.photos]
    photo = add_photo(inspection=first.inspection, by=yard.clerk, shot="front", data=picture(1))
    assert photo.pk == first.photos[0].pk and Job.objects.count() == jobs
    with pytest.raises(Refused) as refused:
        record(yard, Sent("front", picture(7)), event="return", asset={"identifier": "99나 1"})
    assert refused.value.code == "another_content" and refused.value.status == 409
    assert set(refused.value.fields) == {"event", "asset.identifier", "photos.front"}
    assert Inspection.objects.count() == InspectionPhoto.objects.count() == Image.objects.count() == 1


def test_a_file_of_another_inspection_is_no_new_photo(yard: Yard) -> None:
    record(yard, Sent("front", picture(1)))
    (photo,) = record(yard, Sent("front", picture(1)), external_id="W-2").photos
    assert photo.faults == ["repeated"] and photo.image is None


def test_a_photo_that_was_refused_for_its_shot_may_be_the_one_of_another(yard: Yard) -> None:
    """Front and rear were swapped."""
    recorded = record(yard, Sent("front", picture(1)))
    refuse_later(photo=recorded.photos[0], fault="wrong_shot", seen_as="rear")
    rear = add_photo(inspection=recorded.inspection, by=yard.clerk, shot="rear", data=picture(1))
    assert rear.faults == [] and rear.image is not None


def test_a_photo_saved_anew_for_another_shot_is_not_kept(yard: Yard) -> None:
    photo = photo_bytes(1, size=(320, 240))
    front, rear = record(yard, Sent("front", photo), Sent("rear", saved_anew(photo))).photos
    assert front.faults == [] and rear.faults == ["repeated"] and rear.image is None
    assert Image.objects.count() == 1 and not storage.is_whole(rear.sha256)


def test_what_was_erased_stays_out(yard: Yard) -> None:
    (photo,) = record(yard, Sent("front", picture(1))).photos
    assert photo.image
    erased.keep_out(yard.dent, [photo.image])
    (again,) = record(yard, Sent("front", picture(1)), external_id="W-2").photos
    assert again.faults == ["erased"] and again.image is None


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"external_id": " "}, {"external_id"}),
        ({"asset": {"identifier": "x" * 61}}, {"asset.identifier"}),
        ({"event": "Car wash"}, {"event"}),
        ({"happened_at": datetime(1, 1, 1, tzinfo=UTC)}, {"happened_at"}),
        ({"happened_at": datetime(2026, 1, 1)}, {"happened_at"}),
        ({"metadata": {"a": [1]}}, {"metadata"}),
    ],
)
def test_bad_input_is_refused_by_field(yard: Yard, said: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(Refused) as refused:
        record(yard, **said)
    assert refused.value.status == 422 and set(refused.value.fields) == fields
    with pytest.raises(Refused, match="front, rear"):
        record(yard, Sent("roof", picture(1)))
    assert not Inspection.objects.exists() and not Asset.objects.exists()


def test_the_database_says_the_outcome(yard: Yard) -> None:
    inspection = record(yard).inspection
    verdict = inspection.verdicts.create(number=1, outcome="failed", version=inspection.version)
    Inspection.objects.filter(pk=inspection.pk).update(verdict=verdict)
    Inspection.objects.filter(pk=inspection.pk).update(outcome="passed")
    inspection.refresh_from_db()
    assert inspection.outcome == "failed"


@pytest.mark.django_db(transaction=True)
def test_the_same_at_the_same_moment_comes_in_once(yard: Yard) -> None:
    together = threading.Barrier(AT_ONCE)

    def send(_number: int) -> Recorded:
        try:
            connection.ensure_connection()
            together.wait(30)
            return record(yard, Sent("front", picture(1)), Sent("rear", picture(2)))
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(send, range(AT_ONCE)))
    assert sorted(each.created for each in done) == [*[False] * (AT_ONCE - 1), True]
    assert len({each.inspection.pk for each in done}) == Inspection.objects.count() == 1
    assert InspectionPhoto.objects.count() == 2 and Item.objects.count() == 3
