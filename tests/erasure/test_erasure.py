"""Erased photos are out at once, come back as they were, or are nowhere; and what was decided stays."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog import erased, storage, wiping
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import (
    Activity,
    Exemplar,
    Image,
    IntakeBatch,
    IntakeFile,
    Item,
    Likeness,
    Metadata,
)
from labeling.catalog.selectors import may_see_photo, photo_url
from labeling.catalog.services import (
    add_image,
    amend_guideline,
    log_activity,
    look_now,
    update_settings,
    watch,
)
from labeling.database.append_only import erasing
from labeling.erasure import asking, consequences, keeping_out, limits
from labeling.erasure.models import ErasedPhoto, Erasure
from labeling.erasure.services import ask, undo
from labeling.erasure.tasks import erase_due
from labeling.exchange.provenance import GROUND_TRUTHS, stream
from labeling.explorer.models import SavedView
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.jobs.models import Job
from labeling.learning.compute.stores import open_store
from labeling.learning.training_set import readiness
from labeling.queue.entries import put_back
from labeling.queue.models import Entry
from labeling.queue.services import append_arrivals, claim
from labeling.refusals import Refused
from labeling.store import objects, on_disk
from labeling.store.folders import STAGING, drop_copies_of_what_is_gone
from labeling.truth import tallies
from labeling.truth.models import Annotation, GroundTruth
from labeling.truth.services import add_gold, request_review, rule, undo_ruling
from tests.database import without_triggers
from tests.erasure.conftest import BACKBONE, COMMENT, NAME, PLATE, Known, do_jobs, make_known, run, take_in
from tests.erasure.looking import in_files, in_index, in_tables
from tests.factories import make_member, make_project, photo_bytes
from tests.store.conftest import in_bucket, s3  # noqa: F401

pytestmark = pytest.mark.django_db


def erase(known: Known, *, days: int = 0, **more: Any) -> Erasure:
    said = {"scope": "photos", "item_ids": [known.photo.pk], "reason": "A wish"} | more
    made = ask(project=known.project, by=known.project.created_by, days=days, **said)
    made.refresh_from_db()
    return made


def assert_nowhere(known: Known) -> None:
    assert in_tables(known.words) == []
    assert in_files(known.pieces, [known.var]) == []
    assert not in_index(known.project.pk, NAME)


def assert_counts_are_right() -> None:
    assert tallies.mend() == 0, "kept counts differ from a recount"


def test_what_is_erased_is_in_no_table_file_or_index(known: Known) -> None:
    assert len(in_tables(known.words)) > 10 and len(in_files(known.pieces, [known.var])) >= 5, "it was known"
    assert in_index(known.project.pk, NAME)
    made = erase(known)
    do_jobs(made)
    assert_nowhere(known)
    made.refresh_from_db()
    assert made.gone_at is not None
    # What was said stays, without content; and the other photo stays whole.
    said = Annotation.objects.filter(item=known.photo)
    assert [(each.label_class.key, each.comment) for each in said if each.label_class] == [
        ("functional", "")
    ] * 2
    assert [each.kind for each in GroundTruth.objects.filter(item=known.photo).order_by("id")] == [
        "class",
        "withdrawn",
    ]
    assert storage.is_whole(known.other.image.sha256) and "other.png" in in_names(known)
    kept = SavedView.objects.filter(project=known.project).values_list("name", flat=True)
    assert list(kept) == ["line"], "of a value that other photos have as well"
    assert open_store(BACKBONE, 4).missing([known.other.image.sha256]) == []
    assert_counts_are_right()


def in_names(known: Known) -> list[str]:
    return list(Item.objects.filter(project=known.project).values_list("name", flat=True))


def test_it_is_in_no_bucket_and_on_no_machine(
    db: None,
    machine: Path,
    settings: Settings,
    s3: str,  # noqa: F811
) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": in_bucket(s3, f"erased-{machine.name[:20].replace('_', '-')}")
    }
    known = make_known(machine / "one")
    # Another machine has fetched the vectors, and is off while the photo is erased.
    settings.EMBEDDINGS_DIR = machine / "off"
    assert not open_store(BACKBONE, 4).missing([known.sha256])
    settings.EMBEDDINGS_DIR = machine / "embeddings"
    assert len(in_files(known.pieces, [machine])) >= 5
    do_jobs(erase(known))
    known.var = machine / "embeddings"
    assert_nowhere(known)
    settings.EMBEDDINGS_DIR = machine / "off"
    assert in_files(known.pieces, [machine / "off"])
    drop_copies_of_what_is_gone()  # as its worker does when it starts
    assert in_files(known.pieces, [machine]) == []


def test_it_is_out_at_once_and_comes_back_as_it_was(known: Known, client: Client) -> None:
    project, photo = known.project, known.photo
    append_arrivals(project=project, item_ids=[known.other.pk])
    add_gold(project=project, item=known.other, class_key="functional", by=project.created_by)
    before = _state(known)
    made = erase(known, days=3, item_ids=[photo.pk, known.other.pk])
    told = {each.split(":")[0] for each in in_tables(known.words)}
    assert told.isdisjoint({"catalog_item", "catalog_intakefile", "catalog_exemplar"}), "put aside"
    page = f"/p/{project.slug}/photos/{photo.pk}"
    client.force_login(make_member(project, "reviewer"))
    assert client.get(page).status_code == 404
    client.force_login(project.created_by)
    assert "can be brought back" in client.get(page, follow=True).content.decode()
    assert client.get(photo_url(known.sha256, "thumb")).status_code == 404
    assert search(project, project.created_by, Wanted()).rows == []
    assert not may_see_photo(project.created_by, known.sha256)
    assert claim(project=project, labeler=make_member(project)) == []
    assert not Entry.objects.filter(item_id=known.other.pk).exists()
    assert list(stream(GROUND_TRUTHS, project)) == [] and readiness(project).total == 0
    assert not Exemplar.objects.filter(image=photo.image_id).exists()
    assert storage.is_whole(known.sha256), "and can be brought back"
    assert_counts_are_right()
    undo(erasure=made, by=project.created_by)
    undo(erasure=made, by=project.created_by)
    assert _state(known) == before
    assert client.get(photo_url(known.sha256, "thumb")).status_code == 200
    assert_counts_are_right()


def _state(known: Known) -> dict[str, Any]:
    """All that a person would miss."""
    items = Item.objects.filter(pk__in=[known.photo.pk, known.other.pk]).order_by("pk")
    return {
        "items": list(items.values("project", "image", "name", "source", "twins_of", "gold__retired_at")),
        "files": list(IntakeFile.objects.order_by("id").values("name", "path", "sha256", "image", "outcome")),
        "metadata": list(Metadata.objects.values("item", "project", "data")),
        "exemplars": list(Exemplar.objects.values("definition", "image", "caption", "position")),
        "truths": sorted(GroundTruth.objects.current().values_list("item", "label_class", "origin")),
        "trains": readiness(known.project).total,
        "erased": erased.standing().count(),
    }


def test_when_the_time_is_over_it_cannot_be_undone_and_a_worker_erases_it(known: Known) -> None:
    made = erase(known, days=3)
    erase_due(0)
    assert not Job.objects.filter(kind="erase", state="queued").exists(), "not yet"
    Erasure.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Refused, match="over"):
        undo(erasure=made, by=known.project.created_by)
    erase_due(0)
    do_jobs(made)
    assert_nowhere(known)
    kinds = list(
        Activity.objects.filter(project=known.project, kind__startswith="erasure").values_list(
            "kind", flat=True
        )
    )
    assert kinds == ["erasure_done", "erasure_asked"]


def test_what_was_cut_off_is_finished_by_the_next_try(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    made = erase(known, item_ids=[known.photo.pk, known.other.pk])
    really = storage.forget

    def broken(sha256: str) -> list[str]:
        if sha256 == known.other.image.sha256:
            raise RuntimeError("the worker is gone")
        return really(sha256)

    monkeypatch.setattr(storage, "forget", broken)
    with pytest.raises(AssertionError):
        do_jobs(made)
    monkeypatch.undo()
    assert in_files(known.pieces, [known.var]) == [], "what was done is done"
    erase_due(0)
    do_jobs(made)
    assert_nowhere(known)
    assert not Image.objects.exclude(sha256=Image.NOTHING).exists()


def test_the_same_file_in_another_project_stays_until_that_one_erases_it(known: Known) -> None:
    second = make_project()
    take_in(second, {"same.png": known.data})
    there = Item.objects.get(project=second)
    made = erase(known)
    assert made.took["elsewhere"] == 1
    do_jobs(made)
    assert ErasedPhoto.objects.get(erasure=made).stays
    assert in_tables([NAME, COMMENT]) == [] and storage.is_whole(known.sha256)
    assert open_store(BACKBONE, 4).missing([known.sha256]) == []
    # A request that may yet be undone holds it too; when that is over, nobody does.
    other = ask(project=second, by=second.created_by, scope="project", reason="A wish", days=3)
    assert storage.is_whole(known.sha256)
    Erasure.objects.filter(pk=other.pk).update(due_at=timezone.now())
    erase_due(0)
    do_jobs(other)
    assert_nowhere(known)
    assert there.image_id not in Image.objects.values_list("pk", flat=True)


def test_it_does_not_come_in_again_unless_an_admin_lifts_it(known: Known) -> None:
    do_jobs(erase(known))
    take_in(known.project, {NAME: known.data, "new.png": photo_bytes(3)})
    assert_nowhere(known)
    assert sorted(in_names(known)) == ["new.png", "other.png"]
    refused = IntakeFile.objects.get(reason="erased")
    assert "erased from here" in refused.detail
    second = make_project()
    take_in(second, {"x.png": known.data})
    assert not second.items.exists(), "nobody held it any more, so nobody may"
    assert erased.lift(known.project, known.sha256) and not erased.lift(known.project, known.sha256)
    take_in(known.project, {NAME: known.data})
    assert NAME in in_names(known)


def test_what_a_restored_backup_brought_back_goes_again(known: Known) -> None:
    line = json.dumps([erased.digest(known.sha256), known.project.pk, True, False])
    objects.write(erased.FILE, line.encode())
    erase_due(0)
    assert in_names(known) == ["other.png"]
    do_jobs(Erasure.objects.get())
    assert_nowhere(known)
    # A file that lies in the store though no row names it.
    storage.keep(known.sha256, known.data, {})
    share = int(known.sha256[:2], 16) // 8
    assert keeping_out.sweep_store(share + 1) == 0
    assert keeping_out.sweep_store(share) == 1
    assert_nowhere(known)


def test_a_source_goes_with_its_name_and_near_duplicates_go_together(known: Known) -> None:
    made = erase(known, scope="source", item_ids=[], source="customer")
    assert made.took["photos"] == 2
    do_jobs(made)
    assert in_tables(["customer"]) == []
    assert_nowhere(known)
    with pytest.raises(Refused, match="no such photos"):
        erase(known, scope="source", item_ids=[], source="customer")
    take_in(known.project, {"a.png": photo_bytes(5), "b.png": photo_bytes(6)})
    pair = list(known.project.items.order_by("pk"))
    Item.objects.filter(pk__in=[each.pk for each in pair]).update(twins_of=pair[0].pk)
    assert erase(known, scope="group", item_ids=[pair[1].pk]).took["photos"] == 2


def test_a_watched_folder_that_still_has_it_brings_nothing_back(
    db: None, machine: Path, settings: Settings
) -> None:
    settings.INTAKE_ROOTS = [machine / "open"]
    on_disk.write(machine / "open/cars" / NAME, photo_bytes(1))
    project = make_project()
    source = watch(project=project, by=project.created_by, kind="folder", address="cars")

    def look() -> int:
        run(look_now(source=source))
        intakes = list(Job.objects.filter(kind="intake", state="queued"))
        for job in intakes:
            run(job)
        return len(intakes)

    assert (look(), look()) == (1, 0)
    made = ask(project=project, by=project.created_by, scope="project", reason="A wish", days=0)
    do_jobs(made)
    assert (look(), in_tables([NAME])) == (0, [])
    os.utime(machine / "open/cars" / NAME, (1, 1))  # it may be another one now
    assert (look(), in_tables([NAME]), look()) == (1, [], 0)
    on_disk.write(machine / "open/cars" / NAME, photo_bytes(2))  # it is
    assert (look(), look()) == (1, 0) and project.items.get().name == NAME


def test_what_was_set_aside_as_its_near_duplicate_goes_with_it(known: Known) -> None:
    near, _new = add_image(data=photo_bytes(8))
    Likeness.objects.create(project=known.project, item=known.photo, image=near, bits=3, set_aside=True)
    made = erase(known, days=3)
    assert not may_see_photo(known.project.created_by, near.sha256) and not Likeness.objects.exists()
    undo(erasure=made, by=known.project.created_by)
    assert Likeness.objects.get().image == near
    do_jobs(erase(known))
    assert in_tables([near.sha256]) == [] and in_files([near.sha256.encode()], [known.var]) == []


def test_an_archive_that_waits_holds_an_erasure_up_and_says_so(known: Known) -> None:
    batch = IntakeBatch.objects.get()
    IntakeBatch.objects.update(kind="zip")
    on_disk.write(STAGING.root / str(batch.pk) / "archive.zip", known.data)
    made = erase(known)
    with pytest.raises(AssertionError, match="archive of an intake"):
        do_jobs(made)
    assert made.photos.get().waits_for and storage.is_whole(known.sha256)
    STAGING.drop(str(batch.pk))  # somebody gave up the rest of it
    erase_due(0)
    do_jobs(made)
    assert_nowhere(known)


def test_all_that_a_search_finds_goes(known: Known) -> None:
    metadata.put(
        project=known.project, given={known.other.pk: {"plate": "34나 5678"}}, by=known.project.created_by
    )
    with pytest.raises(Refused, match="Filter"):
        erase(known, scope="found", query="")
    with pytest.raises(Refused, match="no such photos"):
        erase(known, scope="found", query="q=nothing")
    made = erase(known, scope="found", query=urlencode({"metadata": f'plate="{PLATE}"'}), days=3)
    assert list(made.photos.values_list("item", flat=True)) == [known.photo.pk]


@pytest.mark.parametrize("query", ["", "q=png"])
def test_photos_of_a_large_request_are_looked_for_by_a_job(
    known: Known, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    both = consequences.consequences(known.project, [known.photo.pk, known.other.pk])
    asked = {"scope": "found" if query else "source", "item_ids": [], "query": query, "source": "customer"}
    made = erase(known, days=3, **asked)
    assert (made.took["photos"], made.query, made.looks_from) == (1, query, known.photo.pk)
    assert in_names(known) == ["other.png"], "what the request waited for is out"
    undo(erasure=made, by=known.project.created_by)
    do_jobs(made)
    assert sorted(in_names(known)) == sorted([NAME, "other.png"]), "nothing is looked for any more"
    made = erase(known, days=3, **asked)
    take_in(known.project, {"newer.png": photo_bytes(3)})
    Job.objects.filter(kind="erase").update(state="failed")
    erase_due(0)
    do_jobs(made)
    made.refresh_from_db()
    assert in_names(known) == [] and (made.query, made.looks_from) == ("", None)
    counted = {"photos": 3, "answers": both.answers, "gold": both.gold, "exemplars": both.exemplars}
    assert made.took.items() >= counted.items() and made.took["size"] > both.size


def test_a_request_that_is_undone_while_its_job_works_is_undone_by_the_next_one(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    made = erase(known, days=3, item_ids=[known.photo.pk, known.other.pk])
    (running,) = Job.objects.filter(kind="erase")
    while asking.take_out_some(made, 1):
        pass  # what that job has done so far
    Job.objects.filter(pk=running.pk).update(state="running")
    undo(erasure=made, by=known.project.created_by)
    following = Job.objects.get(kind="erase", state="queued")
    assert following.dedupe_key == f"erase:{made.pk}:next"
    Job.objects.filter(pk=running.pk).update(state="succeeded")
    do_jobs(made)
    assert sorted(in_names(known)) == sorted([NAME, "other.png"])


def test_what_an_undone_request_still_holds_is_found_later(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    made = erase(known, days=3, item_ids=[known.photo.pk, known.other.pk])
    do_jobs(made)
    undo(erasure=made, by=known.project.created_by)
    Job.objects.filter(kind="erase").update(state="failed")
    erase_due(0)
    do_jobs(made)
    assert sorted(in_names(known)) == sorted([NAME, "other.png"])


def test_an_erased_photo_does_not_come_back_into_the_order(known: Known) -> None:
    append_arrivals(project=known.project, item_ids=[known.photo.pk, known.other.pk])
    erase(known, days=3)
    put_back(project=known.project, rounds={known.photo.pk: 1, known.other.pk: 1})
    assert set(Entry.objects.values_list("item_id", flat=True)) == {known.other.pk}


def test_a_ruling_on_an_erased_photo_cannot_be_taken_back(known: Known) -> None:
    reviewer = make_member(known.project, "reviewer")
    dispute = request_review(project=known.project, item=known.photo, by=reviewer)
    rule(project=known.project, dispute_id=dispute.pk, reviewer=reviewer, outcome="unusable")
    erase(known, days=3)
    before = GroundTruth.objects.filter(item=known.photo).count()
    with pytest.raises(Refused) as refused:
        undo_ruling(project=known.project, dispute_id=dispute.pk, reviewer=reviewer)
    assert refused.value.status == 404
    assert GroundTruth.objects.filter(item=known.photo).count() == before


@pytest.mark.parametrize("number", [20231, 7])
def test_a_name_that_is_a_number_leaves_numbers_alone(known: Known, number: int) -> None:
    job = Job.objects.create(
        kind="embed", project_id=known.project.pk, state="succeeded",
        args={"photos": number, "names": [f"{number}"]}, result={"embedded": number, "by": str(number)},
    )  # fmt: skip
    entry = log_activity(project=known.project, kind="intake", actor=None, taken=number, source=f"{number}")
    wiping.wipe_texts(known.project, hashes=[], names=[str(number)])
    job.refresh_from_db()
    assert job.args == {"photos": number, "names": [""]} and job.result["embedded"] == number
    assert job.result["by"] == ""
    assert Activity.objects.get(pk=entry.pk).data == {"taken": number}


def test_a_table_that_only_grows_forgets_text_and_nothing_else(known: Known) -> None:
    mine = Annotation.objects.filter(item=known.photo)

    def refused(**changes: Any) -> None:
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            mine.update(**changes)

    refused(comment="")  # outside of an erasure
    with erasing():
        refused(comment="something else")
        refused(comment="", view_ms=1)
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            Activity.objects.filter(project=known.project).update(data={"note": "another"})
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            GroundTruth.objects.filter(item=known.photo)._raw_delete("default")  # type: ignore[attr-defined]
        mine.update(comment="")
    refused(comment=COMMENT)
    assert set(mine.values_list("comment", flat=True)) == {""}


def test_a_time_limit_erases_what_was_decided_so_long_ago(known: Known) -> None:
    project = known.project
    update_settings(project=project, by=project.created_by, keep_days=30)
    assert limits.erase_what_is_over() == []
    take_in(project, {"gold.png": photo_bytes(7)})
    add_gold(
        project=project,
        item=project.items.get(name="gold.png"),
        class_key="functional",
        by=project.created_by,
    )
    with without_triggers():
        GroundTruth.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert limits.erase_what_is_over() == [], (
        "an exemplar in force and gold are in use; the other one is not decided"
    )
    key = known.project.label_classes.earliest("pk").key
    amend_guideline(
        project=project, by=project.created_by, note="No photo", exemplars={key: []}, wording_only=True
    )
    (made,) = limits.erase_what_is_over()
    assert list(made.photos.values_list("item", flat=True)) == [known.photo.pk]
    assert made.asked_by is None and made.can_be_undone
    assert limits.erase_what_is_over() == []
