"""From one machine to many, and back: the database to another server, the files to another store.

Nothing is removed where it was. What arrived in a run that was cut off is compared, and the rest follows.
"""

from __future__ import annotations

from collections.abc import Callable

from labeling.gateway.moving import CannotMove, databases
from labeling.gateway.moving.copying import Carried, at_once, carry
from labeling.gateway.moving.databases import Session
from labeling.gateway.moving.stores import Store

Say = Callable[[str], None]
TELL_EVERY = 10_000


def move(*, url: str, to_url: str, files: Store, to_files: Store | None, say: Say) -> None:
    """Copy the database to ``to_url``, unless that is empty, and ``files`` to ``to_files``; compare all of it.

    Raises :class:`CannotMove`: somebody is connected, something else is there, or what arrived is not what was sent.
    """
    with databases.session(url) as here:
        databases.must_be_left_alone(here, "the database")
        if to_url:
            with databases.session(to_url) as there:
                _database(here, url, there, to_url, say)
        if to_files is not None:
            _files(files, to_files, say)
        databases.must_be_left_alone(here, "the database")


def _database(here: Session, url: str, there: Session, to_url: str, say: Say) -> None:
    if databases.are_one(here, there):
        raise CannotMove("The database is there already.")
    databases.must_be_left_alone(there, "the database that it is to become")
    databases.must_hold(there, here.info.server_version)
    if databases.is_empty(there):
        databases.copy(url, to_url)
    tables = databases.digests(here)
    other = databases.differences(tables, databases.digests(there))
    if databases.sequences(here) != databases.sequences(there):
        other.append("sequences")
    if other:
        raise CannotMove(
            f"Another database is there already: it differs in {len(other)} tables ({', '.join(other[:5])}). "
            "Choose an empty one."
        )
    rows = sum(digest.rows for digest in tables.values())
    say(f"database: {len(tables)} tables with {rows} rows, the same on both sides")


def _files(source: Store, target: Store, say: Say) -> None:
    for name in target.names():
        if source.size(name) is None:
            raise CannotMove(
                f"Other files are there already, such as {name}. Choose a store or folder that is empty."
            )

    def carry_one(name: str) -> Carried:
        return carry(source, name, target)

    files = new = size = 0
    for carried in at_once(carry_one, source.names()):
        files, new, size = files + 1, new + carried.new, size + carried.content.size
        if files % TELL_EVERY == 0:
            say(f"files: {files} so far")
    say(f"files: {files} with {size} bytes, the same on both sides; {new} were not there before")
