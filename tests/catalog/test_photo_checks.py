"""What the decode check lets in, and why it refuses the rest."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image as Pillow
from pytest_django import Settings

from inference.photo import header
from labeling.catalog import photos
from labeling.catalog.photos import ADVICE, PhotoRefused, advice, examine
from tests.factories import photo_bytes


def encode(image: Pillow.Image, format: str, **save: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **save)
    return buffer.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(PhotoRefused) as caught:
        examine(data)
    assert caught.value.message == advice(caught.value.code)
    return caught.value.code


def test_text_is_not_an_image() -> None:
    assert refusal(b"hello, this is a shopping list" * 20) == "not_an_image"


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "empty"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_photo_cut_in_half_is_truncated(format: str) -> None:
    data = photo_bytes(1, size=(200, 160), format=format)
    assert refusal(data[: len(data) // 2]) == "truncated"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_whole_photo_comes_in(format: str) -> None:
    photo = examine(photo_bytes(1, size=(200, 160), format=format))
    assert (photo.format, photo.width, photo.height) == (format, 200, 160)


def test_more_bytes_than_the_bound_are_too_large(settings: Settings) -> None:
    data = photo_bytes(1)
    settings.INTAKE_MAX_BYTES = len(data) - 1
    assert refusal(data) == "too_large"
    settings.INTAKE_MAX_BYTES = len(data)
    assert examine(data).size == len(data)


def test_more_pixels_than_the_bound_are_refused_from_the_header_alone(settings: Settings) -> None:
    settings.INTAKE_MAX_PIXELS = 96 * 80 - 1
    data = photo_bytes(1)
    # Cut off behind the header: had it been decoded, it would have been "truncated".
    assert refusal(data[:200]) == "too_many_pixels"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_pictures_in_one_file_are_animated(format: str) -> None:
    frames = [Pillow.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    assert refusal(encode(frames[0], format, save_all=True, append_images=frames[1:])) == "animated"


def test_a_gif_that_does_not_move_is_refused_too_but_older_ones_can_still_be_shown() -> None:
    data = photo_bytes(1, size=(200, 160), format="GIF")
    assert refusal(data) == "gif"
    assert set(photos.render(data)) == {"screen", "thumb"}


@pytest.mark.parametrize(("width", "height"), [(1, 1), (31, 400), (400, 31), (1, 4000)])
def test_a_photo_below_the_least_side_is_refused_from_the_header_alone(width: int, height: int) -> None:
    data = encode(Pillow.new("RGB", (width, height)), "PNG")
    assert refusal(data) == "too_small"
    assert refusal(data[:50]) == "too_small"


def test_the_least_side_is_a_setting_and_is_said(settings: Settings) -> None:
    data = photo_bytes(1)
    settings.INTAKE_MIN_SIDE = 80
    assert examine(data).height == 80
    settings.INTAKE_MIN_SIDE = 81
    assert refusal(data) == "too_small"
    assert "81 pixels" in advice("too_small")


@pytest.mark.parametrize(
    ("brands", "code"),
    [
        ([b"heic", b"mif1", b"heic"], "truncated"),
        ([b"mif1", b"mif1", b"heix"], "truncated"),
        ([b"avif", b"mif1", b"miaf"], "truncated"),
        ([b"mif1", b"avif"], "truncated"),
        ([b"avis", b"msf1"], "animated"),
        ([b"hevc", b"msf1"], "animated"),
        ([b"isom", b"mp42"], "unsupported"),
    ],
)
def test_what_a_file_names_itself_decides_what_is_said_of_a_broken_one(
    brands: list[bytes], code: str
) -> None:
    box = b"ftyp" + brands[0] + b"\x00\x00\x00\x00" + b"".join(brands[1:])
    data = (len(box) + 4).to_bytes(4) + box + b"\x00" * 500
    assert refusal(data) == code


@pytest.mark.parametrize(("brand", "code"), [(b"heic", "heic"), (b"avif", "avif")])
def test_a_machine_that_cannot_read_a_phones_format_says_what_to_convert_to(
    brand: bytes, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header, "FORMATS", ["JPEG", "PNG"])
    assert refusal(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + b"\0" * 500) == code
    assert "JPEG" in advice(code)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
def test_exif_that_cannot_be_read_is_refused() -> None:
    for block in (
        b"Exif\x00\x00nonsense",
        b"Exif\x00\x00II*\x00\xff\xff\xff\x7f\x00\x00",
        b"Exif\x00\x00MM\x00*",
    ):
        assert refusal(photo_bytes(1, format="JPEG", exif=block)) == "bad_exif"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_exif_whose_directory_runs_past_its_end_is_refused() -> None:
    block = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\x00" + b"\x00" * 24
    assert refusal(photo_bytes(1, format="JPEG", exif=block)) == "bad_exif"


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x18ftypqt  \x00\x00\x00\x00",
        b"8BPS\x00\x01",
        b"%PDF-1.7",
        b'<?xml version="1.0"?><svg ',
    ],
)
def test_other_picture_formats_are_unsupported_and_not_called_no_image(head: bytes) -> None:
    assert refusal(head + b"\x00" * 500) == "unsupported"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation: int) -> None:
    # Top left red, as a person sees it; stored turned as the camera would.
    seen = Pillow.new("RGB", (120, 80), "blue")
    seen.paste("red", (0, 0, 60, 40))
    undo = {
        1: None,
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]
    stored = seen if undo is None else seen.transpose(undo)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    photo = examine(encode(stored, "JPEG", quality=95, exif=exif))
    assert (photo.width, photo.height) == (120, 80)
    screen = Pillow.open(io.BytesIO(photo.renditions["screen"])).convert("RGB")
    assert screen.size == (120, 80)
    red, _green, blue = screen.getpixel((20, 15))  # type: ignore[misc]
    assert red > 200 and blue < 60
    red, _green, blue = screen.getpixel((100, 15))  # type: ignore[misc]
    assert blue > 200 and red < 60


def test_renditions_fit_their_bounds_and_carry_no_metadata() -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    data = encode(Pillow.new("RGB", (4000, 1000), "olive"), "JPEG", exif=exif, comment=b"private")
    photo = examine(data)
    assert (photo.width, photo.height) == (4000, 1000)
    for variant, longest in (("screen", 1600), ("thumb", 320)):
        rendition = Pillow.open(io.BytesIO(photo.renditions[variant]))
        assert rendition.format == "WEBP" and rendition.size == (longest, longest // 4)
        assert not rendition.getexif() and "exif" not in rendition.info
        assert b"SecretCamera" not in photo.renditions[variant]


def test_a_huge_jpeg_decoded_at_a_smaller_scale_keeps_its_picture() -> None:
    image = Pillow.new("RGB", (6400, 3200), "white")
    image.paste("black", (3200, 0, 6400, 3200))
    photo = examine(encode(image, "JPEG"))
    screen = Pillow.open(io.BytesIO(photo.renditions["screen"])).convert("L")
    assert screen.size == (1600, 800)
    assert screen.getpixel((400, 400)) > 250 and screen.getpixel((1200, 400)) < 5  # type: ignore[operator]


def test_brightness_and_sharpness_are_measured() -> None:
    dark = examine(encode(Pillow.new("L", (64, 64), 10), "PNG"))
    assert dark.brightness == pytest.approx(10) and dark.sharpness == pytest.approx(0)
    pattern = np.indices((64, 64)).sum(axis=0) % 2 * 255
    checked = examine(encode(Pillow.fromarray(pattern.astype(np.uint8)), "PNG"))
    assert checked.brightness == pytest.approx(127.5) and checked.sharpness == pytest.approx(
        1020**2, rel=0.01
    )


def test_sixteen_bit_greys_keep_their_tones() -> None:
    ramp = np.full((40, 40), 32768, dtype=np.uint16)
    assert examine(encode(Pillow.fromarray(ramp), "PNG")).brightness == pytest.approx(128, abs=1)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_unusual_pixel_modes_come_in(mode: str) -> None:
    format = "JPEG" if mode == "CMYK" else "PNG"
    assert examine(encode(Pillow.new("RGB", (50, 40), "teal").convert(mode), format)).width == 50


def test_when_the_photo_was_taken_is_read_from_exif() -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:03:04 05:06:07"
    assert examine(photo_bytes(1, format="JPEG", exif=exif.tobytes())).taken_at == datetime(
        2026, 3, 4, 5, 6, 7, tzinfo=UTC
    )
    exif.get_ifd(0x8769)[0x9011] = "+09:00"
    taken = examine(photo_bytes(1, format="JPEG", exif=exif.tobytes())).taken_at
    assert taken == datetime(2026, 3, 3, 20, 6, 7, tzinfo=UTC)
    exif.get_ifd(0x8769)[0x9003] = "yesterday"
    assert examine(photo_bytes(1, format="JPEG", exif=exif.tobytes())).taken_at is None


def test_every_refusal_says_what_to_do() -> None:
    for code in ADVICE:
        assert len(advice(code)) > 20 and "%(" not in advice(code)


def test_renditions_can_be_made_again_and_are_the_same() -> None:
    data = photo_bytes(3, size=(500, 400), format="JPEG")
    assert photos.render(data) == examine(data).renditions
