"""JPEG files to a network's pixels on a device: TorchCodec decodes, torch turns upright, crops and resizes.

TorchCodec is an optional dependency (the extra ``gpu``). Its image decoders need no FFmpeg. With device "cpu" it decodes by
libjpeg, so everything here can be tested without a GPU.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.nn import functional

from inference.backbones.preprocessing import Box, Preprocessing

#: Pixels in one call of the decoder, and in one array of floats: a batch of camera photos at once would need more memory
#: (12 bytes a pixel as floats) than any GPU has.
MOST_PIXELS = 64_000_000


@functools.cache
def has_gpu_decoder() -> bool:
    """Whether TorchCodec is there and fits this torch."""
    try:
        from torchcodec.decoders import decode_jpeg  # type: ignore[attr-defined]
    except (ImportError, OSError, RuntimeError):
        return False
    return callable(decode_jpeg)


def decode_jpegs(
    files: Sequence[bytes], orientations: Sequence[int], device: torch.device
) -> list[torch.Tensor]:
    """Files to upright photos (3, H, W) uint8 on ``device``, in one call of the decoder.

    Raises:
        RuntimeError: the decoder refuses a file; it may not say which.
    """
    from torchcodec.decoders import decode_jpeg  # type: ignore[attr-defined]

    # Its decoder on the CPU obeys EXIF by itself, nvJPEG does not: none of them gets to see an orientation.
    plain = [
        without_exif(data) if turn != 1 else data for data, turn in zip(files, orientations, strict=True)
    ]
    photos: Any = decode_jpeg(plain, mode="RGB", device=device)
    return [_upright(photo, turn) for photo, turn in zip(photos, orientations, strict=True)]


def without_exif(data: bytes) -> bytes:
    """A JPEG file without its APP1 segments (EXIF, XMP), nothing else changed."""
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:  # any number of these may stand before a marker, and say nothing
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != 0xE1:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def _upright(photo: torch.Tensor, orientation: int) -> torch.Tensor:
    """Undo an EXIF orientation, as ``inference.photo.pixels.turn_upright`` does."""
    if orientation >= 5:
        photo = photo.transpose(1, 2)
    rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    axes = [axis for axis, mirrored in ((1, rows), (2, columns)) if mirrored]
    return photo.flip(axes) if axes else photo


def within_pixels(pixels: Sequence[int], most: int) -> Iterator[range]:
    """Neighbours that have at most ``most`` pixels together, or one that has more by itself."""
    start, together = 0, 0
    for at, count in enumerate(pixels):
        if at > start and together + count > most:
            yield range(start, at)
            start, together = at, 0
        together += count
    if start < len(pixels):
        yield range(start, len(pixels))


def resize_and_crop(photos: Sequence[torch.Tensor], preprocessing: Preprocessing) -> list[torch.Tensor]:
    """Photos (3, H, W) uint8 to their views (views, size, size, 3) uint8, as ``Preprocessing.pixels`` does.

    Photos of one shape, as one camera makes them, go through together, up to ``MOST_PIXELS``. Boxes are rounded to whole
    pixels.
    """
    out: list[torch.Tensor | None] = [None] * len(photos)
    by_shape: dict[tuple[int, int], list[int]] = {}
    for at, photo in enumerate(photos):
        by_shape.setdefault((photo.shape[1], photo.shape[2]), []).append(at)
    for (height, width), alike in by_shape.items():
        for group in within_pixels([height * width] * len(alike), MOST_PIXELS):
            members = alike[group.start : group.stop]
            views = [
                _resized([photos[at] for at in members], box, preprocessing)
                for box in preprocessing.boxes(height, width)
            ]
            for at, squares in zip(members, torch.stack(views, dim=1), strict=True):
                out[at] = squares
    return [squares for squares in out if squares is not None]


def _resized(photos: Sequence[torch.Tensor], box: Box, preprocessing: Preprocessing) -> torch.Tensor:
    """(n, size, size, 3) uint8: one part of photos of one shape. Only that part is ever turned to floats."""
    height, width = photos[0].shape[1:]
    left, top, right, bottom = box
    # At least one pixel, also of a photo that is one pixel high.
    x, y = min(round(left), width - 1), min(round(top), height - 1)
    right, bottom = max(round(right), x + 1), max(round(bottom), y + 1)
    resized = functional.interpolate(
        torch.stack([photo[:, y:bottom, x:right] for photo in photos]).float(),
        size=(preprocessing.size, preprocessing.size),
        mode=preprocessing.interpolation,
        antialias=True,
        align_corners=False,
    )
    return resized.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
