"""Free texts become groups, of which each is proposed as one category: by spelling, by shared words, by their photos' looks.

Nothing here is decided: a proposal says why, and a text of which two categories could be meant is left alone.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from labeling.exchange.spelling import are_one, is_opposite, words_of

#: Share of what two texts say, weighed by how few texts say it, from which they are proposed as one category (a weighted
#: Jaccard index; the weights are those of Sparck Jones, 1972, https://doi.org/10.1108/eb026526).
SHARED = 0.5
#: From here a text is shown as a similar one.
SIMILAR = 0.3
MOST_SIMILAR = 3
ITSELF, SPELLING, WORDS, LOOKS = "itself", "spelling", "words", "looks"
#: A text's key, keys of others -> the one that its photos look like, how many of them do, of how many; or nothing.
Looks = Callable[[str, Sequence[str]], tuple[str, int, int] | None]


@dataclass(frozen=True)
class Text:
    """``key``: as :func:`~labeling.text.spelling.spelled` gives it; ``category``: what an admin said, if one did."""

    key: str
    text: str
    count: int
    category: str = ""


@dataclass
class Proposal:
    """``why``: one of the four; ``like``: key of the text that it is like; ``similar``: keys of others that share words.

    ``looks``: of how many photos, how many look like those of ``like``.
    """

    category: str
    why: str
    like: str = ""
    similar: list[str] = field(default_factory=list)
    looks: tuple[int, int] | None = None


def propose(
    texts: Iterable[Text], categories: Iterable[str], looks: Looks | None = None
) -> dict[str, Proposal]:
    """Key -> what is proposed, of each text of which nobody has said anything. ``categories``: those that there are.

    The most frequent text of a group names it, unless one of them is a category already. One text leads a group and all
    others are like that one, so no chain of small differences joins two ends that differ.
    """
    ordered = sorted(texts, key=lambda text: (-text.count, text.key))
    named = [Text(f"\0{name}", name, 0, name) for name in categories]
    leaders = [*named, *(text for text in ordered if text.category)]
    words = {text.key: words_of(text.text) for text in [*leaders, *ordered]}
    open_texts = [text for text in ordered if not text.category]
    made: dict[str, Proposal] = {}
    spellings = _Spellings(words)
    for leader in leaders:
        spellings.add(leader.key)
    category = {leader.key: leader.category for leader in leaders}
    alone: list[Text] = []
    for text in open_texts:
        meant = _only(spellings.like(text.key), category)
        if meant is not None:
            made[text.key] = Proposal(category[meant], SPELLING, meant)
            continue
        alone.append(text)
        spellings.add(text.key)
        category[text.key] = text.text
    shared = _Shared({key: words[key] for key in category})
    led: dict[str, str] = {}
    place = {key: number for number, key in enumerate(category)}
    for text in reversed(alone):  # the rarest first: it joins what is said more often
        near = [
            (score, key)
            for score, key in shared.with_(text.key)
            if place[key] < place[text.key] and score >= SHARED
        ]
        meant = None if text.key in led.values() else _only([key for _score, key in near], category)
        if meant is not None:
            led[text.key] = meant
        made[text.key] = Proposal(
            category[meant] if meant else text.text, WORDS if meant else ITSELF, meant or ""
        )
    if looks is not None:
        _by_looks(made, [text.key for text in alone], category, looks)
    for key, proposal in made.items():
        proposal.like = proposal.like.removeprefix("\0")
        if key in category:
            near = sorted(shared.with_(key), reverse=True)
            proposal.similar = [
                other.removeprefix("\0")
                for score, other in near
                if score >= SIMILAR and other != led.get(key)
            ][:MOST_SIMILAR]
    return made


def _only(keys: Iterable[str], category: Mapping[str, str]) -> str | None:
    """The first of them, where all are one category."""
    found = list(keys)
    return found[0] if len({category[key] for key in found}) == 1 else None


def _by_looks(
    made: dict[str, Proposal], alone: Sequence[str], category: Mapping[str, str], looks: Looks
) -> None:
    """Of texts for which no word speaks: those whose photos look like those of one that is said more often, or was said
    to be something. ``alone``: the most frequent first."""
    followed = {proposal.like for proposal in made.values()}
    said = [key for key in category if key not in made and not key.startswith("\0")]
    for place in reversed(range(len(alone))):
        key = alone[place]
        if made[key].why != ITSELF or key in followed:
            continue
        others = [*said, *(other for other in alone[:place] if made[other].why == ITSELF)]
        if found := looks(key, others):
            like, alike, of = found
            followed.add(like)
            made[key] = Proposal(category[like], LOOKS, like, looks=(alike, of))


class _Spellings:
    """Texts that lead, found by their spelling: those that share a word or the two letters at either end are compared."""

    def __init__(self, words: Mapping[str, list[str]]) -> None:
        self._words = words
        self._by: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, key: str) -> None:
        for sign in self._signs(key):
            self._by[sign].append(key)

    def like(self, key: str) -> list[str]:
        near = dict.fromkeys(other for sign in self._signs(key) for other in self._by[sign])
        return [other for other in near if are_one(self._words[key], self._words[other])]

    def _signs(self, key: str) -> set[str]:
        glued = "".join(self._words[key])
        return {*self._words[key], f"^{glued[:2]}", f"{glued[-2:]}$"} if glued else set()


class _Shared:
    """How much of what texts say they have in common. Korean words run together, so their pairs of syllables are words."""

    def __init__(self, words: Mapping[str, list[str]]) -> None:
        self._parts = {key: _parts(each) for key, each in words.items()}
        self._words = words
        said = Counter(part for parts in self._parts.values() for part in parts)
        self._weight = {part: math.log(1 + len(words) / n) for part, n in said.items()}
        self._by: defaultdict[str, list[str]] = defaultdict(list)
        for key, parts in self._parts.items():
            for part in parts:
                self._by[part].append(key)

    def with_(self, key: str) -> list[tuple[float, str]]:
        """(score, key) of the other texts that share anything, 0 to 1; of opposites nothing."""
        mine = self._parts[key]
        found = []
        for other in dict.fromkeys(other for part in mine for other in self._by[part]):
            theirs = self._parts[other]
            if other == key or is_opposite(self._words[key], self._words[other]):
                continue
            both = sum(self._weight[part] for part in mine & theirs)
            found.append((both / sum(self._weight[part] for part in mine | theirs), other))
        return found


def _parts(words: Sequence[str]) -> set[str]:
    korean = "".join(word for word in words if "가" <= word[0] <= "힣")
    others = {word for word in words if not "가" <= word[0] <= "힣"}
    return others | {korean[at : at + 2] for at in range(max(1, len(korean) - 1)) if korean}
