"""One photo, the same for people and model: which way is up, its colours, its depth, what is behind what is see-through.

``header`` says what a file is and loads Pillow only, so that the web process may ask it; ``pixels`` decodes. Renditions,
thumbnails, embeddings, explanations and figures of quality are all made of what ``pixels`` gives.

Imports neither Django nor torch, and here nothing at all.
"""

from __future__ import annotations

from typing import Literal, get_args

#: Raise it whenever the same file would give other pixels. It is part of a backbone's hash and of the renditions' version:
#: embeddings are made anew, and so is what people see, at other addresses.
DECODER_VERSION = 3

#: How more than 8 bits a channel become 8: by the significant bits that the photo holds (10, 12, 14 or 16), from its
#: darkest to its brightest thousandth, or from 0 to a white of so many bits, whatever the photo holds.
Levels = Literal["bits", "percentiles", "10", "12", "14", "16"]
LEVELS: tuple[Levels, ...] = get_args(Levels)
DEFAULT_LEVELS: Levels = "bits"

#: What is behind a see-through pixel: the neutral grey against which people judge photos.
BACKDROP = 119

ErrorCode = Literal[
    "not_an_image",
    "unsupported",
    "heic",
    "avif",
    "truncated",
    "too_many_pixels",
    "animated",
    "bad_exif",
    "no_values",
]


class DecodeError(Exception):
    """A photo that cannot be used. ``code`` is for programs, the message tells a person what to do."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        # Exception's own pickling would call __init__ with the message alone and fail between processes.
        return type(self), (self.code, str(self))
