"""Several small counts of different tables, in one query: a page that asks whether anything waits asks many tables."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet


def counted_together(*sets: QuerySet[Any]) -> list[int]:
    """How many rows each of them has, in their order."""
    counted = [each.order_by().values("pk").query.sql_with_params() for each in sets]
    columns = ", ".join(f"(SELECT count(*) FROM ({sql}) each)" for sql, _given in counted)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [value for _sql, given in counted for value in given])
        return list(cursor.fetchone())
