"""How the database means to do a statement, asked before it runs."""

from __future__ import annotations

from typing import Any

from django.db import connection


class Plans:
    """Explains every statement that holds ``what``, before it runs."""

    def __init__(self, what: str) -> None:
        self.what, self.seen, self._busy = what, "", False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self.what in str(sql) and not self._busy:
            self._busy = True
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql, params)
                self.seen += "\n".join(line for (line,) in cursor.fetchall())
            self._busy = False
        return execute(sql, params, many, context)
