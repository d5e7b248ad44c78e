"""From blind answers to a verdict: the rule, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from labeling.truth.models import AnswerKind


class Answered(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def label_class_id(self) -> int | None: ...


@dataclass(frozen=True)
class Verdict:
    """``wait`` for more answers, ``agreed`` on a class or on unusable, or ``disputed`` because of a cause."""

    state: Literal["wait", "agreed", "disputed"]
    kind: str = ""
    label_class_id: int | None = None
    cause: str = ""


def verdict(
    answers: Sequence[Answered], *, wanted: int, needed: int, resolution: Mapping[int, int | None]
) -> Verdict:
    """Decide as early as the outcome is certain, so that no answer is asked for in vain.

    ``wanted`` is how many answers a photo gets, ``needed`` how many of them must agree (all, or k of n).
    ``resolution`` maps a class that an answer names to the class it counts as today (merges), or to ``None``
    (retired). A hold, or a class that no longer exists, votes for nothing; so with two answers wanted the
    first hold already sends the photo to review.
    """
    votes: Counter[tuple[str, int | None]] = Counter()
    for answer in answers:
        if answer.kind == AnswerKind.UNUSABLE:
            votes[(AnswerKind.UNUSABLE, None)] += 1
        elif answer.kind == AnswerKind.CLASS and answer.label_class_id is not None:
            counts_as = resolution.get(answer.label_class_id)
            if counts_as is not None:
                votes[(AnswerKind.CLASS, counts_as)] += 1
    leader, most = votes.most_common(1)[0] if votes else ((AnswerKind.HOLD.value, None), 0)
    if most >= needed:
        return Verdict("agreed", kind=leader[0], label_class_id=leader[1])
    if most + max(wanted - len(answers), 0) >= needed:
        return Verdict("wait")
    held = any(answer.kind == AnswerKind.HOLD for answer in answers)
    return Verdict("disputed", cause="hold" if held else "disagreement")
