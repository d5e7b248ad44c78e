"""What a photo's header says, before a pixel is decoded: what it is, how large, which way is up, what its colours mean.

Loads Pillow and no arrays, as the web process asks here too. Nothing trusts the bytes: formats are named, sizes are judged
before anything is allocated for them.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFile, UnidentifiedImageError, features

from inference.photo import DecodeError, ErrorCode, exif, png
from inference.photo.colour import ADOBE_RGB

#: What is opened. JPEG includes MPO, which some phones write: a JPEG with further pictures behind it; the first one
#: counts. Of several pictures in a HEIC it is the primary one. GIF came in once, and is still shown.
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"]
if features.check("avif"):
    FORMATS.append("AVIF")
with contextlib.suppress(ImportError):
    import pi_heif

    # Photos are decoded in threads already.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    FORMATS.append("HEIF")

#: The bound on pixels is the caller's and is judged here; Pillow's own would only warn, through a global.
Image.MAX_IMAGE_PIXELS = None

#: Of these several pictures in one file are no series, and one of them is the photo.
_ONE_OF_SEVERAL = ("MPO", "HEIF")
#: Major and compatible brands in a file's ``ftyp`` box (ISO/IEC 23000-22, annex on brands; AV1 Image File Format).
_SERIES = (b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs")
_BRANDS: dict[ErrorCode, tuple[bytes, ...]] = {
    "avif": (b"avif", b"avis"),
    "heic": (b"heic", b"heix", b"heim", b"heis", b"mif1", *_SERIES[1:]),
}
# What starts like one of ours and cannot be opened is damaged.
_OURS = (
    (0, b"\xff\xd8"),
    (0, b"\x89PNG"),
    (8, b"WEBP"),
    (0, b"BM"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (0, b"GIF8"),
)
# Photos and documents that people do send: JPEG 2000, PSD, PDF, icons, JPEG XL, raw photos, portable maps.
_OTHERS = (
    b"8BPS", b"%PDF", b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51", b"\x00\x00\x01\x00", b"FUJIFILMCCD-RAW",
    b"IIRO", b"IIU\x00", b"\xff\x0a", b"\x00\x00\x00\x0cJXL ", b"P4\n", b"P5\n", b"P6\n",
)  # fmt: skip

# The start of a JPEG's frame (ITU-T T.81, B.2.2), with a precision other than 8.
_OTHER_DEPTH = re.compile(rb"\xff[\xc0-\xc3]\x00[\x08-\x20][^\x08]", re.DOTALL)
#: Tags of TIFF files.
_TILE_WIDTH, _TILE_LENGTH, _WIDTH, _LENGTH, _PHOTOMETRIC, _XMP = 322, 323, 256, 257, 262, 700


@dataclass(frozen=True, slots=True)
class Header:
    """A photo that was opened and not decoded.

    Attributes:
        data: the file, as decoders are to see it.
        image: Pillow's, to be decoded once.
        format: "JPEG" also for a multi-picture one.
        width, height: pixels, the right way up.
        orientation: 1 to 8 as in EXIF, what the file says; 1 for HEIC, whose decoder obeys the file by itself.
        turn: the orientation that decoded pixels still have.
        tags: of EXIF.
        profile: ICC, or empty: sRGB.
        significant_bits: a channel, as far as the file says so; else 0.
        white_is_zero: of more than 8 bits of grey, where Pillow leaves it so.
    """

    data: bytes
    image: ImageFile.ImageFile
    format: str
    width: int
    height: int
    orientation: int
    turn: int
    tags: exif.Tags
    profile: bytes
    significant_bits: int
    white_is_zero: bool

    @property
    def pixels(self) -> int:
        return self.width * self.height


def read_header(data: bytes, *, max_pixels: int) -> Header:
    """What the header says of a photo; whether its pixels are whole is not known.

    Args:
        data: the file, whole.
        max_pixels: the largest width x height accepted.

    Raises:
        DecodeError: with any of its codes, as far as the header tells.
    """
    # A global that any library may have switched on; a truncated photo must never pass as a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    chunks = png.taken_apart(data) if data.startswith(png.SIGNATURE) else png.Chunks(data)
    image = _opened(chunks.file, max_pixels)
    tags, orientation = _tags(image, chunks)
    turn, (width, height) = orientation, image.size
    if image.format == "TIFF":
        # Pillow turns a TIFF by itself, its size in the header by some of what it obeys.
        width, height = image.tag_v2[_WIDTH], image.tag_v2[_LENGTH]  # type: ignore[attr-defined]
        turn = 1 if image.getexif().get(exif.ORIENTATION, 1) != 1 else orientation
    if orientation >= 5:
        width, height = height, width
    profile = chunks.profile or image.info.get("icc_profile") or b""
    if not profile and exif.is_adobe_rgb(tags):
        profile = ADOBE_RGB
    return Header(
        data=chunks.file,
        image=image,
        format="JPEG" if image.format == "MPO" else str(image.format),
        width=width,
        height=height,
        orientation=orientation,
        turn=turn,
        tags=tags,
        profile=profile,
        significant_bits=chunks.significant_bits,
        white_is_zero=image.mode == "I;16" and tags.get(_PHOTOMETRIC) == 0,
    )


def _opened(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    too_many = DecodeError(
        "too_many_pixels", f"The photo has more than {max_pixels:,} pixels. Send a smaller version of it."
    )
    brands = _brands(data)
    if brands[:1] and brands[0] in _SERIES:
        raise _animated()
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unidentified(data, brands) from error
    except Exception as error:  # Pillow's plugins raise what they like on damaged headers
        raise truncated() from error
    if image.width * image.height > max_pixels:
        raise too_many
    if image.format == "TIFF":
        tile = [image.tag_v2.get(tag, 1) for tag in (_TILE_WIDTH, _TILE_LENGTH)]  # type: ignore[attr-defined]
        if not all(isinstance(side, int) for side in tile) or tile[0] * tile[1] > max_pixels:
            raise too_many  # a tile is unpacked as a whole, however little of it is the photo
    try:
        if image.format not in _ONE_OF_SEVERAL and getattr(image, "n_frames", 1) > 1:
            raise _animated()
    except DecodeError:
        raise
    except Exception as error:
        raise truncated() from error
    return image


def _tags(image: ImageFile.ImageFile, chunks: png.Chunks) -> tuple[exif.Tags, int]:
    """EXIF's tags, and the orientation, 1 to 8, that the file asks its decoder for."""
    block: Any = chunks.exif or image.info.get("exif") or b""
    xmp: Any = chunks.xmp or image.info.get("xmp") or b""
    try:
        if image.format != "TIFF":
            tags = exif.read(block if isinstance(block, bytes) else b"")
        else:
            directory = image.tag_v2  # type: ignore[attr-defined]
            is_big = chunks.file[2:4] in (b"\x2b\x00", b"\x00\x2b")
            tags = dict(directory) if is_big else exif.read(chunks.file)
            xmp = directory.get(_XMP, b"")
    except exif.BadExif as error:
        raise DecodeError(
            "bad_exif",
            f"The photo's EXIF data cannot be read ({error}). Export the photo again, or remove its EXIF.",
        ) from error
    if image.format == "HEIF":
        return tags, 1
    if image.format == "AVIF":  # Pillow puts what the file's own boxes say there, and XMP has no say
        xmp = b""
    return tags, exif.orientation(tags, xmp if isinstance(xmp, bytes) else b"")


