"""A photo's renditions: for members of a project that holds it only, and cacheable for ever."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image as Pillow

from labeling.catalog import services, storage
from labeling.catalog.models import Image, Project
from labeling.catalog.selectors import photo_urls
from labeling.people.models import User
from tests.factories import make_member, make_project, make_user, photo_bytes

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def photo_in(project: Project, seed: int = 1, size: tuple[int, int] = (800, 600)) -> Image:
    image, _created = services.add_image(data=photo_bytes(seed, size=size, format="JPEG"))
    services.add_items(project=project, images=[(image, "a.jpg")], source="test")
    return image


@pytest.mark.parametrize("role", ["labeler", "reviewer", "admin"])
@pytest.mark.parametrize(("variant", "size"), [("screen", (800, 600)), ("thumb", (320, 240))])
def test_a_member_gets_the_rendition_and_may_keep_it_for_ever(
    role: str, variant: str, size: tuple[int, int]
) -> None:
    project = make_project()
    image = photo_in(project)
    response = signed_in(make_member(project, role)).get(photo_urls(image)[variant])
    assert response.status_code == 200 and response["Content-Type"] == "image/webp"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff" and response["ETag"]
    shown = Pillow.open(io.BytesIO(response.content))
    assert shown.size == size and shown.format == "WEBP"


def test_strangers_and_the_signed_out_get_404_like_for_a_photo_that_is_not_there() -> None:
    project, other = make_project(), make_project()
    url = photo_urls(photo_in(project))["thumb"]
    for client in (
        Client(),
        signed_in(make_user()),
        signed_in(make_member(other)),
        signed_in(other.created_by),
    ):
        assert client.get(url).status_code == 404
    assert signed_in(make_member(project)).get(url.replace(url[8:20], "0" * 12)).status_code == 404


def test_who_left_the_project_or_was_switched_off_sees_nothing_any_more() -> None:
    project = make_project()
    url = photo_urls(photo_in(project))["thumb"]
    member = make_member(project)
    client = signed_in(member)
    assert client.get(url).status_code == 200
    services.remove_member(project=project, user=member, by=project.created_by)
    assert client.get(url).status_code == 404
    second = make_member(project)
    client = signed_in(second)
    second.is_active = False
    second.save()
    assert client.get(url).status_code == 404


def test_a_photo_of_an_archived_project_is_shown_to_nobody() -> None:
    project = make_project()
    url = photo_urls(photo_in(project))["thumb"]
    services.archive_project(project=project, by=project.created_by)
    assert signed_in(make_member(project)).get(url).status_code == 404
    assert signed_in(make_user(is_superuser=True)).get(url).status_code == 404


def test_a_photo_shared_by_two_projects_is_seen_by_members_of_either() -> None:
    one, two = make_project(), make_project()
    image = photo_in(one)
    services.add_items(project=two, images=[(image, "b.jpg")], source="test")
    for project in (one, two):
        assert signed_in(make_member(project)).get(photo_urls(image)["thumb"]).status_code == 200


def test_an_exemplar_is_seen_by_members_even_when_the_project_does_not_hold_it_any_more() -> None:
    project = make_project()
    image = photo_in(project)
    services.amend_guideline(
        project=project, by=project.created_by, note="n", exemplars={"defective": [image.sha256]}
    )
    project.items.all().delete()
    assert signed_in(make_member(project)).get(photo_urls(image)["thumb"]).status_code == 200
    assert signed_in(make_user()).get(photo_urls(image)["thumb"]).status_code == 404


def test_a_superuser_sees_the_photos_of_every_project() -> None:
    image = photo_in(make_project())
    assert signed_in(make_user(is_superuser=True)).get(photo_urls(image)["screen"]).status_code == 200


def test_a_known_photo_is_answered_with_304_and_no_bytes_but_only_to_members() -> None:
    project = make_project()
    url = photo_urls(photo_in(project))["screen"]
    client = signed_in(make_member(project))
    etag = client.get(url)["ETag"]
    again = client.get(url, headers={"if-none-match": etag})
    assert again.status_code == 304 and again.content == b"" and "immutable" in again["Cache-Control"]
    assert signed_in(make_user()).get(url, headers={"if-none-match": etag}).status_code == 404


def test_a_lost_rendition_is_made_again(tmp_path: Path) -> None:
    project = make_project()
    image = photo_in(project)
    before = storage.rendition(image, "screen")
    path = Path(settings.STORAGES["default"]["OPTIONS"]["location"]) / storage.rendition_name(
        image.sha256, "screen"
    )
    path.unlink()
    client = signed_in(make_member(project))
    assert client.get(photo_urls(image)["screen"]).content == before and path.exists()


def test_a_photo_whose_file_is_gone_altogether_is_404_and_no_error() -> None:
    project = make_project()
    image = photo_in(project)
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    for name in (storage.original_name(image.sha256), storage.rendition_name(image.sha256, "thumb")):
        (root / name).unlink()
    assert signed_in(make_member(project)).get(photo_urls(image)["thumb"]).status_code == 404


@pytest.mark.parametrize(
    "path", ["/photos/{0}/original.webp", "/photos/{0}/screen.png", "/photos/..%2f{0}/screen.webp"]
)
def test_originals_and_other_variants_have_no_address(path: str) -> None:
    project = make_project()
    image = photo_in(project)
    assert signed_in(project.created_by).get(path.format(image.sha256)).status_code == 404


def test_serving_a_photo_costs_three_queries(django_assert_num_queries: object) -> None:
    project = make_project()
    url = photo_urls(photo_in(project))["screen"]
    client = signed_in(make_member(project))
    with django_assert_num_queries(3):  # type: ignore[operator]  # session, person, permission
        assert client.get(url).status_code == 200


def test_a_half_written_file_never_appears_under_a_photos_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="no space"):
        services.add_image(data=photo_bytes(1))
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    assert not [path for path in root.rglob("*") if path.is_file()] and not Image.objects.exists()
