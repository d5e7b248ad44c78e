"""Questions about an untrusted file, answered by a process of its own (:mod:`inference.brought_in.trial`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from inference.brought_in.refusals import NotTaken
from inference.brought_in.trial import SECONDS


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """The answer. Raises :class:`NotTaken` where the file is refused, or ends the process."""
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "inference.brought_in.trial"],
            input=json.dumps(question),
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
        )
        told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise NotTaken(f"The model did not answer for four photos within {2 * SECONDS}\u00a0s.") from None
    except (ValueError, IndexError):
        raise NotTaken(
            f"The model ended the process that tried it (code {ran.returncode}): it takes more than {SECONDS}\u00a0s or too "
            f"much memory, or is damaged. {ran.stderr.strip()[-300:]}"
        ) from None
    if "refused" in told:  # it may quote the file, which may hold what no database takes as text
        raise NotTaken("".join(each for each in told["refused"][:2000] if each.isprintable() or each == "\n"))
    return told