def _brands(data: bytes) -> list[bytes]:
    """Of a file with an ``ftyp`` box, the major one first; of others none."""
    head = data[:256]
    if head[4:8] != b"ftyp":
        return []
    size = min(int.from_bytes(head[:4]), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]


def _animated() -> DecodeError:
    return DecodeError("animated", "The file holds several pictures. Send each one as a photo of its own.")


def truncated() -> DecodeError:
    return DecodeError(
        "truncated", "The photo is cut off or damaged. Copy it again from the camera and send it anew."
    )


def _unidentified(data: bytes, brands: list[bytes]) -> DecodeError:
    # AVIF names itself beside the common brand "mif1", so it is looked for first.
    for code, known in _BRANDS.items():
        if set(known) & set(brands):
            if {"avif": "AVIF", "heic": "HEIF"}[code] in FORMATS:
                return truncated()
            return DecodeError(code, f"{code.upper()} cannot be read on this machine. Send a JPEG or PNG.")
    if any(data[at : at + len(magic)] == magic for at, magic in _OURS) and not _is_odd(data):
        return truncated()
    if brands or _is_odd(data) or data.startswith(_OTHERS) or b"<svg" in data[:256].lower():
        return DecodeError(
            "unsupported", f"This kind of file is not taken. Convert it to one of: {', '.join(FORMATS)}."
        )
    return DecodeError("not_an_image", f"The file is not a photo. Send one of: {', '.join(FORMATS)}.")


def _is_odd(data: bytes) -> bool:
    """Whether a TIFF's directory is whole, or a JPEG says that it has not 8 bits: sound, with pixels that cannot be read."""
    if data[:2] == b"\xff\xd8":
        return _OTHER_DEPTH.search(data, 0, 1 << 16) is not None
    try:
        return data[:2] in (b"II", b"MM") and _WIDTH in exif.read(data)
    except exif.BadExif:
        return False
