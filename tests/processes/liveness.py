"""Whether a process is still there. One that has ended and was not yet collected by its parent is not."""

from __future__ import annotations

import time
from pathlib import Path


def lives(pid: int | str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int | str, timeout: float = 60.0) -> bool:
    deadline = time.monotonic() + timeout
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not lives(pid)
