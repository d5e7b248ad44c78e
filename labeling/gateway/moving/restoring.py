"""From a backup to a Hilltop that is empty. What is there already, from a run that was cut off, is compared and kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labeling.gateway.moving import CannotMove, backups, databases, erased
from labeling.gateway.moving.backups import Manifest, file_name, part
from labeling.gateway.moving.copying import Content, at_once, carry, content_at
from labeling.gateway.moving.stores import Folder, Store
from labeling.store import on_disk

Say = Callable[[str], None]


def restore(*, backups_in: Store, backup: str, url: str, target: Store, var: Path, say: Say) -> Manifest:
    """Fill the database at ``url`` and ``target`` from a backup, and compare both with what it says.

    Raises :class:`CannotMove`: something else is there, somebody is connected, or the backup is damaged.
    """
    manifest = backups.read(backups_in, backup)
    with _own_copy(backups_in, manifest) as folder:
        _database(manifest, folder, url)
        say(f"database: {len(manifest.tables)} tables, as they were in the backup")
        for name, content in _listing(folder):
            if name == backups.SECRET:
                on_disk.write(var / name, _secret(backups_in, content))
        for _ in at_once(
            lambda each: carry(backups_in, file_name(each[1].sha256), target, each[0], each[1]),
            (each for each in _listing(folder) if each[0] != backups.SECRET),
        ):
            pass
    say(f"files: {manifest.files}, as they were in the backup")
    if listed := erased.bring(backups_in, target):
        say(
            f"erased since, or before: {listed}; what came back of them goes again within half an hour of a worker's start"
        )
    return manifest


def check(*, backups_in: Store, backup: str) -> tuple[Manifest, list[str]]:
    """Read a whole backup; return what it says of itself, and the files that are lost or damaged."""
    manifest = backups.read(backups_in, backup)
    bad = []

    def is_whole(each: tuple[str, Content]) -> tuple[str, bool]:
        name, content = each
        try:
            return name, content_at(backups_in, file_name(content.sha256)) == content
        except OSError:
            return name, False

    with _own_copy(backups_in, manifest) as folder:
        bad = [name for name, whole in at_once(is_whole, _listing(folder)) if not whole]
    return manifest, bad


@contextmanager
def _own_copy(backups_in: Store, manifest: Manifest) -> Iterator[Path]:
    """The dump and the listing of files, whole, in a folder of this machine."""
    with tempfile.TemporaryDirectory(prefix="hilltop-restore-") as folder:
        for name, content in (("database.dump", manifest.dump), ("files.jsonl", manifest.listing)):
            carry(backups_in, part(manifest.name, name), Folder(Path(folder)), name, content)
        yield Path(folder)


def _listing(folder: Path) -> Iterator[tuple[str, Content]]:
    with (folder / "files.jsonl").open("rb") as file:
        yield from backups.lines(file)


def _database(manifest: Manifest, folder: Path, url: str) -> None:
    with databases.session(url) as line:
        databases.must_be_left_alone(line, "the database")
        databases.must_hold(line, manifest.server)
        if databases.is_empty(line):
            databases.restore(folder / "database.dump", url)
        if other := databases.differences(manifest.tables, databases.digests(line)):
            raise CannotMove(
                f"The database holds something else than the backup, in {len(other)} tables ({', '.join(other[:5])}). "
                "Restore into an empty one."
            )


def _secret(backups_in: Store, content: Content) -> bytes:
    with backups_in.open(file_name(content.sha256)) as file:
        return file.read()
