"""What a statement finds, where it is written as text."""

from __future__ import annotations

from typing import Any

from django.db import connection


def rows(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
