"""Looks at the bytes of one photo: may it come in, how large is it the right way up, how bright, how sharp.

Knows bounds, and what to say to people; what a file's bytes mean, ``inference.photo`` knows, for the model too. Knows no
project, no database and no storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image as Pillow
from PIL import ImageOps

from inference.photo import DEFAULT_LEVELS, DecodeError, Levels, exif
from inference.photo.header import Header, read_header
from labeling.catalog import renditions
from labeling.catalog.renditions import VARIANTS
from labeling.refusals import Refused

#: Refusal code -> what happened and what to do. ``%(bytes)s``, ``%(pixels)s`` and ``%(side)s`` are the bounds in force.
ADVICE: dict[str, str | Promise] = {
    "not_an_image": gettext_lazy(
        "This is not a photo. Choose a JPEG, PNG, HEIC, WebP, AVIF, TIFF or BMP file."
    ),
    "unsupported": gettext_lazy(
        "This kind of photo cannot be read here. Save it as JPEG or PNG and try again."
    ),
    "heic": gettext_lazy(
        "This is a HEIC photo, as iPhones take them; this server lacks what reads it. Export it as JPEG, or set the "
        "phone's camera format to “Most compatible”, and try again."
    ),
    "avif": gettext_lazy(
        "This is an AVIF photo; this server lacks what reads it. Save it as JPEG or PNG and try again."
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
    "no_values": gettext_lazy(
        "The photo holds no numbers at all, only “not a number”. Export it again from what made it."
    ),
    "empty": gettext_lazy("The file is empty. Copy it again from where it came from."),
    "unreadable": gettext_lazy(
        "The server may not read this file, or the disk fails. Allow it to read the file and take it in again."
    ),
    "not_stored": gettext_lazy(
        "The photo could not be stored; the server's log says why. Tell your administrator, then take it in again."
    ),
    "path_too_long": gettext_lazy(
        "The file's path has more than 1,000 characters. Put the file nearer to the top and take it in again."
    ),
    "folder_unreadable": gettext_lazy(
        "The server cannot look into this folder. Allow it to read the folder and take it in again."
    ),
    "folder_linked": gettext_lazy(
        "This is a link to a folder, which is not followed. Take that folder in itself."
    ),
    "missing": gettext_lazy("The file was gone when its turn came. Put it back and take it in again."),
    "encrypted": gettext_lazy("The archive protects this file by a password. Pack it again without one."),
    "unsafe_path": gettext_lazy(
        "The file's path points outside its folder or archive. Put a plain copy of the file there."
    ),
    "near_duplicate": gettext_lazy(
        "The project has a photo that is nearly the same, and sets such ones aside. An admin may let them in under "
        "Settings; then take the file in again."
    ),
    "metadata_unreadable": gettext_lazy(
        "This table of metadata cannot be read. Save it as CSV (UTF-8, 16\u00a0MB at most, 32 together with the others that "
        "come along) whose first line names each column once, one of them “file_name”, and take it in again."
    ),
    "metadata_bounds": gettext_lazy(
        "This row of the metadata was left out: a name has at most 60 letters, a text 200, a photo 50 values. Shorten it "
        "and take the table in again."
    ),
    "metadata_of_nothing": gettext_lazy(
        "This row of the metadata names a file that did not come with it. Correct its “file_name”, which begins where the "
        "table lies, and take both in again."
    ),
    "url_bad_url": gettext_lazy(
        "This is no address of a photo. It begins with http:// or https://, and holds no name and password. Correct it."
    ),
    "url_not_public": gettext_lazy(
        "This address leads into a private network, which is not asked. Name a public one, or have the server's "
        "administrator open that network."
    ),
    "url_no_answer": gettext_lazy(
        "The server at this address did not answer in time. Take the table in again when it does."
    ),
    "url_status": gettext_lazy(
        "The server at this address has no photo for us. Open the address in a browser that is signed in nowhere, and "
        "correct it."
    ),
    "url_kind": gettext_lazy(
        "There is something else than a photo at this address. Name the photo's own address."
    ),
    "bucket_no_answer": gettext_lazy(
        "The bucket did not give this photo. It is asked for again at the next look."
    ),
    "erased": gettext_lazy(
        "This photo was erased from here, so it does not come in again. Where that is no longer meant, an admin lets it "
        "in under Setup, Erasure; then take the file in again."
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
    fingerprint: bytes


def advice(code: str) -> str:
    """What a refusal code means, for people, in their language, with the bounds in force."""
    text = str(ADVICE.get(code) or _("The file could not be read. Try it again."))
    return text % {
        "bytes": _("%(size)s\u00a0MB") % {"size": f"{settings.INTAKE_MAX_BYTES / 2**20:g}"},
        "pixels": f"{settings.INTAKE_MAX_PIXELS / 1e6:g}",
        "side": settings.INTAKE_MIN_SIDE,
    }


def examine(data: bytes, levels: Levels = DEFAULT_LEVELS) -> Photo:
    """Check the bytes of a file and make what is kept beside them; raise :class:`PhotoRefused`."""
    # Here, not above: the web process imports this module, and it should start without numpy.
    from inference.photo import quality
    from labeling.catalog.fingerprints import fingerprint

    header = judge_header(data)
    screen = _screen(header, levels)
    brightness, _contrast, sharpness = quality.measure(_array(ImageOps.grayscale(screen)))
    return Photo(
        format=header.format,
        width=header.width,
        height=header.height,
        size=len(data),
        brightness=brightness,
        sharpness=sharpness,
        taken_at=_taken_at(header.tags),
        renditions=_encoded(screen, header),
        fingerprint=fingerprint(screen),
    )


def judge_header(data: bytes) -> Header:
    """What can be said of a file before a pixel is decoded, at once and in little memory; raise :class:`PhotoRefused`.

    The photo may still turn out cut off or damaged (``truncated``, ``no_values``).
    """
    if not data:
        raise PhotoRefused("empty")
    if len(data) > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    header = _open(data)
    if header.format == "GIF":
        raise PhotoRefused("gif")
    if min(header.width, header.height) < settings.INTAKE_MIN_SIDE:
        raise PhotoRefused("too_small")
    return header


def render(data: bytes, levels: Levels = DEFAULT_LEVELS) -> dict[str, bytes]:
    """The renditions of an accepted photo, made again: WebP bytes by variant."""
    header = _open(data)
    return _encoded(_screen(header, levels), header)


def upright(data: bytes, levels: Levels = DEFAULT_LEVELS) -> Pillow.Image:
    """An accepted photo with all its pixels, RGB or L; raise :class:`PhotoRefused`."""
    return _decoded(_open(data), levels)


def size(data: bytes) -> tuple[int, int]:
    """Width and height of an accepted photo, the right way up; raise :class:`PhotoRefused`."""
    header = _open(data)
    return header.width, header.height


def _encoded(screen: Pillow.Image, header: Header) -> dict[str, bytes]:
    return renditions.encode(screen, whole=renditions.is_whole(header.width, header.height))


def _open(data: bytes) -> Header:
    try:
        return read_header(data, max_pixels=settings.INTAKE_MAX_PIXELS)
    except DecodeError as error:
        raise PhotoRefused(error.code) from None


def _screen(header: Header, levels: Levels) -> Pillow.Image:
    """The photo as everybody sees it, RGB or L, not larger than the screen rendition."""
    longest = VARIANTS["screen"][0]
    shorter, longer = sorted((header.width, header.height))
    return renditions.fit(_decoded(header, levels, max(1, shorter * longest // longer)), longest)


def _decoded(header: Header, levels: Levels, min_side: int | None = None) -> Pillow.Image:
    # Here, not above: the web process imports this module, and it should start without numpy.
    from inference.photo.pixels import decode_pixels

    try:
        pixels = decode_pixels(
            header, max_pixels=settings.INTAKE_MAX_PIXELS, min_side=min_side, levels=levels
        )
    except DecodeError as error:
        raise PhotoRefused(error.code) from None
    return Pillow.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _array(image: Pillow.Image) -> Any:
    import numpy as np

    return np.asarray(image)


def _taken_at(tags: exif.Tags) -> datetime | None:
    """When the camera says it was taken; UTC where it names no offset; ``None`` where it does not say."""
    text, offset = tags.get(exif.TAKEN), tags.get(exif.TAKEN_OFFSET)
    if not isinstance(text, str):
        return None
    try:
        if isinstance(offset, str) and offset:
            taken = datetime.strptime(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z").astimezone(UTC)
        else:
            taken = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    # The first and the last year that a date can have: such a time is no camera's, and has no place in some time zones.
    return taken if 1 < taken.year < 9999 else None
