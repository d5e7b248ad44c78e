"""What a channel does with an event, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.notify.models import Endpoint, Event


@dataclass(frozen=True, slots=True)
class Answer:
    """``status``: of HTTP, where there was an answer; ``text``: its first letters; ``error``: why there was none."""

    status: int | None = None
    text: str = ""
    error: str = ""

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a digest. ``body``: none where it is only counted, or what it tells of is gone."""

    event: Event
    body: dict[str, Any] | None
    endpoint_hears_all: bool


#: Sends once. It runs in a thread without a database, and raises nothing.
Send = Callable[[], Answer]
#: An endpoint, an event and its body -> how to send it.
Prepare = Callable[[Endpoint, Event, dict[str, Any]], Send]
#: The same, of all that waits for an endpoint, in one message.
PrepareDigest = Callable[[Endpoint, Sequence[Told]], Send]
