"""What a folder or bucket of backups holds.

::

    files/ab/cd/<sha256>              every file that any backup holds, once, by what is in it
    backups/<moment>/database.dump    pg_dump's custom format
    backups/<moment>/files.jsonl      a line a file: its name, bytes, SHA-256
    backups/<moment>/manifest.json    written last: without it there is no backup

No file is ever changed, so each backup stays whole whatever the next ones do, and needs room only for what is new.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO

from labeling.gateway.moving import CannotMove
from labeling.gateway.moving.copying import Content
from labeling.gateway.moving.databases import Digest
from labeling.gateway.moving.stores import Store

SECRET = "secret-key"  # noqa: S105  (the name of its file)
FORMAT = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    name: str
    format: int
    #: Of PostgreSQL, such as 180001.
    server: int
    dump: Content
    listing: Content
    tables: dict[str, Digest]
    files: int
    #: All files together, in bytes.
    size: int


def file_name(sha256: str) -> str:
    return f"files/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def part(backup: str, name: str) -> str:
    return f"backups/{backup}/{name}"


def listed(store: Store) -> list[str]:
    """The names of all whole backups, the newest last."""
    return sorted(
        name.split("/")[1]
        for name in store.names("backups")
        if name.count("/") == 2 and name.endswith(_MANIFEST)
    )


def write(manifest: Manifest) -> tuple[str, bytes]:
    """Name and content of the file that makes a backup one."""
    return part(manifest.name, _MANIFEST), json.dumps(asdict(manifest), indent=1).encode()


def read(store: Store, backup: str = "") -> Manifest:
    """The newest backup, or the one of this name. Raises :class:`CannotMove` where it is not there."""
    known = listed(store)
    if not known or (backup and backup not in known):
        there = f"there are {', '.join(known)}" if known else "there is none at all"
        raise CannotMove(f"There is no whole backup {backup}; {there}.")
    with store.open(part(backup or known[-1], _MANIFEST)) as file:
        told = json.load(file)
    if told["format"] != FORMAT:
        raise CannotMove(f"This backup was written by another version of Hilltop (format {told['format']}).")
    return Manifest(
        **told
        | {
            "dump": Content(*told["dump"]),
            "listing": Content(*told["listing"]),
            "tables": {name: Digest(*digest) for name, digest in told["tables"].items()},
        }
    )


def line(name: str, content: Content) -> bytes:
    return json.dumps([name, *content], ensure_ascii=False).encode() + b"\n"


def lines(file: IO[bytes]) -> Iterator[tuple[str, Content]]:
    for each in file:
        name, size, sha256 = json.loads(each)
        yield name, Content(size, sha256)
