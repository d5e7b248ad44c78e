"""What a channel does with an event, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.notify.models import Delivery, Endpoint, Event


@dataclass(frozen=True, slots=True)
class Answer:
    """``status``: of HTTP, where there was an answer; ``text``: its first letters; ``error``: why nothing was taken.

    ``rest``: for so many seconds the endpoint is sent nothing more. ``keep``: writes down what an answer that took it said.
    """

    status: int | None = None
    text: str = ""
    error: str = ""
    rest: float = 0.0
    keep: Callable[[], object] | None = None

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
#: The same, of several events in one message.
PrepareDigest = Callable[[Endpoint, Sequence[Told]], Send]
#: An endpoint and all that waits for it, in order -> what of it goes out in the next message, and how that is made.
Choose = Callable[[Endpoint, Sequence[Delivery]], tuple[Sequence[Delivery], PrepareDigest]]
