"""What a photo's bytes mean, whatever the format: which way is up, its colours, its depth, what is see-through."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.photo_files import (
    FORMATS,
    cmyk_profile,
    encoded,
    exif,
    is_upright,
    png,
    seen,
    stored,
    tiff,
    turned,
)
from inference.photo import BACKDROP, LEVELS, DecodeError
from inference.photo.colour import ADOBE_RGB
from inference.photo.header import read_header
from inference.photo.pixels import Pixels, decode_pixels

HEIC = Path(__file__).parent / "heic"
LIMIT = 10**8
#: Colour-managed it is this red; what was shown in its place was (205, 0, 1).
RED = (199, 41, 46)


def decoded(data: bytes, **how: object) -> Pixels:
    pixels = decode_pixels(data, max_pixels=LIMIT, **how)  # type: ignore[arg-type]
    header = read_header(data, max_pixels=LIMIT)
    if not how:
        assert pixels.shape[:2] == (header.height, header.width)
    return pixels


def near(pixels: Pixels, colour: tuple[int, ...], within: int = 2) -> bool:
    return bool(np.abs(pixels.reshape(-1, pixels.shape[2]).astype(int) - colour).max() <= within)


def code_of(data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        decoded(data)
    return caught.value.code


# -- which way is up -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["exif", "long", "xmp"])
@pytest.mark.parametrize("format", [each for each in FORMATS if each != "AVIF"])
def test_all_eight_orientations_are_followed(format: str, by: str) -> None:
    wrong = [each for each in range(1, 9) if not is_upright(decoded(turned(format, each, by)))]
    assert wrong == []


def test_in_avif_its_own_boxes_say_it_and_xmp_does_not() -> None:
    assert all(is_upright(decoded(turned("AVIF", each, "exif"))) for each in range(1, 9))
    assert is_upright(decoded(turned("AVIF", 1, "xmp")))
    only_xmp = encoded(seen(), "AVIF", xmp=b'<x tiff:Orientation="6"/>')
    assert is_upright(decoded(only_xmp))


@pytest.mark.parametrize("by", ["exif", "xmp"])
def test_a_heic_is_turned_once_by_its_boxes(by: str) -> None:
    for each in range(1, 9):
        assert is_upright(decoded((HEIC / f"{by}-{each}.heic").read_bytes()))


def test_what_exif_says_of_a_heic_is_not_asked_and_of_several_pictures_the_primary_counts() -> None:
    assert is_upright(decoded((HEIC / "exif-says-6-boxes-do-not.heic").read_bytes()))
    assert is_upright(decoded((HEIC / "second-is-primary.heic").read_bytes()))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_tiff_is_turned_once(compression: str) -> None:
    image = stored(seen(200, 320), 6)
    assert image.size == (320, 200)
    data = encoded(image, "TIFF", tiffinfo={274: 6}, compression=compression)
    assert is_upright(decoded(data), 200, 320)


def test_exif_is_believed_before_xmp_and_a_zero_in_it_says_nothing() -> None:
    xmp = b'<x tiff:Orientation="6"/>'
    both = encoded(stored(seen(), 3), "JPEG", exif=exif((0x0112, 3, 3)), xmp=xmp)
    assert is_upright(decoded(both))
    unknown = encoded(stored(seen(), 6), "JPEG", exif=exif((0x0112, 3, 0)), xmp=xmp)
    assert is_upright(decoded(unknown))


@pytest.mark.parametrize(
    "xmp",
    [
        b"<tiff:Orientation>6</tiff:Orientation>",
        b"<x tiff:Orientation = '6'/>",
        '<x tiff:Orientation="6"/>'.encode("utf-16"),
    ],
)
def test_every_way_to_write_xmp_is_read(xmp: bytes) -> None:
    for format in ("JPEG", "WEBP"):
        assert is_upright(decoded(encoded(stored(seen(), 6), format, xmp=xmp)))
    assert is_upright(decoded(encoded(stored(seen(), 6), "TIFF", tiffinfo={700: xmp})))


def test_a_png_may_say_it_behind_its_pixels_packed_or_as_imagemagick_did() -> None:
    pixels = np.asarray(stored(seen(), 6))
    block = exif((0x0112, 3, 6)).removeprefix(b"Exif\0\0")
    assert is_upright(decoded(png(pixels, behind=((b"eXIf", block),))))
    packed = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b'<x tiff:Orientation="6"/>')
    assert is_upright(decoded(png(pixels, behind=((b"iTXt", packed),))))
    raw = b"\nexif\n      %d\n" % (len(block) + 6) + (b"Exif\0\0" + block).hex().encode() + b"\n"
    assert is_upright(decoded(png(pixels, (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)))))
    assert code_of(png(pixels, (b"tEXt", b"Raw profile type exif\0\nexif\n 3\nxyz"))) == "bad_exif"


def test_exif_of_zeros_only_is_no_bad_exif() -> None:
    for block in (bytes(40), b"Exif\0\0" + bytes(40), b"Exif\0\0"):
        assert is_upright(decoded(encoded(seen(), "JPEG", exif=block)))
    assert is_upright(decoded(png(np.asarray(seen()), (b"eXIf", bytes(64)))))


def test_damage_behind_the_first_directory_of_exif_is_no_reason_to_lose_a_photo() -> None:
    assert is_upright(
        decoded(encoded(stored(seen(), 8), "JPEG", exif=exif((0x0112, 3, 8), (0x8769, 4, 9999))))
    )


# -- colours -------------------------------------------------------------------------------------------------------


def in_profile(profile: bytes) -> tuple[int, ...]:
    """How RED is written in an RGB profile."""
    change = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile)), "RGB", "RGB"
    )
    return tuple(change.apply(Image.new("RGB", (1, 1), RED)).tobytes())


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_rgb_profile_is_followed(format: str) -> None:
    stored_as = in_profile(ADOBE_RGB)
    assert abs(stored_as[0] - RED[0]) > 15
    data = encoded(Image.new("RGB", (40, 40), stored_as), format, icc_profile=ADOBE_RGB)
    assert near(decoded(data), RED, within=3)


def test_srgb_stays_what_it_is_with_and_without_its_profile() -> None:
    plain = encoded(Image.new("RGB", (40, 40), RED), "PNG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with_profile = encoded(Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)
    for data in (plain, with_profile):
        assert near(decoded(data), RED, within=0)


def test_a_camera_set_to_adobe_rgb_is_believed_without_a_profile() -> None:
    image = Image.new("RGB", (40, 40), in_profile(ADOBE_RGB))
    says_so = exif((0x0112, 3, 1), details=((0xA001, 3, 2),))
    assert near(decoded(encoded(image, "JPEG", exif=says_so)), RED, within=3)
    uncalibrated = exif((0x0112, 3, 1), details=((0xA001, 3, 0xFFFF),))
    assert not near(decoded(encoded(image, "JPEG", exif=uncalibrated)), RED, within=3)
    # The index lies in a directory of its own, which the EXIF directory names.
    block = bytearray(exif(details=((0xA001, 3, 0xFFFF), (0xA005, 4, 0))))
    block += struct.pack("<HHHI4sI", 1, 1, 2, 4, b"R03\0", 0)
    at = block.index(struct.pack("<HHI", 0xA005, 4, 1)) + 8
    block[at : at + 4] = struct.pack("<I", len(block) - 18 - 6)
    assert near(decoded(encoded(image, "JPEG", exif=bytes(block))), RED, within=3)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_with_a_profile_is_colour_managed(format: str) -> None:
    ink = Image.new("CMYK", (40, 40), (50, 255, 254, 0))
    assert near(decoded(encoded(ink, format)), (205, 0, 1), within=1)  # without one: the sum of the inks
    managed = decoded(
        encoded(Image.new("CMYK", (40, 40), (255, 255, 255, 0)), format, icc_profile=cmyk_profile(RED))
    )
    assert near(managed, RED)


def test_a_grey_profile_bends_greys_and_they_stay_grey() -> None:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 256) + bytes(2)  # gamma 1
    start = b"lcms" + bytes.fromhex("02400000") + b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    start += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    table = struct.pack(">I4sII", 1, b"kTRC", 128 + 16, len(curve))
    profile = struct.pack(">I", 128 + len(table) + len(curve)) + start + table + curve
    for format in ("JPEG", "PNG", "TIFF"):
        found = decoded(encoded(Image.new("L", (40, 40), 55), format, icc_profile=profile))
        assert found.shape[2] == 1 and near(found, (128,))  # linear .2140 is 127.5 in sRGB


def test_a_profile_that_does_not_fit_or_is_nonsense_is_no_reason_to_lose_a_photo() -> None:
    for profile in (b"nonsense", cmyk_profile(RED), ADOBE_RGB[:200]):
        assert near(
            decoded(encoded(Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)), RED, within=0
        )


# -- what is see-through -------------------------------------------------------------------------------------------


def test_what_is_see_through_lies_on_one_grey() -> None:
    clear = Image.new("RGBA", (40, 40), (*RED, 0))
    half = Image.new("RGBA", (40, 40), (*RED, 128))
    expected = tuple((value + BACKDROP) // 2 for value in RED)
    for format in ("PNG", "WEBP", "TIFF", "AVIF"):
        assert near(decoded(encoded(clear, format)), (BACKDROP,) * 3, within=1)
        assert near(decoded(encoded(half, format)), expected, within=3)
    grey = decoded(encoded(Image.new("LA", (40, 40), (200, 0)), "PNG"))
    assert grey.shape[2] == 1 and near(grey, (BACKDROP,), within=0)


def test_see_through_colours_of_palettes_and_keys_lie_on_it_too() -> None:
    palette = seen().quantize(8)
    red = palette.getpixel((2, 2))
    pixels = decoded(encoded(palette, "PNG", transparency=red))
    assert near(pixels[:10, :10], (BACKDROP,) * 3, within=0) and not near(pixels[-10:, :10], (BACKDROP,) * 3)
    keyed = decoded(png(np.asarray(seen()), (b"tRNS", struct.pack(">3H", 220, 30, 30))))
    assert near(keyed[:10, :10], (BACKDROP,) * 3, within=0) and near(keyed[30:, 40:], (40, 60, 200), within=0)
    wide = png(np.full((40, 40), 4095, np.uint16), (b"tRNS", struct.pack(">H", 4095)))
    assert near(decoded(wide), (BACKDROP,), within=0)


def test_colours_of_what_is_half_see_through_are_managed_too() -> None:
    image = Image.new("RGBA", (40, 40), (*in_profile(ADOBE_RGB), 255))
    assert near(decoded(encoded(image, "PNG", icc_profile=ADOBE_RGB)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "P", "PA", "LA", "LAB", "YCbCr"])
def test_every_mode_of_a_tiff_or_png_comes_out_as_what_it_shows(mode: str) -> None:
    grey = mode in ("1", "L", "LA")
    image = Image.new("RGB", (40, 40), "white" if grey else RED)
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.buildTransform(srgb, lab, "RGB", "LAB").apply(image)
    elif mode == "PA":
        image = image.convert("P", dither=Image.Dither.NONE).convert("PA")
    elif mode == "P":
        image = image.convert("P", dither=Image.Dither.NONE)
    else:
        image = image.convert(mode)
    format = "TIFF" if mode in ("PA", "LAB", "YCbCr") else "PNG"
    pixels = decoded(encoded(image, format))
    assert near(pixels, (255,) if grey else RED, within=10 if mode in ("P", "PA") else 3)


# -- more than 8 bits ----------------------------------------------------------------------------------------------

RAMP = np.tile(np.arange(4096, dtype=np.uint16), (40, 1))


@pytest.mark.parametrize("make", [png, tiff, lambda values: tiff(values, order=">")])
def test_12_bits_in_a_16_bit_file_fill_all_of_the_8(make: object) -> None:
    pixels = decoded(make(RAMP))[0, :, 0]  # type: ignore[operator]
    assert pixels[0] == 0 and pixels[-1] == 255 and abs(int(pixels[2048]) - 128) <= 1
    assert (np.diff(pixels.astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("levels", "last"),
    [("bits", 255), ("percentiles", 255), ("10", 255), ("12", 255), ("14", 64), ("16", 16)],
)
def test_a_project_says_where_white_lies(levels: str, last: int) -> None:
    assert levels in LEVELS
    assert decoded(png(RAMP), levels=levels)[0, -1, 0] == last


def test_percentiles_leave_a_hot_pixel_out() -> None:
    values = np.tile(np.linspace(1000, 1255, 256).astype(np.uint16), (40, 1))
    values[0, 0] = 65535
    pixels = decoded(png(values), levels="percentiles")[:, :, 0]
    assert pixels[1, 1] <= 2 and pixels[1, -2] >= 253


def test_what_a_png_says_of_its_significant_bits_is_believed() -> None:
    dark = png(np.full((40, 40), 1000, np.uint16), (b"sBIT", b"\x0c"))
    assert decoded(dark)[0, 0, 0] == round(1000 / 4095 * 255)
    assert decoded(png(np.full((40, 40), 1000, np.uint16)))[0, 0, 0] == round(1000 / 1023 * 255)


def test_colour_of_16_bits_keeps_its_lower_ones() -> None:
    colour = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 2048)], axis=2)
    opaque = np.concatenate([colour, np.full((*RAMP.shape, 1), 65535, np.uint16)], axis=2)
    clear = np.concatenate([colour, np.zeros((*RAMP.shape, 1), np.uint16)], axis=2)
    for data in (png(colour), png(opaque), tiff(colour), tiff(colour, order=">"), tiff(opaque)):
        pixels = decoded(data)
        assert near(pixels[:1, :1], (0, 255, 128), within=1) and near(
            pixels[:1, -1:], (255, 0, 128), within=1
        )
        assert near(pixels[:1, 2048:2049], (128, 127, 128), within=1)
    assert near(decoded(png(clear)), (BACKDROP,) * 3, within=0)
    assert near(decoded(png(opaque[:, :, [0, 3]]))[:1, 2048:2049], (128,), within=1)


def test_other_numbers_are_scaled_by_their_own_range_and_what_is_none_is_black() -> None:
    values = np.linspace(-20.0, 80.0, 1600, dtype=np.float32).reshape(40, 40)
    values[5, 5], values[6, 6], values[7, 7] = np.nan, np.inf, -np.inf
    pixels = decoded(tiff(values))[:, :, 0]
    assert (pixels[0, 0], pixels[-1, -1], pixels[5, 5], pixels[6, 6], pixels[7, 7]) == (0, 255, 0, 255, 0)
    assert decoded(tiff(np.full((40, 40), 7.5, np.float32)))[0, 0, 0] == 0
    assert decoded(tiff(RAMP.astype(np.int32)))[0, -1, 0] == 255
    assert decoded(tiff(RAMP.astype(np.int32)), levels="16")[0, -1, 0] == 16


def test_a_photo_of_no_numbers_at_all_is_refused() -> None:
    assert code_of(tiff(np.full((40, 40), np.nan, np.float32))) == "no_values"


def test_white_is_zero_is_turned_about() -> None:
    assert decoded(tiff(RAMP, photometric=0))[0, [0, -1], 0].tolist() == [255, 0]
    assert decoded(tiff((RAMP // 16).astype(np.uint8), photometric=0))[0, [0, -1], 0].tolist() == [255, 0]


# -- sound files ---------------------------------------------------------------------------------------------------


def test_a_sound_png_with_large_texts_and_profiles_is_whole() -> None:
    text = b"Comment\0" + b"x" * 3_000_000
    packed = b"Comment\0\0" + zlib.compress(bytes(200_000_000))
    profile = b"icc\0\0" + zlib.compress(ADOBE_RGB + bytes(6_000_000))
    bomb = b"icc\0\0" + zlib.compress(bytes(200_000_000))
    pixels = np.asarray(seen())
    for chunk in (
        (b"tEXt", text),
        (b"zTXt", packed),
        (b"iTXt", b"c\0\1\0\0\0" + packed[9:]),
        (b"iCCP", bomb),
    ):
        assert is_upright(decoded(png(pixels, chunk)))
        if chunk[0] != b"iCCP":
            assert is_upright(decoded(png(pixels, behind=(chunk,))))
    managed = decoded(png(np.full((40, 40, 3), in_profile(ADOBE_RGB), np.uint8), (b"iCCP", profile)))
    assert near(managed, RED)


def test_a_sound_file_of_an_odd_kind_is_not_called_cut_off() -> None:
    assert code_of(tiff(np.zeros((40, 40), np.float64))) == "unsupported"
    of_12_bits = encoded(seen(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c")
    assert code_of(of_12_bits) == "unsupported"


def test_a_small_tiff_in_one_huge_tile_is_refused_from_its_header() -> None:
    data = tiff(np.asarray(seen()), more=((322, [50_000]), (323, [50_000])))
    with pytest.raises(DecodeError) as caught:
        read_header(data, max_pixels=LIMIT)
    assert caught.value.code == "too_many_pixels"


def test_a_gif_that_came_in_once_is_still_seen_by_both() -> None:
    assert is_upright(decoded(encoded(seen(), "GIF")))


def test_a_much_larger_photo_is_averaged_down_as_far_as_asked_for() -> None:
    data = encoded(seen(960, 640), "PNG")
    small = decode_pixels(data, max_pixels=LIMIT, min_side=32)
    assert small.shape == (64, 96, 3) and is_upright(small)
    assert decode_pixels(data, max_pixels=LIMIT, min_side=400).shape == (640, 960, 3)
