"""Near-duplicates are confirmed by their embeddings, found by them too, and what was set aside wrongly comes in."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow
from pytest_django import Settings

import labeling.catalog.tasks  # noqa: F401 - registers the handler of intakes
from inference import backbones
from labeling.catalog import twins
from labeling.catalog.events import photos_put_back
from labeling.catalog.images import add_items
from labeling.catalog.models import Activity, Image, IntakeFile, Item, Likeness, Project
from labeling.catalog.selectors import may_see_photo
from labeling.catalog.services import start_upload
from labeling.jobs.models import Job, JobState
from labeling.learning.compute import likenesses
from labeling.learning.compute.stores import store_of
from labeling.learning.models import LikenessSearch
from labeling.learning.services import request_embedding
from tests.factories import make_items, make_member, make_project
from tests.learning.building import run_job

pytestmark = pytest.mark.django_db

OWN = bytes(range(32))


@pytest.fixture(autouse=True)
def own_photos(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "photos")},
        }
    }
    settings.STAGING_DIR = tmp_path / "staging"


def put(project: Project, image: Image, *, like: int, apart: float = 1.0) -> None:
    """An embedding: that which ``like`` is the seed of, and ``apart`` times as much else."""
    store = store_of(backbones.load(project.backbone))
    rows = [np.random.default_rng(seed).normal(size=store.dim) for seed in (like, image.pk + 10_000)]
    store.append([image.sha256], (rows[0] + apart * rows[1])[None].astype(np.float32))


def come(project: Project, mark: bytes, *, like: int, apart: float = 1.0) -> Item:
    """A photo with this fingerprint and embedding, as intake adds it."""
    image = Image.objects.create(
        sha256=f"{Image.objects.count():064x}",
        format="PNG",
        width=9,
        height=9,
        size=9,
        fingerprint=mark,
        fingerprint_parts=twins.parts(mark),
    )
    put(project, image, like=like, apart=apart)
    return add_items(project=project, images=[(image, f"{image.pk}.png")], source="test")[0]


def others(project: Project, count: int = 24) -> None:
    """Photos like none: without them nothing tells what is near."""
    dice = np.random.default_rng(3)
    for seed in range(count):
        come(project, dice.bytes(32), like=100 + seed)


def flipped(bits: int) -> bytes:
    return (int.from_bytes(OWN) ^ sum(1 << 2 * bit for bit in range(bits))).to_bytes(32)


def embed(project: Project) -> Job:
    job = run_job(request_embedding(project=project))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return job


def group_of(item: Item) -> int | None:
    return Item.objects.get(pk=item.pk).twins_of


def test_embeddings_confirm_what_fingerprints_tell_or_do_not_and_the_group_stays() -> None:
    project = make_project()
    others(project)
    first = come(project, OWN, like=1, apart=0.1)
    twin, stranger = come(project, flipped(5), like=1, apart=0.1), come(project, flipped(3), like=2)
    assert set(Likeness.objects.values_list("ratio", flat=True)) == {None}
    embed(project)
    ratio = {(each.item_id, each.image_id): each.ratio for each in Likeness.objects.all()}
    assert ratio[first.pk, twin.image_id] < Likeness.SURE / 2
    assert min(ratio[first.pk, stranger.image_id], ratio[twin.pk, stranger.image_id]) > 0.8
    assert group_of(twin) == group_of(stranger) == group_of(first) == first.pk


@pytest.mark.parametrize(("bits", "joined"), [(likenesses.LOOSE, True), (likenesses.LOOSE + 1, False)])
def test_embeddings_find_what_fingerprints_miss_where_the_pictures_are_laid_out_alike(
    bits: int, joined: bool
) -> None:
    project = make_project()
    others(project)
    first, moved = come(project, OWN, like=1, apart=0.1), come(project, flipped(bits), like=1, apart=0.1)
    come(project, flipped(bits // 2), like=3)
    assert group_of(first) is None
    embed(project)
    assert group_of(first) == group_of(moved) == (first.pk if joined else None)
    found = Likeness.objects.filter(bits=bits)
    assert found.exists() == joined and not Likeness.objects.exclude(bits=bits).exists()


def test_what_comes_later_joins_the_groups_that_are_there() -> None:
    project = make_project()
    others(project)
    first, twin = come(project, OWN, like=1, apart=0.1), come(project, flipped(2), like=1, apart=0.1)
    embed(project)
    moved = come(project, flipped(60), like=1, apart=0.1)
    embed(project)
    assert group_of(first) == group_of(twin) == group_of(moved) == first.pk
    assert LikenessSearch.objects.get().up_to == moved.pk


def test_a_photo_that_got_its_embedding_late_is_compared_then() -> None:
    project = make_project()
    others(project)
    first = come(project, OWN, like=1, apart=0.1)
    lost = come(project, flipped(60), like=1, apart=0.1)
    Item.objects.filter(pk=lost.pk).update(image=make_items(make_project(), 1)[0].image)  # which has none
    embed(project)
    Item.objects.filter(pk=lost.pk).update(image=lost.image)
    embed(project)
    assert group_of(first) is None
    photos_put_back.send(sender=Image, project=project)
    embed(project)
    assert group_of(first) == group_of(lost) == first.pk


def test_a_long_search_goes_on_in_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    others(project)
    first, moved = come(project, OWN, like=1, apart=0.1), come(project, flipped(60), like=1, apart=0.1)
    monkeypatch.setattr(likenesses, "CHUNK", 10)
    monkeypatch.setattr(likenesses, "PATIENCE_S", -1.0)
    rounds = 0
    job = request_embedding(project=project)
    while job is not None:
        assert run_job(job).state == JobState.SUCCEEDED, job.error + job.trace
        job = Job.objects.of_project(project.pk).filter(kind="embed", state=JobState.QUEUED).first()
        rounds += 1
    assert rounds == 3
    assert group_of(first) == group_of(moved) == first.pk


# -- set aside -------------------------------------------------------------------------------------------------------


def picture(seed: int) -> Pillow.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 15, 3), dtype=np.uint8)
    return Pillow.fromarray(coarse).resize((150, 120), Pillow.Resampling.BICUBIC)


def saved(image: Pillow.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def take_in(project: Project, *photos: bytes) -> list[IntakeFile]:
    files = [SimpleUploadedFile(f"{n}.jpg", data) for n, data in enumerate(photos)]
    (batch,) = start_upload(project=project, by=project.created_by, files=files)
    job = Job.objects.get(kind="intake", args__batch=str(batch.pk))
    assert run_job(job).state == JobState.SUCCEEDED, job.error + job.trace
    return list(batch.files.order_by("pk"))


def outcomes(files: list[IntakeFile]) -> list[str]:
    for file in files:
        file.refresh_from_db()
    return [file.outcome for file in files]


@pytest.mark.parametrize(("choice", "at_first"), [("aside", "refused"), ("refuse", "duplicate")])
@pytest.mark.parametrize("same", [True, False])
def test_what_was_set_aside_comes_in_where_its_embedding_tells_another_picture(
    choice: str, at_first: str, same: bool
) -> None:
    project = make_project(near_duplicates=choice)
    others(project)
    again = saved(picture(1), 40)
    files = take_in(project, saved(picture(1), 90), again, again)
    assert outcomes(files) == ["added", at_first, at_first if choice == "aside" else "duplicate"]
    kept, out = (Image.objects.get(sha256=file.image.sha256) for file in files[:2])  # type: ignore[union-attr]
    put(project, kept, like=1, apart=0.1)
    put(project, out, like=1 if same else 2, apart=0.1)
    embed(project)
    came = project.items.filter(image=out).first()
    if same:
        assert came is None and outcomes(files)[1] == at_first
        assert Likeness.objects.get(image=out).ratio < Likeness.SURE / 2
        return
    assert came is not None and came.name == "1.jpg"
    assert outcomes(files) == ["added", "added", "duplicate"]
    assert not any(file.reason or file.detail for file in files)
    assert group_of(came) == project.items.get(image=kept).pk, "on one side it stays"
    assert Activity.objects.get(kind="near_duplicates_let_in").data == {"photos": 1}
    # Sent once more, it is there.
    (again_sent,) = take_in(project, again)
    assert again_sent.outcome == "duplicate" and project.items.filter(image=out).count() == 1


def test_what_cannot_be_compared_yet_stays_out_and_is_kept() -> None:
    project = make_project(near_duplicates="aside")
    files = take_in(project, saved(picture(1), 90), saved(picture(1), 40))
    for file in files:
        assert file.image is not None
        put(project, file.image, like=file.pk)
    embed(project)  # of two photos alone nothing can be told
    assert outcomes(files) == ["added", "refused"]
    assert Likeness.objects.get().ratio is None
    others(project)
    embed(project)
    assert outcomes(files) == ["added", "added"]


def test_it_is_embedded_though_it_is_no_photo_of_the_project() -> None:
    project = make_project(near_duplicates="aside")
    photos = [saved(picture(seed), 90) for seed in range(6)]
    files = take_in(project, *photos, saved(picture(3), 60))
    assert outcomes(files)[-1] == "refused"
    embed(project)
    told = Likeness.objects.get()
    assert told.ratio is not None and told.ratio < Likeness.SURE
    assert outcomes(files)[-1] == "refused"


def test_one_that_is_near_only_what_is_out_itself_comes_in() -> None:
    """In one intake or in two: what did not come in keeps nobody out."""
    project = make_project(near_duplicates="aside")
    come(project, OWN, like=1)
    for first in (True, False):
        near, nearer = flipped(12), (int.from_bytes(flipped(12)) ^ 0xFFF << 200).to_bytes(32)
        assert twins.differ(OWN, nearer) > twins.MOST >= twins.differ(near, nearer)
        images = [
            Image(pk=900 + n, fingerprint=mark, fingerprint_parts=twins.parts(mark))
            for n, mark in enumerate([near, nearer])
        ]
        assert twins.late(project, images if first else images[::-1]) == {900}


def test_an_admin_sees_what_embeddings_say_and_what_is_out() -> None:
    project = make_project(near_duplicates="aside")
    others(project)
    files = take_in(project, saved(picture(1), 90), saved(picture(1), 60), saved(picture(1), 40))
    kept, confirmed, refuted = (file.image for file in files)
    assert kept and confirmed and refuted
    put(project, kept, like=1, apart=0.1)
    client = Client()
    client.force_login(project.created_by)
    address = reverse("near-duplicates", args=[project.slug])
    page = client.get(address).content.decode()
    assert page.count("Not compared yet") == 2 and "Did not come in: 2" in page
    put(project, confirmed, like=1, apart=0.1)
    put(project, refuted, like=2)
    first, twin = come(project, OWN, like=5, apart=0.1), come(project, flipped(60), like=5, apart=0.1)
    embed(project)
    page = client.get(address).content.decode()
    assert "Did not come in: 1" in page and "1.jpg" in page and confirmed.sha256 in page
    for said in (
        "Confirmed</span>",
        "Not confirmed</span>",
        "Found by its embedding",
        "Was set aside, then came in",
    ):
        assert page.count(said) == 1, said
    assert first.image.sha256 in page and twin.image.sha256 in page and "Not compared yet" not in page
    assert may_see_photo(project.created_by, confirmed.sha256)
    assert not may_see_photo(make_member(make_project(), "admin"), confirmed.sha256)
