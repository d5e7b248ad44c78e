"""From the bytes of a photo to pixels, within bounds.

``inspect_photo`` says whether a file is one whole photo that we accept, ``decode_rgb`` and ``decode_pixels`` give its
pixels, ``read_header`` looks at the header alone. All decide from the header, before any pixel is allocated, whether
the photo is too large.

Knows nothing of where the bytes came from, of models or of what the photo is for. Imports no torch.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageFile, UnidentifiedImageError

from inference import exif

ErrorCode = Literal["not_an_image", "truncated", "too_many_pixels", "animated", "bad_exif", "unsupported"]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

# (offset, magic) of the formats we accept: what starts like one of them and cannot be opened is damaged.
_ACCEPTED_MAGIC = (
    (0, b"\xff\xd8"),
    (0, b"\x89PNG"),
    (8, b"WEBP"),
    (0, b"BM"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
)
# Photos and documents that people do send and that we do not take.
_OTHER_MAGIC = (
    (0, b"GIF8"),
    (4, b"ftyp"),
    (4, b"jP  "),
    (0, b"8BPS"),
    (0, b"%PDF"),
    (0, b"\x00\x00\x01\x00"),
    (0, b"\xff\x0a"),
    (0, b"<svg"),
    (0, b"P4\n"),
    (0, b"P5\n"),
    (0, b"P6\n"),
)

# EXIF orientation -> whether rows and whether columns are mirrored, after the axes were swapped for 5 and more.
_MIRRORED = {
    1: (False, False),
    2: (False, True),
    3: (True, True),
    4: (True, False),
    5: (False, False),
    6: (False, True),
    7: (True, True),
    8: (True, False),
}


class DecodeError(Exception):
    """A photo that cannot be used. ``code`` is for programs, the message tells a person what to do."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        # Exception's own pickling would call __init__ with the message alone and fail between processes.
        return type(self), (self.code, str(self))


@dataclass(frozen=True)
class PhotoInfo:
    """What a photo is. ``width`` and ``height`` in pixels as a viewer shows it, EXIF orientation applied."""

    format: str
    width: int
    height: int
    mode: str
    orientation: int


def inspect_photo(data: bytes, *, max_pixels: int) -> PhotoInfo:
    """Decode a photo completely, throw the pixels away and say what it is.

    Args:
        data: the file, whole.
        max_pixels: the largest width x height accepted.

    Raises:
        DecodeError: with any of its codes.
    """
    image, turn = _open(data, max_pixels)
    mode = image.mode
    width, height = image.size
    _load(image)
    # Pillow turns a TIFF upright by itself, its size from the header on.
    if turn >= 5 and image.format != "TIFF":
        width, height = height, width
    return PhotoInfo(_format(image), width, height, mode, turn)


def read_header(data: bytes, *, max_pixels: int) -> PhotoInfo:
    """What the header says of a photo; whether its pixels are whole is not known.

    Raises:
        DecodeError: with any of its codes, as far as the header tells.
    """
    image, turn = _open(data, max_pixels)
    width, height = image.size
    if turn >= 5 and image.format != "TIFF":
        width, height = height, width
    return PhotoInfo(_format(image), width, height, image.mode, turn)


