"""Look for words and bytes wherever anything is kept: every column of every table, files and their names, the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from psycopg import sql

_TABLES = r"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""


def in_tables(words: Iterable[str]) -> list[str]:
    """``table: word`` of each table in which some row, written as text, has the word; bytes are written as hex."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for schema, table in cursor.fetchall():
            for word in words:
                cursor.execute(
                    sql.SQL("SELECT 1 FROM {} t WHERE position(%s IN t::text) > 0 LIMIT 1").format(
                        sql.Identifier(schema, table)
                    ),
                    [word],
                )
                if cursor.fetchone():
                    found.append(f"{table}: {word}")
    return found


def in_index(project_id: int, text: str) -> bool:
    """Whether the index of names knows a photo of this name."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            """
            SELECT 1 FROM catalog_item i, generate_series(0, 10000) block
            WHERE catalog_name_parts(i.project_id, i.source, i.name, i.id) @> catalog_text_parts(%s, block, %s) LIMIT 1
            """,
            [project_id, text],
        )
        return cursor.fetchone() is not None


def in_files(pieces: Iterable[bytes], folders: Iterable[Path]) -> list[str]:
    """Names of files in the store and in ``folders`` whose name or content has one of the pieces."""
    wanted = list(pieces)
    return [
        name
        for name, data in [*_of_store(), *(each for folder in folders for each in _of_folder(folder))]
        if any(piece in data or piece in name.encode() for piece in wanted)
    ]


def _of_store() -> Iterator[tuple[str, bytes]]:
    if isinstance(default_storage, FileSystemStorage):
        yield from _of_folder(Path(default_storage.location))
        return
    for each in default_storage.bucket.objects.all():  # type: ignore[attr-defined]
        yield each.key, each.get()["Body"].read()


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        yield str(path), path.read_bytes() if path.is_file() else b""
