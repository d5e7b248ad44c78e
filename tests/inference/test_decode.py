from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from inference.photo import BACKDROP, DecodeError
from inference.photo.header import read_header
from inference.photo.pixels import decode_rgb

Encode = Callable[..., bytes]
LIMIT = 1_000_000


def exif_with_orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def code_of(data: bytes, max_pixels: int = LIMIT) -> str:
    with pytest.raises(DecodeError) as caught:
        decode_rgb(data, max_pixels=max_pixels)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_accepted_formats_are_described_and_decoded(format: str, photo: np.ndarray, encode: Encode) -> None:
    data = encode(photo, format)
    info = read_header(data, max_pixels=LIMIT)
    assert (info.format, info.width, info.height, info.orientation) == (format, 80, 60, 1)
    rgb = decode_rgb(data, max_pixels=LIMIT)
    assert rgb.shape == (60, 80, 3) and rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - photo).mean() < 6


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("value", range(1, 9))
def test_every_exif_orientation_is_applied(
    format: str, value: int, photo: np.ndarray, encode: Encode
) -> None:
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[value]
    stored = photo if undo is None else np.asarray(Image.fromarray(photo).transpose(Image.Transpose(undo)))
    data = encode(stored, format, exif=exif_with_orientation(value))
    info = read_header(data, max_pixels=LIMIT)
    assert (info.width, info.height, info.orientation) == (80, 60, value)
    assert np.abs(decode_rgb(data, max_pixels=LIMIT).astype(int) - photo).mean() < 6


def test_text_is_not_an_image() -> None:
    assert code_of(b"hello, this is no photo") == "not_an_image"
    assert code_of(b"") == "not_an_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_off_photo_is_truncated(format: str, share: float, encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, format)
    assert code_of(data[: max(12, int(len(data) * share))]) == "truncated"


def test_too_many_pixels_is_said_before_decoding(photo: np.ndarray, encode: Encode) -> None:
    assert code_of(encode(photo), max_pixels=4799) == "too_many_pixels"
    read_header(encode(photo), max_pixels=4800)


def test_a_decompression_bomb_is_refused_from_its_header() -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    assert code_of(file.getvalue()) == "too_many_pixels"


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_several_pictures_in_one_file_are_refused(format: str, photo: np.ndarray) -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(photo), Image.fromarray(255 - photo)]
    frames[0].save(file, format, save_all=True, append_images=frames[1:])
    assert code_of(file.getvalue()) == "animated"


def test_a_phones_multi_picture_jpeg_is_one_photo(photo: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "MPO", save_all=True, append_images=[Image.fromarray(255 - photo)])
    assert read_header(file.getvalue(), max_pixels=LIMIT).format == "JPEG"
    assert np.abs(decode_rgb(file.getvalue(), max_pixels=LIMIT).astype(int) - photo).mean() < 6


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("block", [b"Exif\x00\x00garbage!", b"Exif\x00\x00II*\x00\xff\xff\x00\x00"])
def test_exif_that_cannot_be_parsed_is_refused(block: bytes, photo: np.ndarray, encode: Encode) -> None:
    assert code_of(encode(photo, "JPEG", exif=block)) == "bad_exif"


def test_sixteen_bit_grey_is_scaled_not_clipped(encode: Encode) -> None:
    wide = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    rgb = decode_rgb(encode(wide), max_pixels=LIMIT)
    assert rgb[0, 0, 0] == 0 and rgb[-1, -1, 0] == 255
    assert abs(int(rgb[32, 0, 1]) - 128) <= 1


def test_grey_becomes_three_equal_channels_and_what_is_see_through_lies_on_the_backdrop(
    encode: Encode,
) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert (decode_rgb(encode(grey), max_pixels=LIMIT) == grey[:, :, None]).all()
    clear = np.zeros((4, 4, 4), dtype=np.uint8)
    assert (decode_rgb(encode(clear), max_pixels=LIMIT) == BACKDROP).all()


def test_a_jpeg_is_decoded_scaled_but_never_below_min_side(encode: Encode) -> None:
    rows, columns = np.mgrid[0:600, 0:800]
    data = encode(np.stack([rows // 4, columns // 4, rows // 4], axis=2).astype(np.uint8), "JPEG")
    rgb = decode_rgb(data, max_pixels=LIMIT, min_side=150)
    assert 150 <= min(rgb.shape[:2]) < 300
    assert abs(rgb.shape[1] / rgb.shape[0] - 4 / 3) < 0.01
    assert decode_rgb(data, max_pixels=LIMIT, min_side=5000).shape == (600, 800, 3)


def test_cmyk_jpeg_is_decoded(photo: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(photo).convert("CMYK").save(file, "JPEG")
    assert decode_rgb(file.getvalue(), max_pixels=LIMIT).shape == (60, 80, 3)


def test_errors_survive_pickling_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DecodeError("truncated", "Send it anew.")))
    assert (error.code, str(error)) == ("truncated", "Send it anew.")


def test_decoding_costs_no_torch() -> None:
    check = "import sys, inference.photo.pixels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
