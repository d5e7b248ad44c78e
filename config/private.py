"""What Hilltop writes is its own account's alone: photos, staged uploads, embeddings, models, temporary files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


def keep_private(folders: Iterable[Path]) -> None:
    """From now on this process, and those that it starts, write for their own account only; and ``folders`` are closed.

    Those may be there from a version that left them open to everybody. Whatever cannot be entered cannot be read, so
    what is in them stays as it is. A folder that somebody else owns is theirs to close.
    """
    os.umask(0o077)
    for folder in folders:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            folder.chmod(0o700)
