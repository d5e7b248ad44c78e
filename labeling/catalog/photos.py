"""Looks at the bytes of one photo: may it come in, how large is it the right way up, how bright, how sharp.

Knows pixels and bounds; knows no project, no database and no storage. Nothing here trusts the bytes: formats
are named, sizes are read from the header and refused before a pixel is decoded.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from labeling.refusals import Refused

#: The bound on pixels is ours (INTAKE_MAX_PIXELS) and is checked on the header; Pillow's own would only warn.
Pillow.MAX_IMAGE_PIXELS = None

#: What is opened. JPEG includes MPO, which some phones write: a JPEG with further pictures behind it; the first one
#: counts. GIF is opened only to say whether it moves, and to show those that came in before it was refused.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
#: variant -> (longest side in pixels, WebP quality)
VARIANTS: dict[str, tuple[int, int]] = {"screen": (1600, 88), "thumb": (320, 80)}
#: What is behind a see-through pixel: the neutral grey against which photos are judged.
BACKDROP = (119, 119, 119)

_ORIENTATION, _EXIF_IFD, _TAKEN, _TAKEN_OFFSET = 0x0112, 0x8769, 0x9003, 0x9011

#: Refusal code -> what happened and what to do. ``%(bytes)s``, ``%(pixels)s`` and ``%(side)s`` are the bounds in force.
ADVICE: dict[str, str | Promise] = {
    "not_an_image": gettext_lazy("This is not a photo. Choose a JPEG, PNG, WebP, TIFF or BMP file."),
    "unsupported": gettext_lazy(
        "This kind of photo cannot be read here. Save it as JPEG or PNG and try again."
    ),
    "heic": gettext_lazy(
        "This is a HEIC photo, as iPhones take them; it cannot be read here. Export it as JPEG, or set the phone's "
        "camera format to “Most compatible”, and try again."
    ),
    "avif": gettext_lazy(
        "This is an AVIF photo; it cannot be read here. Save it as JPEG or PNG and try again."
    ),
    "gif": gettext_lazy(
        "This is a GIF, which keeps 256 colours at most. Send the photo it was made from, as JPEG or PNG."
    ),
    "too_small": gettext_lazy(
        "The photo has fewer than %(side)s pixels on one side. Send the photo itself, not a thumbnail or an icon."
    ),
    "truncated": gettext_lazy("The file is cut off or damaged. Copy it again from where it came from."),
    "too_large": gettext_lazy("The file is larger than %(bytes)s. Save a smaller version and try again."),
    "too_many_pixels": gettext_lazy(
        "The photo has more than %(pixels)s million pixels. Make it smaller and try again."
    ),
    "animated": gettext_lazy("The file holds several pictures. Save the one that counts on its own."),
    "bad_exif": gettext_lazy(
        "The photo's EXIF data cannot be read, so it is unknown which way is up. "
        "Save the photo again without it and try again."
    ),
    "empty": gettext_lazy("The file is empty. Copy it again from where it came from."),
    "missing": gettext_lazy("The file was gone when its turn came. Put it back and take it in again."),
    "encrypted": gettext_lazy("The archive protects this file by a password. Pack it again without one."),
    "unsafe_path": gettext_lazy(
        "The file's path points outside its folder or archive. Put a plain copy of the file there."
    ),
    "discarded": gettext_lazy(
        "An admin gave up the rest of this intake. Take the file in again if you need it."
    ),
}


class PhotoRefused(Refused):
    """These bytes cannot come in. ``code`` is a key of :data:`ADVICE`, the message says what to do."""

    def __init__(self, code: str) -> None:
        super().__init__(code, advice(code), status=413 if code == "too_large" else 422)


@dataclass(frozen=True, slots=True)
class Photo:
    """What is known of an accepted photo, and its renditions as WebP bytes by variant."""

    format: str
    width: int
    height: int
    size: int
    brightness: float
    sharpness: float
    taken_at: datetime | None
    renditions: dict[str, bytes]


def advice(code: str) -> str:
    """What a refusal code means, for people, in their language, with the bounds in force."""
    text = str(ADVICE.get(code) or _("The file could not be read. Try it again."))
    return text % {
        "bytes": _("%(size)s MB") % {"size": f"{settings.INTAKE_MAX_BYTES / 2**20:g}"},
        "pixels": f"{settings.INTAKE_MAX_PIXELS / 1e6:g}",
        "side": settings.INTAKE_MIN_SIDE,
    }


def examine(data: bytes) -> Photo:
    """Check the bytes of a file and make what is kept beside them; raise :class:`PhotoRefused`."""
    header = judge_header(data)
    exif = _exif(header)
    orientation = exif.get(_ORIENTATION, 1)
    width, height = header.size
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    upright = _upright(header, orientation)
    screen = _fit(upright, VARIANTS["screen"][0])
    brightness, sharpness = _measure(screen)
    return Photo(
        format="JPEG" if header.format == "MPO" else str(header.format),
        width=width,
        height=height,
        size=len(data),
        brightness=brightness,
        sharpness=sharpness,
        taken_at=_taken_at(exif),
        renditions=_renditions(screen),
    )


def judge_header(data: bytes) -> ImageFile.ImageFile:
    """What can be said of a file before a pixel is decoded, at once and in little memory; raise :class:`PhotoRefused`.

    Returns the opened photo. It may still turn out cut off or damaged (``truncated``, ``bad_exif``).
    """
    if not data:
        raise PhotoRefused("empty")
    if len(data) > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    header = _open(data)
    if header.format == "GIF":
        raise PhotoRefused("gif")
    if min(header.size) < settings.INTAKE_MIN_SIDE:
        raise PhotoRefused("too_small")
    return header


def render(data: bytes) -> dict[str, bytes]:
    """The renditions of an accepted photo, made again: WebP bytes by variant."""
    header = _open(data)
    return _renditions(_fit(_upright(header, _exif(header).get(_ORIENTATION, 1)), VARIANTS["screen"][0]))


def _open(data: bytes) -> ImageFile.ImageFile:
    try:
        image = Pillow.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise PhotoRefused(_other_format(data) or "not_an_image") from None
    except Exception:
        raise PhotoRefused("truncated") from None
    if image.width * image.height > settings.INTAKE_MAX_PIXELS:
        raise PhotoRefused("too_many_pixels")
    if image.format != "MPO" and _moves(image):
        raise PhotoRefused("animated")
    return image


def _moves(image: ImageFile.ImageFile) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:
        raise PhotoRefused("truncated") from None


_OTHER_FORMATS = (
    b"8BPS",
    b"%PDF",
    b"\x00\x00\x00\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"\x00\x00\x01\x00",
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIU\x00",
    b"\xff\x0a",
)


#: Major and compatible brands in a file's ``ftyp`` box (ISO/IEC 23000-22, annex on brands; AV1 Image File Format).
_BRANDS = {
    "avif": (b"avif", b"avis"),
    "heic": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
}


def _other_format(data: bytes) -> str:
    """The refusal code of a picture that people do have, but that is not taken: HEIC, AVIF, JPEG 2000, PSD, SVG, PDF,
    ICO and raw photos; empty for anything else."""
    head = data[:256]
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4]), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
        # AVIF names itself beside the common brand "mif1", so it is looked for first.
        return next((code for code, known in _BRANDS.items() if set(known) & set(brands)), "unsupported")
    return "unsupported" if head.startswith(_OTHER_FORMATS) or b"<svg" in head.lower() else ""


def _exif(image: ImageFile.ImageFile) -> Any:
    """The photo's EXIF tags. Raises ``bad_exif`` where there are some and they cannot be read."""
    if image.format == "PNG":
        _load(image)  # a PNG may carry its EXIF behind the pixels
    raw = image.info.get("exif")
    if isinstance(raw, bytes) and raw and not _is_sound(raw.removeprefix(b"Exif\x00\x00")):
        raise PhotoRefused("bad_exif")
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION, 1)
        exif.get_ifd(_EXIF_IFD)
    except Exception:
        raise PhotoRefused("bad_exif") from None
    if not isinstance(orientation, int):
        raise PhotoRefused("bad_exif")
    return exif


