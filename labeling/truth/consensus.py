"""From blind answers to a consensus, or to none: the rule, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from labeling.truth.models import AnswerKind


class Answered(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def label_class_id(self) -> int | None: ...


A = TypeVar("A", bound=Answered)


@dataclass(frozen=True)
class Consensus:
    """``wait`` for more answers, ``agreed`` on a class or on unusable, or ``disputed`` because of a cause."""

    state: Literal["wait", "agreed", "disputed"]
    kind: str = ""
    label_class_id: int | None = None
    cause: str = ""


def consensus(
    answers: Sequence[Answered], *, wanted: int, needed: int, resolution: Mapping[int, int | None]
) -> Consensus:
    """Decide as early as the outcome is certain, so that no answer is asked for in vain.

    ``wanted`` is how many answers a photo gets, ``needed`` how many of them must agree (all, or k of n).
    ``resolution`` maps a class that an answer names to the class it counts as today (merges), or to ``None``
    (retired). A hold, or a class that no longer exists, votes for nothing; so with two answers wanted the
    first hold already sends the photo to review.
    """
    given = [_vote(answer, resolution) for answer in answers]
    votes = Counter(vote for vote in given if vote is not None)
    leader, most = votes.most_common(1)[0] if votes else ((AnswerKind.HOLD.value, None), 0)
    if most >= needed:
        return Consensus("agreed", kind=leader[0], label_class_id=leader[1])
    if most + max(wanted - len(answers), 0) >= needed:
        return Consensus("wait")
    held = any(answer.kind == AnswerKind.HOLD for answer in answers)
    return Consensus("disputed", cause="hold" if held else "disagreement")


def agreeing(answers: Sequence[A], agreed: Consensus, resolution: Mapping[int, int | None]) -> list[A]:
    """The answers that an ``agreed`` consensus rests on; with k of n there may be others."""
    return [each for each in answers if _vote(each, resolution) == (agreed.kind, agreed.label_class_id)]


def count_as(answers: Sequence[Answered], label_class_id: int, resolution: Mapping[int, int | None]) -> bool:
    """Whether there are answers, and all of them vote for this class as it counts today."""
    wanted = (AnswerKind.CLASS.value, resolution.get(label_class_id))
    return bool(answers) and all(_vote(each, resolution) == wanted for each in answers)


def _vote(answer: Answered, resolution: Mapping[int, int | None]) -> tuple[str, int | None] | None:
    if answer.kind == AnswerKind.UNUSABLE:
        return AnswerKind.UNUSABLE.value, None
    if answer.kind == AnswerKind.CLASS and answer.label_class_id is not None:
        counts_as = resolution.get(answer.label_class_id)
        return None if counts_as is None else (AnswerKind.CLASS.value, counts_as)
    return None
