"""A database that an older Hilltop made opens in this one, and goes back to it, with every row that it held."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from django.test import Client
from django.utils import timezone
from knox.crypto import hash_token

from benchmarks.grown import grow
from labeling.monitors.models import MonitorAlert, MonitorReading, MonitorThresholds
from labeling.people.models import Token
from labeling.queue import entry_counts, placing
from labeling.truth import tallies
from labeling.truth.models import Dispute, OpenDispute, Tally
from tests.factories import make_member, make_project, make_user
from tests.gateway.conftest import make_world

#: The last migrations of 2026-11-28, before the monitors left the frontier.
BEFORE = [("frontier", "0005_watch_by_guideline"), ("monitors", None)]
TABLES = ("monitorthresholds", "monitorreading", "monitoralert", "alertacknowledgement", "alertclosing")


def migrate(*targets: tuple[str, str | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered while a check waits
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


def content(room: str) -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {room}_{table} t ORDER BY id")
            found[table] = [json.loads(row) for (row,) in cursor.fetchall()]
    return found


def add(table: str, **values: Any) -> int:
    columns = ", ".join(f'"{name}"' for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
            list(values.values()),
        )
        (row_id,) = cursor.fetchone()
    return int(row_id)


@pytest.mark.django_db
def test_the_monitors_of_an_older_database_are_all_there_after_the_move() -> None:
    project = make_project()
    admin = make_member(project, "anna", "admin")
    migrate(*BEFORE)
    now = "2026-11-28T12:00:00Z"
    add(
        "frontier_monitorthresholds",
        project_id=project.pk, drift_level=0.01, window=50, calibration=0.1, agreement=0.8, speed=3, queue_days=5,
        by_id=admin.pk, reason="spring", created_at=now,
    )  # fmt: skip
    first = {
        "project_id": project.pk,
        "monitor": "queue",
        "threshold": 5,
        "figures": '{"pool": 3}',
        "at": now,
    }
    bad = add(
        "frontier_monitorreading", **first, state="alert", value=9, item_ids=[7, 8], evidence="old"
    )  # fmt: skip
    good = add("frontier_monitorreading", **first, state="ok", value=1, item_ids=[], evidence="new")
    alert = add(
        "frontier_monitoralert", project_id=project.pk, monitor="queue", reading_id=bad, opened_at=now
    )
    add("frontier_alertacknowledgement", alert_id=alert, by_id=admin.pk, note="seen", created_at=now)
    add("frontier_alertclosing", alert_id=alert, reading_id=good, created_at=now)
    before = content("frontier")
    assert all(before.values())

    migrate()
    assert content("monitors") == before
    assert MonitorThresholds.objects.get(project=project).reason == "spring"
    told = MonitorAlert.objects.get(project=project)
    assert (told.reading.item_ids, told.acknowledgement.note, told.closing.reading_id) == (
        [7, 8],
        "seen",
        good,
    )
    assert not MonitorAlert.objects.open().exists()
    for model in apps.get_app_config("monitors").get_models():
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            model._base_manager.update(id=F("id"))
    another = MonitorReading.objects.create(
        project=project, monitor="queue", state="ok", value=2, evidence="newer"
    )
    assert another.pk > good, "ids go on from where they were"

    migrate(*BEFORE)
    after = content("frontier")
    assert after.pop("monitorreading")[:2] == before.pop("monitorreading")
    assert after == before
    migrate()
    assert MonitorReading.objects.count() == 3


@pytest.mark.django_db
def test_tokens_of_an_older_database_open_what_they_opened_and_get_an_end() -> None:
    mina = make_user("mina")
    migrate(("people", "0002_rate_limits"))
    text = "a1" * 32
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO knox_authtoken (digest, token_key, created, user_id) VALUES (%s, %s, now(), %s)",
            [hash_token(text), text[:15], mina.pk],
        )
    migrate()
    token = Token.objects.get()
    assert (token.name, token.used_at) == ("Made earlier", None)
    assert timedelta(days=89) < token.expiry - timezone.now() <= timedelta(days=90)
    assert Client().get("/api/v1/me", headers={"Authorization": f"Token {text}"}).status_code == 200
    migrate(("people", "0002_rate_limits"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM knox_authtoken")
        assert cursor.fetchall() == [(hash_token(text),)]
    migrate()


@pytest.mark.django_db
def test_the_models_and_the_migrations_say_the_same() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def _counted() -> tuple[dict[tuple[Any, ...], int], dict[Any, bool]]:
    """All kept counts, and which disputes are open: of each whether it is held."""
    sums = Counter[tuple[Any, ...]]()
    for project, what, at, key, *figures in Tally.objects.values_list(
        "project", "what", "at", "key", "n", "amount"
    ):
        for name, figure in zip(("n", "amount"), figures, strict=True):
            sums[project, what, at, tuple(key), name] += figure
    return {each: n for each, n in sums.items() if n}, dict(
        OpenDispute.objects.values_list("dispute", "held")
    )


def _kept_by_the_database() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'tally%' AND NOT tgisinternal)
                   + (SELECT count(*) FROM pg_proc WHERE proname ~ '^(truth|queue)_(tally|open_disputes|placed?)')
                   + (SELECT count(*) FROM pg_class
                      WHERE relname IN ('truth_tally', 'truth_opendispute', 'truth_contribution', 'queue_placed',
                                        'queue_placement'))
            """
        )
        return int(cursor.fetchone()[0])


def _mend() -> int:
    return tallies.mend() + entry_counts.mend() + placing.mend()


@pytest.mark.django_db
def test_a_database_of_before_counts_were_kept_is_counted_once_and_goes_back() -> None:
    world = make_world()
    grow(world, 300, differ=0.6, decided=0.3)
    Dispute.objects.create(
        project=world.project, item=world.items[4], round=9, cause="disagreement", held=True
    )
    _mend()
    sums, disputes = _counted()
    told = {what for _project, what, *_rest in sums}
    assert {"answers", "units", "truths", "disputes", "disputed", "photos", "entries", "placed"} <= told
    assert set(disputes.values()) == {True, False}
    kept = _kept_by_the_database()

    migrate(("truth", "0006_strict_at_the_boundary"))
    assert _kept_by_the_database() == 0
    back = {("catalog", "0027_erased_metadata"), ("erasure", "0002_searches"), ("erasure", "0003_looked_for")}
    assert back.isdisjoint(MigrationRecorder(connection).applied_migrations()), (
        "what came after it goes back too"
    )
    migrate()
    assert _kept_by_the_database() == kept
    assert _counted() == (sums, disputes)
    assert _mend() == 0
