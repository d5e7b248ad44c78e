"""A backup of all that is there at one moment, while everything runs on.

The database first, then files: a file is stored before the row that speaks of it, and is not changed afterwards, so every
row in the dump finds its file. Only what is uploaded and waits for its intake is removed when that is done; it is copied
before the database's moment and right after it, and when a whole intake came and went between, another moment is taken.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from labeling.gateway.moving import backups, databases, erased
from labeling.gateway.moving.backups import FORMAT, Manifest, file_name, part
from labeling.gateway.moving.copying import Content, at_once, content_of, put
from labeling.gateway.moving.databases import Digest, Session
from labeling.gateway.moving.stores import NOT_COMPUTED, ORIGINALS, REFERENCES, STAGING, Folder, Store

#: So many moments are tried; what is missing then was missing before.
MOMENTS = 3
_WAITING = """
    SELECT b.id::text FROM catalog_intakebatch b WHERE b.kind IN ('upload', 'zip') AND (
        NOT EXISTS (SELECT FROM catalog_intakefile f WHERE f.batch_id = b.id)
        OR EXISTS (SELECT FROM catalog_intakefile f WHERE f.batch_id = b.id AND f.outcome = 'pending'))
"""


@dataclass
class Made:
    """A backup, and what is to be said of it."""

    manifest: Manifest
    new_files: int = 0
    new_bytes: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Moment:
    tables: dict[str, Digest]
    server: int
    photos: set[bytes]
    without_uploads: set[str]


class _Copies:
    """What was copied so far of one backup. Made for many threads: each file is one entry."""

    def __init__(self, source: Store, target: Store) -> None:
        self.source, self.target = source, target
        self.files: dict[str, Content] = {}
        self.new: dict[str, int] = {}  # bytes, by hash
        self.damaged: list[str] = []

    def add(self, names: Iterable[str]) -> None:
        for _ in at_once(self._add, names):
            pass

    def _add(self, name: str) -> None:
        if name in self.files:
            return
        claimed = name.rsplit("/", 1)[-1] if name.startswith(f"{ORIGINALS}/") else ""
        size = self.source.size(name)
        if size is None:
            return  # computed anew under another name, or taken in, meanwhile
        if claimed and self.target.size(file_name(claimed)) == size:
            self.files[name] = Content(size, claimed)  # a photo's name says what is in it
            return
        try:
            with self.source.open(name) as file:
                content = content_of(file)
                if self.target.size(file_name(content.sha256)) != content.size:
                    put(self.target, file_name(content.sha256), file, content)
                    self.new[content.sha256] = content.size
        except FileNotFoundError:
            return
        if claimed and content.sha256 != claimed:
            self.damaged.append(name)
        self.files[name] = content


def back_up(
    *, url: str, source: Store, target: Store, var: Path | None, lean: bool, say: Callable[[str], None]
) -> Made:
    """Write a backup of the database and the files to ``target``.

    ``var``: also what signs sessions and opens two-step secrets, where it is a file there. ``lean``: without what is
    computed again. Raises :class:`~labeling.gateway.moving.CannotMove`.
    """
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    copies = _Copies(source, target)
    with tempfile.TemporaryDirectory(prefix="hilltop-backup-") as folder:
        dump, listing = Path(folder, "database.dump"), Path(folder, "files.jsonl")
        for _ in range(MOMENTS):
            moment = _dump(url, dump, copies)
            if not moment.without_uploads:
                break
        say(
            f"database: {sum(digest.rows for digest in moment.tables.values())} rows in {dump.stat().st_size} bytes"
        )
        copies.add(name for name in source.names() if not lean or name.split("/", 1)[0] in NOT_COMPUTED)
        if var is not None and (var / backups.SECRET).exists():
            keys = _Copies(Folder(var), target)
            keys.add([backups.SECRET])
            copies.files |= keys.files
            copies.new |= keys.new
        with listing.open("wb") as into:
            into.writelines(backups.line(*each) for each in sorted(copies.files.items()))
        made = Made(
            Manifest(
                name=name,
                format=FORMAT,
                server=moment.server,
                dump=_keep(target, part(name, dump.name), dump),
                listing=_keep(target, part(name, listing.name), listing),
                tables=moment.tables,
                files=len(copies.files),
                size=sum(content.size for content in copies.files.values()),
            ),
            new_files=len(copies.new),
            new_bytes=sum(copies.new.values()),
            warnings=list(_warnings(moment, copies)),
        )
        manifest, told = backups.write(made.manifest)
        listing.write_bytes(told)
        _keep(target, manifest, listing)
    return made


def _dump(url: str, path: Path, copies: _Copies) -> _Moment:
    copies.add(copies.source.names(STAGING))
    with databases.session(url) as line, databases.snapshot(line) as at:
        waiting = {batch for (batch,) in line.execute(_WAITING)}
        copies.add(copies.source.names(STAGING))
        databases.dump(url, path, at)
        erased.keep(line, copies.target)
        return _Moment(
            tables=databases.digests(line),
            server=line.info.server_version,
            photos=_photos(line),
            without_uploads=waiting
            - {name.split("/")[1] for name in copies.files if name.startswith(f"{STAGING}/")},
        )


def _photos(line: Session) -> set[bytes]:
    """32 bytes a photo, not 64 letters."""
    return {
        bytes.fromhex(sha256) for (sha256,) in line.execute("SELECT sha256 FROM catalog_image WHERE size > 0")
    }


def _keep(target: Store, name: str, path: Path) -> Content:
    with path.open("rb") as file:
        content = content_of(file)
        put(target, name, file, content)
    return content


def _warnings(moment: _Moment, copies: _Copies) -> Iterator[str]:
    there = {bytes.fromhex(content.sha256) for content in copies.files.values()}
    there |= {
        bytes.fromhex(name.rpartition("/")[2]) for name in copies.files if name.startswith(f"{REFERENCES}/")
    }
    if lost := moment.photos - there:
        yield (
            f"{len(lost)} photos are lost or damaged where they were, and not in the backup; take them in again: "
            + ", ".join(sorted(sha256.hex() for sha256 in lost)[:10])
        )
    if copies.damaged:
        yield f"{len(copies.damaged)} originals are damaged, and were kept as they are: {', '.join(copies.damaged[:10])}"
    if moment.without_uploads:
        yield (
            f"The uploads of {len(moment.without_uploads)} intakes that wait are not there; have them sent again: "
            + ", ".join(sorted(moment.without_uploads)[:10])
        )
