"""What the files of a folder were when they were written: ``sums.json``, {file: CRC-32 in hex, "-", bytes}."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from labeling.store import on_disk

NAME = "sums.json"
_PIECE = 2**20
_sound: dict[Path, tuple[tuple[str, int, int], ...]] = {}


def seal(folder: Path) -> None:
    """Write down what the finished files are, unless that was done before."""
    if not (folder / NAME).exists():
        told = {file.name: of(file) for file in files(folder)}
        on_disk.write(folder / NAME, f"{json.dumps(told)}\n".encode())


def files(folder: Path) -> list[Path]:
    """Sorted; without the sums themselves and what is hidden."""
    return sorted(each for each in folder.iterdir() if each.name != NAME and not each.name.startswith("."))


def wrong(folder: Path) -> list[str]:
    """Names of the files that are not what was written. Of a folder that is older than its sums nothing is known: none."""
    try:
        written = json.loads((folder / NAME).read_text())
        return [name for name, told in written.items() if not _is(folder / name, told)]
    except FileNotFoundError:
        return [] if folder.is_dir() else [folder.name]
    except (OSError, ValueError, AttributeError):
        return [NAME]


def wrong_now(folder: Path) -> list[str]:
    """As :func:`wrong`; what this process found sound is read again only when its files have another time or size."""
    now = tuple((each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in files(folder))
    if _sound.get(folder) == now:
        return []
    found = wrong(folder)
    if not found:
        _sound[folder] = now
    return found


def of(path: Path) -> str:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    return f"{found:08x}-{path.stat().st_size}"


def _is(path: Path, told: str) -> bool:
    try:
        return of(path) == told
    except OSError:
        return False
