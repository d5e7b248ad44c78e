"""An asset that is erased is a number, its photos leave every project, and neither comes back."""

from __future__ import annotations

import pytest
from django.test import Client

import labeling.erasure.tasks  # noqa: F401 - registers the handler, as a worker does
from labeling.catalog import storage
from labeling.catalog.models import Image, Item
from labeling.erasure.models import ErasedPerson, Erasure
from labeling.erasure.people import erase_people_due
from labeling.erasure.services import ask, ask_for_asset, ask_for_person, undo
from labeling.inspections.models import Asset, Inspection, InspectionPhoto
from labeling.inspections.services import Sent, publish_version
from labeling.jobs import runner
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.factories import make_user
from tests.inspections.conftest import SHOTS, Yard, picture
from tests.inspections.test_recording import record

PLATE = "12가 3456"


def do_jobs() -> None:
    for job in Job.objects.filter(kind="erase", state="queued"):
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == "succeeded", job.error or job.trace


def test_an_asset_is_a_number_and_its_photos_are_nowhere(yard: Yard) -> None:
    recorded = record(yard, Sent("front", picture(1)), Sent("rear", picture(2)), external_id=f"{PLATE}-1")
    other = record(yard, Sent("front", picture(3)), external_id="W-2", asset={"identifier": "99나 1"})
    mine = recorded.inspection
    verdict = mine.verdicts.create(
        number=1, outcome="failed", version=mine.version, by=yard.root, reason=f"{PLATE} was dirty"
    )
    with pytest.raises(Refused):
        ask_for_asset(asset=mine.asset, by=yard.clerk, reason="Asked")
    count, made = ask_for_asset(asset=mine.asset, by=yard.root, reason="Asked", days=0)
    assert (count, len(made)) == (1, 2), "one request in each project"
    do_jobs()
    mine.refresh_from_db()
    verdict.refresh_from_db()
    assert (mine.external_id, mine.metadata, verdict.reason) == (f"erased-{mine.pk}", {}, "")
    assert Asset.objects.get(pk=mine.asset_id).identifier == f"erased-{mine.asset_id}"
    assert verdict.outcome == "failed", "that it was so stays"
    rows = InspectionPhoto.objects.filter(inspection=mine)
    assert set(rows.values_list("image", "sha256")) == {(None, "")}
    assert [image.sha256 for image in Image.objects.exclude(sha256=Image.NOTHING)] == [other.photos[0].sha256]
    assert not storage.is_whole(recorded.photos[0].sha256)
    assert Item.objects.filter(project__isnull=False).count() == 2, "the other car's"
    again = record(yard, Sent("front", picture(1)), external_id=f"{PLATE}-1")
    assert again.photos[0].faults == ["erased"]


def test_a_photo_that_no_project_asks_goes_too(yard: Yard) -> None:
    publish_version(protocol=yard.protocol, by=yard.root, note="Kept only", shots=[SHOTS[0]], rules=[])
    recorded = record(yard, Sent("front", picture(1)))
    assert storage.is_whole(recorded.photos[0].sha256) and not Item.objects.exists()
    assert ask_for_asset(asset=recorded.inspection.asset, by=yard.root, reason="Asked") == (1, [])
    assert not storage.is_whole(recorded.photos[0].sha256) and not Image.objects.exists()


def test_a_verdict_is_looked_at_again_when_a_photo_leaves_and_when_it_is_back(yard: Yard) -> None:
    recorded = record(yard, Sent("front", picture(1)))
    (item,) = Item.objects.filter(project=yard.dent)

    def wanted() -> bool:
        rows = Inspection.objects.filter(pk=recorded.inspection.pk)
        found = rows.filter(look_wanted_at__isnull=False).exists()
        rows.update(look_wanted_at=None)
        return found

    assert wanted() and not wanted()
    made = ask(project=yard.dent, by=yard.root, scope="photos", reason="Asked", item_ids=[item.pk])
    assert wanted() and Erasure.objects.count() == 1
    undo(erasure=made, by=yard.root)
    assert wanted()
    photo = InspectionPhoto.objects.get()
    assert photo.image_id == item.image_id and photo.sha256


def test_a_photographer_is_forgotten_with_the_person(yard: Yard) -> None:
    person = make_user("minsu", first_name="Minsu", last_name="Kim")
    record(yard, photographer="Minsu Kim")
    record(yard, photographer="Sora", external_id="W-2")
    ask_for_person(person=person, by=yard.root, reason="Asked", days=0)
    assert erase_people_due() == 1 and ErasedPerson.objects.get().gone_at
    assert set(Inspection.objects.values_list("photographer", flat=True)) == {"", "Sora"}


def test_by_the_api_only_administrators_of_the_site(yard: Yard) -> None:
    record(yard, Sent("front", picture(1)))
    sent = {"kind": "car", "identifier": PLATE, "reason": "Asked"}
    client = Client()
    client.force_login(yard.root)
    answer = client.post("/api/v1/assets/erasures", sent, content_type="application/json")
    assert answer.status_code == 201 and answer.json()["inspections"] == 1
    assert {each["photos"] for each in answer.json()["erasures"]} == {1}
    assert client.post("/api/v1/assets/erasures", sent, content_type="application/json").status_code == 404
