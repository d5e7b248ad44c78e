"""Which texts are one, and which categories are proposed for them, and why."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import numpy as np
import pytest

from labeling.exchange.categories.compute.looks import closeness, nearest
from labeling.exchange.categories.grouping import Text, propose
from labeling.exchange.spelling import are_one, words_of
from labeling.text.spelling import spelled

ONE = [
    ("Foam wash", "foam-WASH"),
    ("foam wash", "wash, foam"),
    ("foam wash", "foamwash"),
    ("foam wash", "foam wahs"),
    ("tyre replacement", "tyre replacment"),
    ("엔진오일 교환", "엔진 오일교환"),
    ("엔진오일 교환", normalize("NFD", "엔진오일교한")),
    ("세차(거품)", "거품 세차"),
]
TWO = [
    ("교환", "교체"),
    ("front bumper", "rear bumper"),
    ("앞범퍼 도색", "뒷범퍼 도색"),
    ("내부 기계세차", "외부 기계세차"),
    ("내부기계세차", "외부기계세차"),
    ("service at 5000 km", "service at 6000 km"),
    ("left", "lift"),
    ("세차", "세척"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_one_text_in_two_spellings(one: str, other: str) -> None:
    assert are_one(words_of(one), words_of(other)) and are_one(words_of(other), words_of(one))


@pytest.mark.parametrize(("one", "other"), TWO)
def test_two_texts_that_look_alike(one: str, other: str) -> None:
    assert not are_one(words_of(one), words_of(other)) and not are_one(words_of(other), words_of(one))


def proposed(*texts: tuple[str, int] | tuple[str, int, str], looks: Any = None) -> dict[str, tuple[str, str]]:
    """Text -> (category, why)."""
    rows = [Text(spelled(each[0]), *each) for each in texts]
    made = propose(rows, {row.category for row in rows} - {""}, looks)
    return {row.text: (made[row.key].category, made[row.key].why) for row in rows if row.key in made}


def test_the_most_frequent_text_names_its_group() -> None:
    assert proposed(("oil chnage", 2), ("Oil change", 9), ("engine oil change", 3), ("flat tyre", 1)) == {
        "Oil change": ("Oil change", "itself"),
        "oil chnage": ("Oil change", "spelling"),
        "engine oil change": ("Oil change", "words"),
        "flat tyre": ("flat tyre", "itself"),
    }


def test_a_text_is_proposed_as_what_a_like_one_was_said_to_be() -> None:
    assert proposed(("거품 세차", 5, "Foam wash"), ("거품세챠", 1), ("foam  wash", 2)) == {
        "거품세챠": ("Foam wash", "spelling"),
        "foam  wash": ("Foam wash", "spelling"),
    }


def test_of_two_categories_that_could_be_meant_neither_is_proposed() -> None:
    rows = [("brake pads", 9, "Front axle"), ("brakes pads", 8, "Rear axle"), ("brake padss", 1)]
    assert proposed(*rows) == {"brake padss": ("brake padss", "itself")}


def test_looks_speak_where_no_word_does() -> None:
    asked = []

    def looks(text: str, others: Any) -> tuple[str, int, int] | None:
        asked.append((text, list(others)))
        return ("foam wash", 5, 6) if text == "xx" else None

    made = proposed(("foam wash", 9), ("foam wahs", 2), ("dry", 7), ("xx", 3), looks=looks)
    assert made["xx"] == ("foam wash", "looks")
    assert asked == [("xx", ["foam wash", "dry"]), ("dry", ["foam wash"])]


def test_a_nearest_neighbour_that_is_far_away_is_no_likeness() -> None:
    rng = np.random.default_rng(0)

    def around(*center: float) -> Any:
        rows = np.array(center) + rng.normal(0, 0.01, (8, 3))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    known = {"foam": around(1, 0, 0), "dry": around(0, 1, 0)}
    close = {key: closeness(rows) for key, rows in known.items()}
    like, alike, of = nearest(around(1, 0, 0), known, close)
    assert like == "foam" and alike >= 0.75 * of
    assert nearest(around(0.6, 0.5, 0.7), known, close)[1] == 0
