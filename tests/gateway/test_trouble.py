"""A database that is away, one that takes no changes and a full disk: each said as what it is, wherever it is noticed."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from procrastinate.contrib.django.django_connector import wrap_exceptions
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from labeling.gateway import vitals
from labeling.gateway.trouble import AWAY, DISK_FULL, READ_ONLY, STORE_AWAY, Trouble, trouble_of
from labeling.refusals import Refused
from labeling.store.objects import StoreAway
from tests.gateway.conftest import World


def by_django(error: psycopg.Error) -> OperationalError:
    """As Django hands an error of the driver on."""
    try:
        raise OperationalError(str(error)) from error
    except OperationalError as wrapped:
        return wrapped


def by_the_queue_of_tasks(error: psycopg.Error) -> ConnectorException:
    """As Procrastinate hands on what Django handed to it."""
    try:
        with wrap_exceptions():
            raise by_django(error)
    except ConnectorException as wrapped:
        return wrapped


CASES: list[tuple[Exception, Trouble | None]] = [
    (by_django(psycopg.OperationalError("the connection is closed")), AWAY),
    (by_django(psycopg.errors.AdminShutdown("terminating")), AWAY),
    (by_django(psycopg.errors.CannotConnectNow("starting up")), AWAY),
    (by_django(psycopg.errors.TooManyConnections("sorry")), AWAY),
    (PoolTimeout("none in time"), AWAY),
    (InterfaceError("connection already closed"), AWAY),
    (by_the_queue_of_tasks(psycopg.OperationalError("server closed the connection unexpectedly")), AWAY),
    (by_the_queue_of_tasks(psycopg.InterfaceError("the cursor is closed")), AWAY),
    (by_the_queue_of_tasks(psycopg.errors.DiskFull("could not extend file")), DISK_FULL),
    (by_the_queue_of_tasks(psycopg.errors.UndefinedFunction("no such function")), None),
    (by_django(psycopg.errors.DiskFull("could not extend file")), DISK_FULL),
    (
        by_django(psycopg.OperationalError("FATAL:  could not write init file: No space left on device")),
        DISK_FULL,
    ),
    (OSError(errno.ENOSPC, "No space left on device"), DISK_FULL),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), DISK_FULL),
    (by_django(psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT")), READ_ONLY),
    (StoreAway("the store did not answer for models"), STORE_AWAY),
    (FileNotFoundError(errno.ENOENT, "No such file"), None),
    (Refused("busy", "Wait."), None),
    (ValueError("a bug"), None),
]


@pytest.mark.parametrize(("error", "trouble"), CASES)
def test_an_error_says_which_trouble_it_comes_of(error: Exception, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble


@pytest.mark.parametrize(("error", "trouble"), [(e, t) for e, t in CASES if t])
def test_pages_and_programs_are_told_and_that_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, trouble: Trouble
) -> None:
    def broken(*_given: Any, **_named: Any) -> None:
        raise error

    monkeypatch.setattr("labeling.gateway.api.labeling.queue.claim_under", broken)
    monkeypatch.setattr("labeling.overview.home.project_cards", broken)
    client = world.client("labeler", raise_request_exception=False)
    program = client.post(world.api("/claims"), {}, content_type="application/json")
    page = client.get("/")
    fragment = client.get("/", headers={"HX-Request": "true"})
    assert [each.status_code for each in (program, page, fragment)] == [trouble.status] * 3
    assert program["Retry-After"] == page["Retry-After"] == str(trouble.retry_after)
    assert program.json()["error"] == {"code": trouble.code, "message": str(trouble.message)}
    assert "Nothing that was confirmed to you is lost" in page.content.decode()
    assert "<html" in page.content.decode() and "<html" not in fragment.content.decode()


def test_trouble_before_any_view_is_told_too(db: None, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is read by a middleware of ours or Django's, outside of every view."""

    def away(*_given: Any) -> None:
        raise by_django(psycopg.errors.AdminShutdown("terminating"))

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore._get_session_from_db", away)
    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    for path, kind in (("/p/x/label", "text/html"), ("/api/v1/me", "application/json")):
        answer = client.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer["Content-Type"].startswith(kind)


def test_health_writes_to_the_database_beyond_its_memory(db: None) -> None:
    """The probe is worth nothing if the server sorts it in memory: it has to write a file."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + vitals._WRITE)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "external" in plan and "Disk:" in plan, plan


def open_full(**_where: Any) -> Any:
    return open("/dev/full", "wb")  # every write to it fails as on a full disk


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda patch: patch.setattr(tempfile, "TemporaryFile", open_full), "disk full"),
        (lambda patch: patch.setattr(vitals, "_WRITE", "SELECT 1 / 0"), "database unreachable"),
        (lambda patch: patch.setattr(vitals, "_folders", lambda: ["/nowhere"]), "disk unusable"),
        (lambda patch: None, ""),
    ],
)
def test_health_says_what_is_wrong(
    db: None, monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None], said: str
) -> None:
    broken(monkeypatch)
    assert vitals._look() == said


def test_a_database_that_takes_no_changes_is_not_well(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    where = connection.get_connection_params()
    read_only = where | {"options": "-c default_transaction_read_only=on"}
    monkeypatch.setattr(connection, "get_connection_params", lambda: read_only, raising=False)
    assert vitals._look() == "database read only"