def decode_rgb(data: bytes, *, max_pixels: int, min_side: int | None = None) -> npt.NDArray[np.uint8]:
    """Pixels of a photo, upright: (H, W, 3) uint8, sRGB as stored (no colour management).

    Grey becomes three equal channels; 16-bit grey is scaled by its full range (65535 is white), 32-bit and float grey
    by the photo's own range, as nothing says where their white lies; transparency is laid over white.

    Args:
        data: the file, whole.
        max_pixels: the largest width x height accepted, judged before scaling.
        min_side: a JPEG may be decoded at a fraction of its size as long as both sides keep this many pixels
            (the inverse DCT at 1/2, 1/4, ... size: cheaper and already low-pass filtered). Other formats ignore it.

    Raises:
        DecodeError: with any of its codes.
    """
    pixels = decode_pixels(data, max_pixels=max_pixels, min_side=min_side)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def decode_pixels(data: bytes, *, max_pixels: int, min_side: int | None = None) -> npt.NDArray[np.uint8]:
    """As ``decode_rgb``, but plain 8-bit grey stays one channel: (H, W, 1) or (H, W, 3). A third of the work after it."""
    image, turn = _open(data, max_pixels)
    pixels: npt.NDArray[np.uint8] | None = None
    if _format(image) == "JPEG" and image.mode in ("RGB", "L"):
        side = min_side or 0
        try:
            pixels = simplejpeg.decode_jpeg(
                data, "GRAY" if image.mode == "L" else "RGB", min_height=side, min_width=side
            )
        except ValueError:
            # Strict about harmless oddities too (stray bytes before a marker); Pillow has the last word.
            pixels = None
    if pixels is None:
        if min_side is not None and _format(image) == "JPEG":
            image.draft(image.mode, (min_side, min_side))
        _load(image)
        grey = image.mode == "L" and "transparency" not in image.info
        pixels = np.asarray(image if grey else _to_rgb(image))
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    return pixels if turn == 1 or image.format == "TIFF" else turn_upright(pixels, turn)


def turn_upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Undo an EXIF orientation of 2 to 8: (H, W, C) as stored to (H', W', C) as a viewer shows it."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = _MIRRORED[orientation]
    return np.ascontiguousarray(pixels[:: -1 if rows else 1, :: -1 if columns else 1])


def _open(data: bytes, max_pixels: int) -> tuple[ImageFile.ImageFile, int]:
    """The photo with its header read and judged, and its EXIF orientation."""
    # A global that any library may have switched on; a truncated photo must never pass as a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    too_many = DecodeError(
        "too_many_pixels", f"The photo has more than {max_pixels:,} pixels. Send a smaller version of it."
    )
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except Exception as error:  # Pillow's plugins raise what they like on damaged headers
        raise _truncated() from error
    if image.width * image.height > max_pixels:
        raise too_many
    try:
        # An MPO is what many phones write: a JPEG with further pictures (depth, gain map) behind it. One photo.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Exception as error:
        raise _truncated() from error
    if frames > 1:
        raise DecodeError(
            "animated", f"The file holds {frames} pictures or pages. Send each one as a photo of its own."
        )
    return image, _orientation(image)


def _orientation(image: ImageFile.ImageFile) -> int:
    block = image.info.get("exif")
    try:
        if isinstance(block, bytes):
            return exif.orientation(block)
        if _format(image) == "TIFF":
            value = image.getexif().get(0x0112, 1)
            return int(value) if 1 <= int(value) <= 8 else 1
    except Exception as error:
        raise DecodeError(
            "bad_exif",
            f"The photo's EXIF data cannot be read ({error}). Export the photo again, or remove its EXIF.",
        ) from error
    return 1


def _format(image: ImageFile.ImageFile) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def _load(image: ImageFile.ImageFile) -> None:
    try:
        image.load()
    except (Image.DecompressionBombError, MemoryError) as error:
        raise DecodeError(
            "too_many_pixels", "The photo unpacks to too much data. Send a smaller version."
        ) from error
    except Exception as error:  # OSError, SyntaxError, struct.error, zlib.error ... by plugin
        raise _truncated() from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        if image.mode == "I" and low >= 0 and high <= 255:
            low, high = 0.0, 255.0
        scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
        return Image.fromarray(np.rint(scaled).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")


def _truncated() -> DecodeError:
    return DecodeError(
        "truncated", "The photo is cut off or damaged. Copy it again from the camera and send it anew."
    )


def _unidentified(data: bytes) -> DecodeError:
    if any(data[at : at + len(magic)] == magic for at, magic in _ACCEPTED_MAGIC):
        return _truncated()
    if any(data[at : at + len(magic)] == magic for at, magic in _OTHER_MAGIC):
        return DecodeError(
            "unsupported", f"This kind of file is not taken. Convert it to one of: {', '.join(FORMATS)}."
        )
    return DecodeError("not_an_image", f"The file is not a photo. Send one of: {', '.join(FORMATS)}.")
