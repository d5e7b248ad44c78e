"""The same picture saved twice is recognised when it comes in, and its photos are one group; photos alike are not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow

from labeling.catalog import remaking, services, storage, twins
from labeling.catalog.fingerprints import fingerprint
from labeling.catalog.models import Image, IntakeFile, Item, Project
from labeling.jobs.models import Job
from tests.catalog.conftest import upload
from tests.cells import make_cells
from tests.factories import make_member, make_project

pytestmark = pytest.mark.django_db


def picture(seed: int, *, size: tuple[int, int] = (300, 240)) -> Pillow.Image:
    """Soft shapes of chance, as no two photos share them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 15, 3), dtype=np.uint8)
    return Pillow.fromarray(coarse).resize(size, Pillow.Resampling.BICUBIC)


def saved(image: Pillow.Image, format: str = "JPEG", **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **how)
    return buffer.getvalue()


def come(project: Project, *photos: bytes) -> list[Item]:
    images = [(services.add_image(data=data)[0], f"{n}.jpg") for n, data in enumerate(photos)]
    items = services.add_items(project=project, images=images, source="test")
    return [Item.objects.get(pk=item.pk) for item in items]


@pytest.mark.parametrize(
    "again",
    [
        lambda image: saved(image, quality=40),
        lambda image: saved(image, "PNG"),
        lambda image: saved(image, "WEBP", quality=50),
        lambda image: saved(image.resize((150, 120))),
        lambda image: saved(image.convert("L")),
    ],
    ids=["worse", "png", "webp", "half the size", "grey"],
)
def test_a_picture_saved_again_is_a_near_duplicate_in_whatever_order(
    again: Callable[[Pillow.Image], bytes],
) -> None:
    project = make_project()
    first, twin, other = come(project, saved(picture(1), quality=92), again(picture(1)), saved(picture(2)))
    assert (first.twins_of, twin.twins_of, other.twins_of) == (first.pk, first.pk, None)
    project = make_project()  # the images are known by now, and come in the other order, one by one
    (twin,), (first,) = (come(project, data) for data in (again(picture(1)), saved(picture(1), quality=92)))
    twin.refresh_from_db()
    assert twin.twins_of == first.twins_of == twin.pk


def test_groups_that_a_photo_joins_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    bits = [
        0,
        0b1111 << 8,
        0b11111111 << 8,
    ]  # the first and the last differ in eight, the one between in four from either
    monkeypatch.setattr(twins, "MOST", 5)
    items = []
    for place in (0, 2, 1):
        (item,) = come(project, saved(picture(10 + place)))
        mark = bits[place].to_bytes(32)
        Image.objects.filter(pk=item.image_id).update(fingerprint=mark, fingerprint_parts=twins.parts(mark))
        item.image.refresh_from_db()
        twins.group(project, [item])
        items.append(item)
    assert {item.twins_of for item in Item.objects.filter(project=project)} == {items[0].pk}


def deep(pixels: np.ndarray) -> bytes:
    """A TIFF of 16 bits."""
    return saved(Pillow.fromarray(pixels.astype(np.uint16)), "TIFF")


@pytest.mark.parametrize("levels", ["bits", "percentiles"])
@pytest.mark.parametrize("shape", ["across", "down", "slanting", "through the rows"])
def test_twelve_bits_are_the_same_picture_wherever_they_lie_in_sixteen(
    shape: str, levels: str, do: Callable[[Job], Job]
) -> None:
    """Of few waves: what is not there must not be told by chance."""
    y, x = np.mgrid[:192, :256]
    ramp = {
        "across": x * 16,
        "down": y * 21,
        "slanting": 9 * (x + y),
        "through the rows": (y * 256 + x) % 4096,
    }
    project = make_project(levels=levels)
    files = [upload(f"{by}.tif", deep(ramp[shape] * by)) for by in (1, 4, 16)]
    services.start_upload(project=project, by=project.created_by, files=files)
    assert do(Job.objects.get(kind="intake")).result == {"added": 3, "duplicate": 0, "refused": 0}
    first = project.items.order_by("pk")[0]
    assert list(project.items.values_list("twins_of", flat=True)) == [first.pk] * 3


