"""What fuzzing has found, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.fuzz.requests import says_why

#: Seconds after which an answer, or an intake of a few small files, counts as none.
PATIENCE_S = 60.0


@dataclass
class Found:
    """``cases``: by what was made up."""

    cases: Counter[str] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    without_reason: list[str] = field(default_factory=list)
    #: Answers that are not as the schema publishes them; good files that did not come in because of others.
    unlike_schema: list[str] = field(default_factory=list)
    good_lost: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def answer(self, what: str, status: int, content: bytes) -> None:
        """An answer to a request, whatever it says."""
        if status >= 500:
            self.server_errors.append(f"{status} {what}: {content[:300]!r}")
        elif not says_why(status, content):
            self.without_reason.append(f"{status} {what}: {content[:300]!r}")