def _is_sound(tiff: bytes) -> bool:
    """Whether an EXIF block has a TIFF header and a first directory that lies within it.

    Pillow only warns of such damage and then reports no orientation, and the photo would come in on its side.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return False
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start < 8 or start + 2 > len(tiff):
        return False
    (entries,) = struct.unpack_from(order + "H", tiff, start)
    return bool(start + 2 + 12 * entries <= len(tiff))


def _taken_at(exif: Any) -> datetime | None:
    """When the camera says it was taken; UTC where it names no offset; ``None`` where it does not say."""
    details = exif.get_ifd(_EXIF_IFD)
    text, offset = details.get(_TAKEN), details.get(_TAKEN_OFFSET)
    if not isinstance(text, str):
        return None
    try:
        if isinstance(offset, str) and offset.strip("\x00 "):
            stamp = f"{text.strip(chr(0) + ' ')} {offset.strip(chr(0) + ' ')}"
            return datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S %z")
        return datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _upright(image: ImageFile.ImageFile, orientation: int) -> Pillow.Image:
    """The decoded photo, the right way up, as RGB or L, not smaller than the screen rendition needs."""
    longest = VARIANTS["screen"][0]
    if image.format in ("JPEG", "MPO") and max(image.size) > longest:
        # A JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the work; draft() never goes below what is asked.
        scale = longest / max(image.size)
        image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    _load(image)
    return _plain(_turn(image, orientation), image.info.get("icc_profile"))


def _load(image: ImageFile.ImageFile) -> None:
    try:
        image.load()
    except MemoryError:
        raise PhotoRefused("too_many_pixels") from None
    except Exception:
        raise PhotoRefused("truncated") from None


def _turn(image: Pillow.Image, orientation: int) -> Pillow.Image:
    method = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_270,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_90,
    }.get(orientation)
    return image if method is None else image.transpose(method)


def _plain(image: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    """RGB or L with 8 bits a channel, in sRGB, without transparency."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("I", "F"):
        low, high = image.getextrema()
        scale = 255 / ((high - low) or 1)  # type: ignore[operator]
        shifted = image.convert("F").point(lambda value: value * scale + (-low * scale))  # type: ignore[operator]
        return shifted.convert("L")
    if image.mode == "1" or image.mode == "L":
        return image.convert("L")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Pillow.new("RGBA", layer.size, (*BACKDROP, 255))
        return Pillow.alpha_composite(ground, layer).convert("RGB")
    plain = image.convert("RGB")
    if profile and image.mode == "RGB" and b"sRGB" not in profile[:4096]:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(plain, source, ImageCms.createProfile("sRGB"))
            return converted or plain
        except (ImageCms.PyCMSError, OSError):
            return plain  # an odd colour profile is no reason to lose a photo
    return plain


def _fit(image: Pillow.Image, longest: int) -> Pillow.Image:
    if max(image.size) <= longest:
        return image
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)


def _renditions(screen: Pillow.Image) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for variant, (longest, quality) in VARIANTS.items():
        if variant != "screen" and max(screen.size) <= longest:
            made[variant] = made["screen"]  # a photo smaller than a thumbnail needs no second encoding
            continue
        buffer = io.BytesIO()
        _fit(screen, longest).save(buffer, format="WEBP", quality=quality, method=2)
        made[variant] = buffer.getvalue()
    return made


def _measure(screen: Pillow.Image) -> tuple[float, float]:
    """Mean luma (0 to 255), and the variance of the Laplacian: near 0 for a blurred or empty photo."""
    # Here, not above: the web process imports this module, and it should start without numpy.
    import numpy as np

    luma = np.asarray(ImageOps.grayscale(screen), dtype=np.int16)
    if min(luma.shape) < 3:
        return float(luma.mean()), 0.0
    middle = luma[1:-1, 1:-1] * np.int16(-4)
    laplacian = middle + luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float(luma.mean()), float(laplacian.astype(np.float32).var())
