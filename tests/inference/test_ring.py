"""What one agreeing answer settles, in pools that end and that people take from: exact enumeration, and what counts."""

from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest

from inference.certify import Ladder, Rest, Sample, ring, ways
from inference.certify.agreement import Agreement, certify_agreement
from inference.certify.ring import Taken, ring_holds

EPS = 1e-9


def draws(sizes: list[int], n: int) -> list[tuple[int, ...]]:
    """All ways in which ``n`` labels can fall into categories of so many photos."""
    return [
        each for each in itertools.product(*(range(min(size, n) + 1) for size in sizes)) if sum(each) == n
    ]


def chance(drawn: tuple[int, ...], held: tuple[int, ...]) -> float:
    """Of these numbers of labels, if the pool holds so many photos of each category."""
    ways_to = 1
    for part, whole in zip(drawn, held, strict=True):
        ways_to *= comb(whole, part)
    return ways_to / comb(sum(held), sum(drawn))


@pytest.mark.parametrize(
    ("photos", "n", "precision", "level"), [(14, 6, 0.7, 0.2), (20, 9, 0.8, 0.1), (20, 6, 0.5, 0.05)]
)
def test_a_spare_that_is_not_there_is_refuted_no_more_often_than_stated(
    photos: int, n: int, precision: float, level: float
) -> None:
    of_agreeing = 0.02
    outcomes = draws([photos, photos, photos], n)
    bounds = {
        (right, wrong, other): (
            ring.agreeing_at_least(right + wrong, n, photos, of_agreeing),
            photos - other,
        )
        for right, wrong, other in outcomes
    }
    worst = 0.0
    for agreeing in range(photos, -1, -2):
        for shared in range(0, agreeing + 1, 1 + agreeing // 8):
            # What it has, and the least bit more.
            spare = max((1 - precision) * agreeing - shared, 0.0) + 1e-6
            falsely = 0.0
            for outcome, (least, most) in bounds.items():
                probability = chance_or_0(outcome, (agreeing - shared, shared, photos - agreeing))
                if probability:
                    right, wrong, _other = outcome
                    p = ring.p_of_spare(wrong, right + wrong, spare, precision, least, most)
                    falsely += probability * (p <= level)
            worst = max(worst, falsely)
    assert 0 < worst <= level + of_agreeing + EPS


def chance_or_0(drawn: tuple[int, ...], held: tuple[int, ...]) -> float:
    return chance(drawn, held) if all(a <= b for a, b in zip(drawn, held, strict=True)) else 0.0


def test_nothing_false_is_certified_of_a_small_cohort_by_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes whatever afterwards: a bound that holds of the whole is one of the rest, so it need only be true."""
    monkeypatch.setattr(ways, "SPARE", 0)
    outer, inner, n, delta, precision = 10, 12, 8, 0.3, 0.6
    rungs = {
        "a": Ladder(np.array([0.5, 0.0]), np.array([outer, outer + inner]) / 22, photos=np.array([10, 22]))
    }
    outcomes = [each for each in draws([8] * 5, n) if sum(each[:2]) <= outer]
    found = [_look(outcome, rungs, delta, precision, n) for outcome in outcomes]
    assert any(each.machine is not None and np.isfinite(each.machine) for each in found)
    assert any(each.share_ring > 0 for each in found)
    worst = 0.0
    for wrong, agreeing in itertools.product(range(outer + 1), range(0, inner + 1, 2)):
        for shared in range(0, agreeing + 1, 2):
            held = (outer - wrong, wrong, agreeing - shared, shared, inner - agreeing)
            falsely = sum(
                chance_or_0(outcome, held)
                for outcome, each in zip(outcomes, found, strict=True)
                if each.machine is not None and _says_too_much(each, wrong, agreeing, shared, precision)
            )
            worst = max(worst, falsely)
    assert 0 < worst <= delta + EPS


def _look(
    outcome: tuple[int, ...], rungs: dict[str, Ladder], delta: float, precision: float, n: int
) -> Agreement:
    """Outside all first answers agree; inside some do not, and where they do not the machine is wrong."""
    confidence = np.repeat([0.7, 0.7, 0.2, 0.2, 0.2], outcome)
    correct = np.repeat([True, False, True, False, False], outcome)
    agrees = np.repeat([True, True, True, True, False], outcome)
    nothing = np.zeros(2, dtype=np.int64)
    return certify_agreement(
        {"a": Sample(confidence, correct)},
        {"a": agrees},
        rungs,
        precision=precision,
        delta=delta,
        planned={"a": n},
        # As if people had taken none yet: all that is proven is to be seen.
        rests={"a": Rest(np.array([10, 22]), nothing)},
        taken={"a": Taken(nothing, nothing)},
    )["a"]


def _says_too_much(found: Agreement, wrong: int, agreeing: int, shared: int, precision: float) -> bool:
    assert found.machine is not None and found.assisted is not None
    machine, of_ring = found.machine, (found.machine, found.assisted)
    too_few = np.isfinite(machine) and found.most_wrong < wrong + (machine < 0.5) * (12 - agreeing + shared)
    held = {
        (np.inf, 0.5): (10, wrong),
        (np.inf, 0.0): (10 + agreeing, wrong + shared),
        (0.5, 0.0): (agreeing, shared),
    }
    if found.share_ring == 0:
        return bool(too_few)
    all_agreeing, all_shared = held[of_ring]
    return bool(too_few or found.ring_spare > (1 - precision) * all_agreeing - all_shared + EPS)


# --- what counts ------------------------------------------------------------------------------------------------------

RUNGS = {"a": Ladder(np.array([0.5, 0.0]), np.array([0.5, 1.0]), photos=np.array([2000, 4000]))}
TOLD = {"precision": 0.9, "delta": 0.05, "planned": {"a": 400}}


def _even(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, correct, agrees: all right and agreed on."""
    return (np.arange(n) + 0.5) / n, np.ones(n, dtype=bool), np.ones(n, dtype=bool)


def test_labels_drawn_from_a_region_and_photos_drawn_twice_are_no_even_sample() -> None:
    confidence, correct, agrees = _even()
    plain = certify_agreement({"a": Sample(confidence, correct)}, {"a": agrees}, RUNGS, **TOLD)["a"]
    # Fifty of the outer region, asked for first and all wrong; ten of them come again by the even draw.
    more = np.concatenate([np.full(50, 0.9), confidence])
    right = np.concatenate([np.zeros(50, dtype=bool), correct])
    frame = np.concatenate([np.full(50, 0.5), np.full(400, -np.inf)])
    photo = np.concatenate([np.arange(50), np.arange(50, 450)])
    photo[-10:] = np.arange(10)
    given = {"a": Sample(more, right, frame, photo)}
    found = certify_agreement(given, {"a": np.ones(450, dtype=bool)}, RUNGS, **TOLD)["a"]
    assert plain.n + plain.ring_n == found.n + found.ring_n == 400
    assert found.errors == found.ring_errors == 0
    twice = np.concatenate([np.arange(399), [0]])
    short = certify_agreement({"a": Sample(confidence, correct, None, twice)}, {"a": agrees}, RUNGS, **TOLD)[
        "a"
    ]
    assert short.machine is None and short.lacks == 1


def test_an_answer_that_agreed_and_was_held_is_wrong_unless_the_project_says_otherwise() -> None:
    confidence, correct, agrees = _even()
    held = np.arange(400) % 4 == 0
    sample = {"a": Sample(confidence, correct & ~held)}
    assert certify_agreement(sample, {"a": agrees}, RUNGS, **TOLD)["a"].assisted is None
    # No error, and no answer that agreed: the ring speaks of photos that people can decide.
    ring_only = {"a": Sample(confidence, correct)}
    found = certify_agreement(ring_only, {"a": agrees & ~held}, RUNGS, **TOLD)["a"]
    assert (
        found.assisted is not None
        and found.n + found.ring_n == 300 + (held & (confidence >= found.machine)).sum()
    )


def test_what_people_take_decides_which_way_still_holds() -> None:
    confidence, correct, agrees = _even()
    given = ({"a": Sample(confidence, correct)}, {"a": agrees & (confidence < 0.5)}, RUNGS)
    nothing = np.zeros(2, dtype=np.int64)

    def look(agreeing: list[int], wrong: list[int]) -> Agreement:
        return certify_agreement(
            *given,
            rests={"a": Rest(np.array([1800, 3600]), nothing)},
            taken={"a": Taken(np.array(agreeing), np.array(wrong))},
            **TOLD,
        )["a"]

    few, many = look([0, 200], [0, 0]), look([0, 2000], [0, 0])
    assert few.share_ring > 0 or few.share_machine == 1.0
    assert ring_holds(few.ring_spare, precision=0.9, agreeing=few.ring_taken, wrong=few.ring_known)
    assert many.assisted is None or many.ring_taken == 0
    # Whoever finds wrong ones in what he takes leaves fewer.
    assert ring_holds(5.0, precision=0.9, agreeing=80, wrong=3) and not ring_holds(
        5.0, precision=0.9, agreeing=90, wrong=3
    )


def test_a_ladder_must_know_its_photos() -> None:
    confidence, correct, agrees = _even()
    endless = {"a": Ladder(np.array([0.5]), np.array([1.0]))}
    with pytest.raises(ValueError, match="photos of its regions"):
        certify_agreement({"a": Sample(confidence, correct)}, {"a": agrees}, endless, **TOLD)
