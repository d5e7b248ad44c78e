"""The benchmark's bookkeeping of assisted labels and of the delivered set: no decision is forgotten, none counted twice."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.frontier_model import Learned
from benchmarks.frontier_promises import (
    Answered,
    Promise,
    assisted,
    baselines,
    delivered,
    promises,
    summarise,
)
from benchmarks.frontier_stream import Stream


def _people(errors: float, photos: int = 6000) -> Answered:
    """A model that is wrong so often, whatever it says, and people who are hardly ever."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, photos)
    says = np.where(rng.random(photos) < errors, 1 - truth, truth)
    doubt = rng.uniform(0.0, 2.0 * errors, photos)
    proba = np.stack([np.where(says == 0, 1 - doubt, doubt), np.where(says == 1, 1 - doubt, doubt)], axis=1)
    first, second = (np.where(rng.random(photos) < 0.01, 1 - truth, truth) for _ in range(2))
    taught = np.arange(100)
    learned = Learned(taught, truth[:100], 207, taught, proba, proba[:100], "logistic", "lite0", "0" * 64)
    return Answered(Stream(proba, truth, first, second, truth), learned, seed=1)


@pytest.mark.parametrize("row", [assisted, delivered], ids=lambda each: each.__name__)
def test_where_nothing_is_proven_all_is_strict_work(row) -> None:
    people = _people(errors=0.4)
    found = row(people, 0.98, Promise(60))
    assert (found["automatic_share"], found["assisted_share"]) == (0.0, 0.0)
    assert found["human_decisions"] == 207 + people.cost.sum()
    assert found["delivered_precision"] == 1.0


@pytest.mark.parametrize("row", [assisted, delivered], ids=lambda each: each.__name__)
def test_each_photo_goes_one_way_and_its_decisions_are_counted_once(row) -> None:
    people = _people(errors=0.04)
    found = row(people, 0.9, Promise(900))
    photos = len(people.stream)
    alone, helped = (round(found[name] * photos) for name in ("automatic_share", "assisted_share"))
    assert alone > 0.5 * photos
    # All that is neither got two answers or more; what certified is among it.
    strict = photos - alone - helped
    assert strict >= 900
    least, most = 207 + helped + 2 * strict, 207 + helped + 3 * strict
    assert least <= found["human_decisions"] <= most
    assert found["efficiency"] == people.cost.sum() / found["human_decisions"]


def test_without_a_machine_one_answer_is_compared_with_strict_labels() -> None:
    people = _people(errors=0.1)
    found = baselines(people)
    assert found["strict"]["efficiency"] == 1.0
    assert found["one_each"]["efficiency"] == people.cost.mean()
    assert found["one_each"]["precision"] == (people.stream.first == people.strict).mean()


def test_rows_say_what_they_state_and_how_many_seeds_fall_below_it() -> None:
    people = _people(errors=0.04)
    found = [promises(people.stream, people.learned, seed, (0.9, 0.95)) for seed in (1, 2)]
    told = summarise(found, (0.9, 0.95), len(people.stream))
    assert set(told["0.90"]) == {"assisted", "delivered", "lower_floor", "baselines"}
    assert set(told["0.95"]) == {"assisted", "delivered", "baselines"}
    assert told["0.95"]["assisted"]["stated"] == {"machine": 0.95, "assisted": 0.95}
    assert told["0.95"]["delivered"]["stated"] == {"machine": 0.9, "delivered": 0.95}
    row = told["0.90"]["delivered"]
    assert len(row["efficiency_by_seed"]) == 2
    assert row["seeds_below"] == {"machine": 0, "delivered": 0}
    assert row["images_per_human_decision"] == pytest.approx(6000 / row["human_decisions"], rel=1e-3)
