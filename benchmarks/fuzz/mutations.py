"""Files as they come from broken disks, cut lines and ill will: bytes changed by chance, and archives that lie."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

#: Kinds that intake knows, and one that it refuses by name.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
#: Numbers at which readers of files stumble.
AWKWARD = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
Mutation = Callable[[bytearray, random.Random], None]


def photo(dice: random.Random, format: str = "") -> bytes:
    """A whole one, of noise and small, of any of :data:`FORMATS`, grey or coloured."""
    chosen = format or dice.choice(FORMATS)
    numbers = np.random.default_rng(dice.getrandbits(64))
    shape = (dice.randint(32, 80), dice.randint(32, 80), *dice.choice(((), (3,), (4,))))
    if chosen in {"JPEG", "BMP", "WEBP"} and shape[2:] == (4,):
        shape = (*shape[:2], 3)
    file = io.BytesIO()
    Image.fromarray(numbers.integers(0, 256, shape, np.uint8)).save(file, chosen)
    return file.getvalue()


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 3, 20))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _number(data: bytearray, dice: random.Random) -> None:
    """A length, an offset or a size near the head, where formats keep them, becomes an awkward one."""
    layout = dice.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(layout)
    if len(data) > size:
        at = min(dice.randrange(len(data) - size), dice.randrange(200))
        struct.pack_into(layout, data, at, dice.choice(AWKWARD) & (256**size - 1))


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def _hole(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    del data[at : at + dice.randint(1, 64)]


def _zeros(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    data[at : at + 256] = bytes(min(256, len(data) - at))


def _doubled(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    data[at:at] = data[at : at + dice.randint(1, 512)]


def _tail(data: bytearray, dice: random.Random) -> None:
    data += dice.randbytes(dice.randint(1, 300))


MUTATIONS: Sequence[Mutation] = (_flip, _number, _number, _cut, _hole, _zeros, _doubled, _tail)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One to three changes."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        if changed:
            dice.choice(MUTATIONS)(changed, dice)
    return bytes(changed)


def archive(dice: random.Random, *, large: float = 0.1) -> bytes:
    """A zip of a few photos: whole, mutated, or lying about what is in it. ``large``: how often one unpacks to 41 MiB."""
    file = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(
            file, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
        ) as packed,
    ):
        warnings.simplefilter("ignore")  # of two files with one name
        for number in range(dice.randint(0, 4)):
            packed.writestr(
                _name(dice, number), mutated(photo(dice), dice) if dice.random() < 0.5 else photo(dice)
            )
        if dice.random() < large:  # small here and large there
            packed.writestr("large.bmp", bytes(41 * 2**20), zipfile.ZIP_DEFLATED)
        if dice.random() < 0.15:
            packed.writestr("inner.zip", archive(dice, large=large))
        if dice.random() < 0.1:
            packed.writestr("folder/", b"")
    whole = file.getvalue()
    chance = dice.random()
    if chance < 0.3:
        return whole
    if chance < 0.6:
        return _headers_changed(whole, dice)
    return mutated(whole, dice)


def _name(dice: random.Random, number: int) -> str:
    return dice.choice(
        (
            f"{number}.png", "front/17.jpg", "../../up.png", "/absolute.png", "c:\\windows.png", "same.png", "검사/앞면.png",
            "a" * 300 + ".png", "nul\x00in it.png", "line\nbreak.png", "‮gnp.exe", "..", ".", " ", "folder/../x.png",
        )
    )  # fmt: skip


def _headers_changed(whole: bytes, dice: random.Random) -> bytes:
    """Flags, method, checksum or sizes of one entry, there where the archive lists it or where it lies."""
    data = bytearray(whole)
    places = [at for mark in (b"PK\x01\x02", b"PK\x03\x04") for at in _all(whole, mark)]
    if places:
        at = dice.choice(places) + dice.randrange(4, 30)
        struct.pack_into("<H", data, min(at, len(data) - 2), dice.choice(AWKWARD) & 0xFFFF)
    return bytes(data)


def _all(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def table(dice: random.Random, names: Sequence[str], classes: Sequence[str]) -> bytes:
    """Known answers, ``photo,class`` a line, as a spreadsheet may leave them behind."""
    cells = (
        *names,
        *classes,
        "",
        '"',
        "'",
        "=1+1",
        "photo",
        "가나다",
        "\ufeff",
        "x" * 200_000,
        "a\x00b",
        "1e309",
        "‮",
    )
    lines = []
    for _ in range(dice.randint(0, 12)):
        if dice.random() < 0.7:
            lines.append(f"{dice.choice(names)},{dice.choice(classes)}")
        else:
            lines.append(
                dice.choice((",", ";", "\t", ',"')).join(
                    dice.choice(cells) for _ in range(dice.randint(0, 4))
                )
            )
    text = dice.choice(("\n", "\r\n", "\r")).join(lines)
    data = text.encode(dice.choice(("utf-8", "utf-8-sig", "utf-16", "cp949")), "replace")
    return mutated(data, dice) if data and dice.random() < 0.5 else data
