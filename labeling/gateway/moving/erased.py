"""What was erased stays so in a Hilltop that is restored from an older backup: the list lies beside all backups, and goes
with each of them. It holds no photo and no hash of one (``labeling.catalog.erased``).
"""

from __future__ import annotations

import io
import json
from contextlib import suppress

from labeling.catalog.erased import FILE
from labeling.gateway.moving.databases import Session
from labeling.gateway.moving.stores import Store

_ROWS = "SELECT digest, project_id, everywhere, lifted_at IS NOT NULL FROM catalog_erased"


def keep(line: Session, backups_in: Store) -> None:
    """Add what the database lists to the list. What it says of an entry is newer."""
    listed = _read(backups_in) | {(row[0], row[1]): (row[2], row[3]) for row in line.execute(_ROWS)}
    if listed:
        lines = (json.dumps([*key, *listed[key]]) for key in sorted(listed, key=str))
        backups_in.write(FILE, io.BytesIO("\n".join(lines).encode()))


def bring(backups_in: Store, target: Store) -> int:
    """Lay the list into a restored store, where the next look for erased photos finds it; returns how many it has."""
    with suppress(FileNotFoundError), backups_in.open(FILE) as file:
        target.write(FILE, file)
    return len(_read(backups_in))


def _read(backups_in: Store) -> dict[tuple[str, int | None], tuple[bool, bool]]:
    try:
        with backups_in.open(FILE) as file:
            rows = [json.loads(line) for line in file]
    except FileNotFoundError:
        return {}
    return {(digest, project): (everywhere, lifted) for digest, project, everywhere, lifted in rows}
