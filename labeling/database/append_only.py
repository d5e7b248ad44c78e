"""What was appended is never overwritten; its content may be erased, and by one way only
(docs/decisions/0043-what-is-erased.md).

The database lets a column that was named be emptied, and nothing else be changed, in a transaction that says that it erases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pgtrigger
from django.db import connection, transaction

_SETTING = "hilltop.erasing"
#: SQL: this transaction erases.
ERASES = f"current_setting('{_SETTING}', true) = 'on'"
#: The trigger of a table that only grows, and of which nothing may be erased.
APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def append_only(
    *, texts: Sequence[str] = (), objects: Sequence[str] = (), rows: bool = False
) -> pgtrigger.Trigger:
    """The trigger of a table that only grows, but for what may be erased of it.

    Args:
        texts: columns of text that may become ''.
        objects: columns of JSON of which parts may be taken away, and to which none may be added.
        rows: whether whole rows may go.
    """
    content = ", ".join(f"'{name}'" for name in (*texts, *objects))
    kept = [f"NEW.{name} IN ('', OLD.{name})" for name in texts] + [
        f"OLD.{name} @> NEW.{name}" for name in objects
    ]
    emptied = " AND ".join([f"to_jsonb(NEW) - ARRAY[{content}] = to_jsonb(OLD) - ARRAY[{content}]", *kept])
    lines = []
    if content:
        lines.append(f"IF TG_OP = 'UPDATE' AND {ERASES} THEN IF {emptied} THEN RETURN NEW; END IF; END IF;")
    if rows:
        lines.append(f"IF TG_OP = 'DELETE' AND {ERASES} THEN RETURN OLD; END IF;")
    lines.append("RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;")
    return pgtrigger.Trigger(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=" ".join(lines),
    )


@contextmanager
def erasing() -> Iterator[None]:
    """A transaction in which content may be emptied."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [_SETTING])
        yield
        cursor.execute("SELECT set_config(%s, '', true)", [_SETTING])