def test_a_twin_among_hundreds_that_share_a_part_with_it_is_found() -> None:
    project = make_project()
    (item,) = come(project, saved(picture(1)))
    own = bytes(Image.objects.get(pk=item.image_id).fingerprint or b"")
    dice = np.random.default_rng(0)
    crowd = [own[:2] + dice.bytes(30) for _ in range(700)]  # one part in common, and else unlike
    twin = (int.from_bytes(own) ^ sum(1 << 16 * part for part in range(twins.MOST))).to_bytes(32)
    images = Image.objects.bulk_create(
        Image(
            sha256=f"{n:064x}",
            format="PNG",
            width=9,
            height=9,
            size=9,
            fingerprint=mark,
            fingerprint_parts=twins.parts(mark),
        )
        for n, mark in enumerate([*crowd, twin])
    )
    added = services.add_items(project=project, images=[(image, "") for image in images], source="")
    assert list(Item.objects.filter(twins_of=item.pk).order_by("pk")) == [item, added[-1]]


def test_groups_are_a_projects_own() -> None:
    (one,), (two,) = (
        come(make_project(), data) for data in (saved(picture(3)), saved(picture(3), quality=40))
    )
    assert one.twins_of is None and two.twins_of is None


def test_cells_that_look_alike_are_no_near_duplicates() -> None:
    project = make_project()
    come(project, *(cell.data for cell in make_cells(12)))
    assert twins.count(project) == 0


def test_pictures_without_any_shape_are_no_near_duplicates_of_each_other() -> None:
    assert fingerprint(Pillow.new("RGB", (60, 50), "navy")) == b""
    project = make_project()
    come(project, *(saved(Pillow.new("RGB", (60, 50), colour)) for colour in ("navy", "olive", "white")))
    assert twins.count(project) == 0


def test_what_differs_in_few_bits_has_a_part_in_common() -> None:
    own = fingerprint(picture(5))
    for seed in range(50):
        flipped = np.random.default_rng(seed).choice(256, twins.MOST, replace=False)
        other = (int.from_bytes(own) ^ sum(1 << int(bit) for bit in flipped)).to_bytes(32)
        assert set(twins.parts(own)) & set(twins.parts(other))
        assert twins.differ(own, other) == twins.MOST


@pytest.mark.parametrize(
    ("choice", "outcomes"),
    [
        ("group", ["added", "added", "added"]),
        ("aside", ["added", "added", "refused"]),
        ("refuse", ["added", "added", "duplicate"]),
    ],
)
def test_an_admin_says_what_happens_to_new_ones(
    choice: str, outcomes: list[str], do: Callable[[Job], Job]
) -> None:
    project = make_project(near_duplicates=choice)
    files = [
        upload("a.jpg", saved(picture(1), quality=92)),
        upload("b.jpg", saved(picture(2))),
        upload("c.jpg", saved(picture(1), quality=50)),
    ]
    services.start_upload(project=project, by=project.created_by, files=files)
    do(Job.objects.get(kind="intake"))
    rows = IntakeFile.objects.filter(batch__project=project).order_by("name")
    assert [row.outcome for row in rows] == outcomes
    assert project.items.count() == outcomes.count("added")
    assert rows[2].reason == ("near_duplicate" if choice == "aside" else "")


def test_an_admin_sees_the_groups_and_nobody_else_does() -> None:
    project = make_project()
    first, twin, other = come(
        project, saved(picture(1), quality=92), saved(picture(1), quality=50), saved(picture(2))
    )
    address = reverse("near-duplicates", args=[project.slug])
    client = Client()
    client.force_login(project.created_by)
    html = client.get(address).content.decode()
    assert first.image.sha256 in html and twin.image.sha256 in html and other.image.sha256 not in html
    assert "2 photos are nearly the same" in html
    for role in ("reviewer", "labeler"):
        client.force_login(make_member(project, role))
        assert client.get(address).status_code in (302, 403, 404)


def test_photos_from_before_are_recognised_by_the_job_that_remakes_them(do: Callable[[Job], Job]) -> None:
    project = make_project()
    items = come(project, saved(picture(1), quality=92), saved(picture(1), quality=50))
    Image.objects.update(fingerprint=None, fingerprint_parts=[], rendered=1)
    Item.objects.update(twins_of=None)
    job = remaking.request_remaking()
    assert job is not None and do(job).result == {"remade": 2, "lost": 0}
    assert storage.rendition(items[0].image, "screen")
    assert {item.twins_of for item in project.items.all()} == {items[0].pk}
