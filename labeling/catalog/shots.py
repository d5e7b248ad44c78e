"""What a photo's name at intake says of how it was taken: the folder it lay in, and the type of shot.

An inspection's photos are taken by a protocol: the same shots each time (``front``, ``label``, ``detail`` …). Cameras
and protocols write that into names, as ``inspection-17/front.jpg`` or ``inspection-17_front.jpg``, or into folders, as
``front/0017.jpg``. Which of these a company uses is not ours to say, so both are read, and each stands for itself.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from labeling.text.plain import composed

#: A whole name, or what follows its last separator, if it is a word: letters of any script, no digit.
_SHOT = re.compile(r"(?:^|[\s_.\-])([^\W\d_]+)$")


def folder_of(name: str) -> str | None:
    """The innermost folder in a file's name: "a/front/1.jpg" lay in "front"; ``None`` where there is none."""
    return PurePosixPath(composed(name)).parent.name or None


def shot_type(name: str) -> str | None:
    """The word that ends a file's name, in lower case: "17_Front.jpg" is a "front"; ``None`` where there is no word."""
    found = _SHOT.search(PurePosixPath(composed(name)).stem)
    return found[1].lower() if found else None
