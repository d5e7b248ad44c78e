"""What a photo's answers come to by the rules of strictness, worked out from an export alone.

Written from docs/architecture.md and docs/api.md, and apart from the code that it checks, on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.exports import Said

#: What the rule itself brings before a reviewer; the other causes are people's and the model's.
BY_RULE = {"disagreement", "hold"}


@dataclass
class Photo:
    """All that was exported of one photo of a project."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    truths: list[dict[str, Any]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def round(self) -> int:
        """Each time that a reviewer sent it back, people are asked anew; twice in a row, too, with no answer in between."""
        sent_back: set[int] = {each["round"] for each in self.answers if each["ruling"] == "send_back"}
        answered: set[int] = {each["round"] for each in self.answers}
        return max(max(sent_back, default=0) + 1, max(answered, default=1))

    def __str__(self) -> str:
        """What whoever looks for the cause of a breach wants to know."""
        told = ("round", "labeler", "kind", "class", "draw", "retracted_at", "ruling")
        return f"answers {[[each[name] for name in told] for each in self.answers]}, truths {self.truths}, open {self.open}"

    @property
    def standing(self) -> list[dict[str, Any]]:
        """Answers of this round that count: not taken back, and not to a question whose answer was known."""
        return [
            each
            for each in self.answers
            if each["round"] == self.round and each["retracted_at"] is None and each["draw"] != "gold"
        ]


def photos_of(said: Said) -> dict[str, Photo]:
    photos: dict[str, Photo] = defaultdict(Photo)
    for answer in said.annotations:
        photos[answer["sha256"]].answers.append(answer)
    for truth in said.truths:
        photos[truth["sha256"]].truths.append(truth)
    for sha256, causes in said.open_disputes.items():
        photos[sha256].open = causes
    return dict(photos)


def verdict(said: Said, photo: Photo) -> tuple[str, str, str]:
    """(``wait``, ``agreed`` or ``disputed``; kind and class of what was agreed on)."""
    answers, settings = photo.standing, said.settings
    wanted = settings["answers_per_image"]
    needed = wanted if settings["rule"] == "unanimous" else settings["agreement_k"]
    votes: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        if answer["kind"] == "unusable":
            votes["unusable", ""] += 1
        elif answer["kind"] == "class" and (class_ := said.counts_as.get(answer["class"], "")):
            votes["class", class_] += 1
    (kind, class_), most = votes.most_common(1)[0] if votes else (("", ""), 0)
    if most >= needed:
        return "agreed", kind, class_
    can_still_come = max(wanted - len(answers), 0)
    return ("wait" if most + can_still_come >= needed else "disputed"), "", ""


def wrong_with(said: Said, sha256: str, photo: Photo) -> str:
    """Why what Hilltop made of this photo is not what the rules make of it; nothing where all is well."""
    if chain := _broken_chain(photo.truths):
        return chain
    in_force = [truth for truth in photo.truths if truth["in_force"]]
    state, kind, class_ = verdict(said, photo)
    if not in_force:
        if photo.open:
            by_rule = set(photo.open) <= BY_RULE
            return f"in dispute, and the answers {state}" if by_rule and state != "disputed" else ""
        if state != "wait":
            return f"the answers are {state} ({kind} {class_}), and nothing came of it"
        return ""
    truth = in_force[0]
    now = said.counts_as.get(truth["class"], "") if truth["kind"] == "class" else ""
    if truth["origin"] == "gold":
        return "" if sha256 in said.gold else "known beforehand, and nobody said so"
    if truth["origin"] == "ruling":
        as_ruled = {"class": "class", "hold": "hold", "unusable": "unusable"}.get(truth["ruling"] or "")
        return "" if as_ruled == truth["kind"] else f"a {truth['kind']} by a ruling of {truth['ruling']}"
    if truth["origin"] == "assisted":
        votes = {said.counts_as.get(each["class"], "") for each in photo.standing}
        return "" if votes == {now} else f"settled by one answer as {now}, and the answers say {votes}"
    if (state, kind, class_) != ("agreed", truth["kind"], now):
        return f"{truth['kind']} {now} by agreement, and the answers are {state} ({kind} {class_})"
    return ""


def _broken_chain(truths: list[dict[str, Any]]) -> str:
    """Each ground truth follows one other, and one is followed by none."""
    follows = Counter(truth["supersedes"] for truth in truths)
    if any(count > 1 for count in follows.values()):
        return "two ground truths follow upon the same"
    if sum(truth["in_force"] for truth in truths) > 1:
        return "two ground truths are in force"
    return ""
