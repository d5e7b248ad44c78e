"""People's pixels are the model's: what a project's pages show, decoded again, is what its backbone is given."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from benchmarks.photo_files import encoded, exif, png, stored, tiff
from inference import backbones
from inference.backbones.preprocessing import Preprocessing
from inference.photo import LEVELS
from inference.photo.colour import ADOBE_RGB
from inference.photo.pixels import decode_pixels
from labeling.catalog import services, storage
from labeling.catalog.models import Project
from labeling.catalog.photos import examine
from labeling.catalog.services import update_settings
from tests.factories import make_project

SIDE = 48


@st.composite
def files(draw: Any) -> bytes:
    """A square photo of noise, small enough that people get every pixel of it, in any format, depth, turn and profile."""
    seed = draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["wide", "JPEG", "PNG", "WEBP", "TIFF", "AVIF"]))
    if kind == "wide":
        bands = draw(st.sampled_from([(), (2,), (3,), (4,)]))
        values = rng.integers(
            0, draw(st.sampled_from([200, 4096, 65536])), (SIDE, SIDE, *bands), dtype=np.uint16
        )
        return png(values) if bands == (2,) or draw(st.booleans()) else tiff(values)
    mode = draw(st.sampled_from(["RGB", "L"] if kind in ("JPEG", "AVIF") else ["RGB", "RGBA", "L"]))
    bands = len(Pillow.new(mode, (1, 1)).getbands())
    pixels = rng.integers(0, 256, (SIDE, SIDE, bands), dtype=np.uint8)
    image = stored(Pillow.fromarray(pixels[:, :, 0] if bands == 1 else pixels), draw(st.integers(1, 8)))
    turn = draw(st.integers(1, 8))
    how = {"tiffinfo": {274: turn}} if kind == "TIFF" else {"exif": exif((274, 3, turn))}
    if mode != "L" and draw(st.booleans()):
        how["icc_profile"] = ADOBE_RGB
    return encoded(image, kind, **how)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=files(), levels=st.sampled_from(LEVELS))
def test_what_people_are_shown_is_what_the_model_is_given(data: bytes, levels: Any) -> None:
    shown = Pillow.open(io.BytesIO(examine(data, levels).renditions["screen"])).convert("RGB")
    # A network of just this size: nothing is left to the resize.
    eye = Preprocessing(resize=SIDE, size=SIDE, levels=levels)
    photo = decode_pixels(data, max_pixels=10**6, min_side=eye.min_side, levels=eye.levels)
    (given_to_model,) = eye.pixels(photo)
    assert (np.asarray(shown).astype(int) == given_to_model).all()


RAMP = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (64, 1))


@pytest.mark.django_db
def test_a_projects_levels_are_in_the_addresses_of_its_photos_and_in_what_lies_there(client: Client) -> None:
    one, other = make_project(), make_project()
    image, _created = services.add_image(data=png(RAMP))
    for project in (one, other):
        services.add_items(project=project, images=[(image, "ramp.png")], source="")
    update_settings(project=other, by=other.created_by, levels="16")
    lightest = {}
    for project in (one, other):
        client.force_login(project.created_by)
        page = client.get(f"/p/{project.slug}/photos").content.decode()
        (address,) = {part for part in page.split('"') if part.endswith("/screen.webp")}
        shown = Pillow.open(io.BytesIO(client.get(address).content))
        listed = client.get(f"/api/v1/projects/{project.slug}/items").json()["results"]
        assert listed[0]["screen"] == address
        lightest[address] = shown.convert("L").getextrema()[1]
        by_api = client.get(f"/api/v1/projects/{project.slug}/photos/{image.sha256}/screen.webp")
        assert Pillow.open(io.BytesIO(by_api.content)).convert("L").getextrema()[1] == lightest[address]
    assert sorted(lightest.values()) == [16, 255]
    assert client.get(f"/photos/{image.sha256}/v2-11/screen.webp").status_code == 404


@pytest.mark.django_db
def test_other_levels_are_another_backbone_and_other_renditions() -> None:
    project = make_project(levels="14", backbone="efficientnet_lite0")
    name = Project.objects.get(pk=project.pk).backbone_name
    assert backbones.load(name).preprocessing.levels == project.decoded_with == "14"
    assert backbones.load(name).content_hash != backbones.load("efficientnet_lite0").content_hash
    image, _created = services.add_image(data=png(RAMP))
    assert not storage.is_whole(image.sha256, "14") and storage.is_whole(image.sha256)
    assert Pillow.open(io.BytesIO(storage.rendition(image, "thumb", "14"))).convert("L").getextrema() == (
        0,
        64,
    )
    assert storage.is_whole(image.sha256, "14")
