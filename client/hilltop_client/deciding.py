"""What an agent asks: a photo goes in, and a decision comes out, or that it is held until a person has looked.

Asking again is harmless: a photo is known by its bytes, and is decided once.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilltop_client.connection import Connection

#: The most that the server lets a request wait.
LONGEST_WAIT_S = 30.0
#: Nobody knows yet who decides: the photo is on its way to its score.
ON_ITS_WAY = frozenset({"new", "not_scored", "not_looked_at"})


@dataclass(frozen=True)
class Answer:
    """``by``: machine, people or queue. ``label``: a class's key, or nothing. ``stated``: precision, where one is promised.

    ``told``: all that the API said. ``sha256``: by which to ask again. ``secret``: what signs calls back of this account,
    with the first of them only.
    """

    sha256: str
    by: str
    label: str
    reason: str
    promise: str
    stated: float | None
    told: dict[str, Any]
    secret: str = ""

    @property
    def held(self) -> bool:
        """People are to decide, or it is not known yet who does: ask again by ``sha256``."""
        return self.by == "queue"


def decide(
    connection: Connection,
    slug: str,
    photo: Path | bytes | str,
    *,
    deadline: float,
    strict: bool,
    callback: str = "",
) -> Answer:
    """Send or name a photo, and wait for up to ``deadline`` seconds for who decides it. People are not waited for:
    with ``callback``, an https address, that one is told once they, or the machine, have decided.

    Raises :class:`~hilltop_client.HilltopError`: where the photo cannot come in (its code says why), or ``not_found`` for a
    hash that the project does not hold.
    """
    until, secret = time.monotonic() + deadline, ""
    form = ({"promise": "strict"} if strict else {}) | ({"callback": callback} if callback else {})
    data = photo.read_bytes() if isinstance(photo, Path) else photo
    sha256 = data if isinstance(data, str) else hashlib.sha256(data).hexdigest()
    sent: dict[str, Any] = {"json": form | {"sha256": sha256}}
    if not isinstance(data, str):
        sent = {"files": {"photo": ("photo", data)}, "data": form}
    while True:
        wait = max(0.0, min(LONGEST_WAIT_S, until - time.monotonic()))
        answer = connection.send(
            "POST", f"projects/{slug}/decide", params={"wait": f"{wait:.2f}"}, timeout=wait + 30, **sent
        ).json()
        secret = secret or (answer.get("callback") or {}).get("secret", "")
        if answer["by"] != "queue" or answer["reason"] not in ON_ITS_WAY or time.monotonic() >= until:
            return Answer(
                sha256,
                answer["by"],
                answer["class"],
                answer["reason"],
                answer["promise"],
                answer["stated"],
                answer,
                secret,
            )
        sent = {"json": form | {"sha256": sha256}}
