"""Two projects that make their first space at the same moment: the schema of spaces comes to be once, and both go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from labeling.explorer.compute import tables
from tests.locks import wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


def drop_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS derived CASCADE")


@pytest.fixture(autouse=True)
def _no_schema() -> Iterator[None]:
    drop_schema()
    yield
    drop_schema()


def test_who_comes_second_waits_and_finds_the_schema() -> None:
    failures: list[BaseException] = []

    def make() -> None:
        try:
            tables.make_schema()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=make)
    with transaction.atomic():
        tables.make_schema()
        other.start()
        wait_until_somebody_waits_for_a_lock()
    other.join(20)
    assert not failures and not other.is_alive()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('derived') IS NOT NULL")
        assert cursor.fetchone() == (True,)
