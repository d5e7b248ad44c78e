"""People can see every pixel of a photo: small photos come without loss, large ones in tiles, old renditions are remade."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image as Pillow

from labeling.catalog import photos, remaking, renditions, services, storage
from labeling.catalog.models import Image, Project
from labeling.catalog.renditions import TILE, VERSION, Place
from labeling.catalog.selectors import photo_url, photo_urls, tiles_url
from labeling.jobs.models import Job, JobState
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db


def encoded(pixels: np.ndarray, format: str = "PNG", **save: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format=format, **save)
    return buffer.getvalue()


def noise(width: int, height: int, *, grey: bool = False) -> np.ndarray:
    shape = (height, width) if grey else (height, width, 3)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


def photo_in(project: Project, data: bytes) -> Image:
    image, _created = services.add_image(data=data)
    services.add_items(project=project, images=[(image, "a")], source="test")
    return image


def signed_in(project: Project) -> Client:
    client = Client()
    client.force_login(make_member(project))
    return client


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(300, 300), (1024, 1024), (1600, 600), (40, 32)])
def test_a_small_photo_is_shown_with_each_of_its_pixels(size: tuple[int, int], grey: bool) -> None:
    pixels = noise(*size, grey=grey)
    shown = pixels_of(photos.examine(encoded(pixels)).renditions["screen"])
    assert (shown == (pixels[..., None] if grey else pixels)).all()


def test_a_small_photo_needs_no_tiles_and_a_large_one_says_where_they_are() -> None:
    project = make_project()
    assert tiles_url(photo_in(project, encoded(noise(1024, 1024)))) is None
    large = photo_in(project, encoded(noise(1025, 1024)))
    assert tiles_url(large) == f"/photos/{large.sha256}/v{VERSION}/{{x}}-{{y}}.webp"


@pytest.mark.parametrize(("width", "height"), [(2500, 1300), (TILE, 2 * TILE), (1700, 90)])
def test_tiles_hold_the_whole_photo_pixel_for_pixel(width: int, height: int) -> None:
    project, pixels = make_project(), noise(width, height)
    image = photo_in(project, encoded(pixels))
    client, address = signed_in(project), str(tiles_url(image))
    whole = np.zeros_like(pixels)
    for place in renditions.places(width, height):
        answer = client.get(address.format(x=place.x, y=place.y))
        assert answer.status_code == 200 and answer["Content-Type"] == "image/webp"
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        piece = pixels_of(answer.content)
        whole[place.y * TILE :, place.x * TILE :][: piece.shape[0], : piece.shape[1]] = piece
    assert (whole == pixels).all()
    beyond = address.format(x=-(-width // TILE), y=0)
    assert client.get(beyond).status_code == 404


def test_tiles_are_upright_and_in_the_colours_of_the_screen_picture() -> None:
    data = encoded(noise(1800, 700), "JPEG", quality=95, exif=_turned(6))
    image = photo_in(make_project(), data)
    assert (image.width, image.height) == (700, 1800)
    first = pixels_of(storage.tile(image.sha256, Place(0, 0)))
    assert first.shape == (TILE, 700, 3)
    whole = np.asarray(photos.upright(data).convert("RGB"))
    assert (first == whole[:TILE]).all()


def _turned(orientation: int) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return exif


def test_tiles_are_made_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo_in(make_project(), encoded(noise(1200, 1100)))
    first = storage.tile(image.sha256, Place(1, 1))
    monkeypatch.setattr(photos, "upright", None)  # whoever called it now would fail
    assert storage.tile(image.sha256, Place(1, 1)) == first
    assert storage.tile(image.sha256, Place(0, 0))


def test_strangers_learn_nothing_of_tiles() -> None:
    image = photo_in(make_project(), encoded(noise(1200, 1100)))
    address = str(tiles_url(image)).format(x=0, y=0)
    stranger = Client()
    assert stranger.get(address).status_code == 404
    stranger.force_login(make_user())
    assert stranger.get(address).status_code == 404
    assert not default_storage.exists(
        storage.tile_name(image.sha256, Place(0, 0))
    )  # nor do they cause any work


def test_what_is_kept_for_ever_has_the_version_in_its_address() -> None:
    project = make_project()
    image = photo_in(project, encoded(noise(1200, 1100)))
    client = signed_in(project)
    for address in (photo_urls(image)["screen"], str(tiles_url(image)).format(x=0, y=0)):
        assert f"/v{VERSION}/" in address
        for other in (VERSION - 1, VERSION + 1):
            assert client.get(address.replace(f"/v{VERSION}/", f"/v{other}/")).status_code == 404
    moved = client.get(f"/photos/{image.sha256}/thumb.webp")
    assert moved.status_code == 302 and moved["Location"] == photo_url(image.sha256, "thumb")
    assert "immutable" not in moved.get("Cache-Control", "")


def outdated(image: Image) -> list[Path]:
    """Let the image look as the first version left it; return the files of that."""
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    old = []
    for variant in storage.VARIANTS:
        (root / storage.rendition_name(image.sha256, variant)).unlink()
        path = root / storage.rendition_name(image.sha256, variant, 1)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"as it was")
        old.append(path)
    Image.objects.filter(pk=image.pk).update(rendered=1)
    return old


def test_old_renditions_are_remade_by_a_job_and_removed(do: Callable[[Job], Job]) -> None:
    image = photo_in(make_project(), encoded(noise(300, 300)))
    old = outdated(image)
    Image.objects.update(width=200, height=400)  # as a version saw it that turned it wrongly
    job = remaking.request_remaking()
    assert job is not None and remaking.request_remaking() == job  # asked for twice, done once
    assert do(job).result == {"remade": 1, "lost": 0}
    assert not any(path.exists() for path in old)
    assert (pixels_of(storage.rendition(image, "screen")) == noise(300, 300)).all()
    image.refresh_from_db()
    assert (image.width, image.height) == (300, 300)
    assert image.rendered == VERSION and remaking.request_remaking() is None


def test_a_page_shows_the_new_rendition_before_the_job_came_to_it() -> None:
    project = make_project()
    image = photo_in(project, encoded(noise(300, 300)))
    outdated(image)
    answer = signed_in(project).get(photo_urls(image)["screen"])
    assert (pixels_of(answer.content) == noise(300, 300)).all()


def test_remaking_goes_on_where_it_was_killed_and_is_not_held_up_by_a_lost_photo(
    do: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    images = [photo_in(project, encoded(noise(40 + n, 40))) for n in range(5)]
    for image in images:
        outdated(image)
    default_storage.delete(storage.original_name(images[3].sha256))
    monkeypatch.setattr(remaking, "CHUNK", 2)
    seen: list[str] = []
    remake = storage.remake

    def dies_at_the_fifth(sha256: str) -> None:
        seen.append(sha256)
        if len(seen) == 5:
            raise MemoryError
        remake(sha256)

    monkeypatch.setattr(storage, "remake", dies_at_the_fifth)
    job = remaking.request_remaking()
    assert job is not None and do(job).state == JobState.FAILED
    again = remaking.request_remaking()
    assert again is not None and again != job
    assert do(again).result == {"remade": 1, "lost": 0}
    assert len(seen) == 6  # what was done stayed done
    assert not Image.objects.filter(rendered__lt=VERSION).exists()
