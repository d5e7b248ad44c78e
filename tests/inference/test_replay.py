"""A replay counts what people would do, treats strategies alike, and measures on photos that nobody labeled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from inference.heads import LogisticHead
from inference.replay import (
    Pace,
    People,
    Point,
    at_decisions,
    compare,
    compare_on,
    pool_beside,
    replay,
    simulate_people,
    split,
    summarise,
)
from inference.strategies import Ordering, Pool, get
from inference.strategies.base import without_model

Columns = npt.NDArray[np.int64]
PACE = Pace(bands=3, boundary_after=40, retrain_every=10, cold_start=10)


def material(n: int = 240, k: int = 2, seed: int = 0) -> tuple[npt.NDArray[np.float32], Columns]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    rows = rng.normal(size=(n, 12))
    rows[np.arange(n), truth] += 2.0
    return rows.astype(np.float32), truth


def believing(truth: Columns, error: float, k: int = 2) -> npt.NDArray[np.float64]:
    belief = np.full((len(truth), k), error / (k - 1))
    belief[np.arange(len(truth)), truth] = 1 - error
    return belief


def points(strategy: str, kind: str = "clean", *, seed: int = 0, k: int = 2, to: int = 60) -> list[Point]:
    X, truth = material(k=k)
    people = simulate_people(kind, truth, believing(truth, 0.2, k), seed)  # type: ignore[arg-type]
    return replay(
        X,
        people,
        strategy,
        test=split(truth, seed),
        seed=seed,
        pace=PACE,
        checkpoints=range(20, to + 1, 10),
    )


@pytest.mark.parametrize("k", [2, 3])
def test_people_err_as_often_as_belief_says(k: int) -> None:
    truth = np.random.default_rng(0).integers(0, k, 20_000)
    belief = believing(truth, 0.3, k)
    clean, noisy, strict = (
        simulate_people(kind, truth, belief, 1)
        for kind in ("clean", "noisy", "strict")  # type: ignore[arg-type]
    )
    assert (clean.ground_truth == truth).all() and clean.decisions.sum() == 20_000
    assert np.mean(noisy.ground_truth != truth) == pytest.approx(0.3, abs=0.01)
    assert noisy.decisions.sum() == 20_000
    # Two answers differ unless both are right or both make the same error.
    same = 0.7**2 + (k - 1) * (0.3 / (k - 1)) ** 2
    assert strict.decisions.mean() == pytest.approx(2 + 1 - same, abs=0.02)
    both_wrong = (k - 1) * (0.3 / (k - 1)) ** 2
    assert np.mean(strict.ground_truth != truth) == pytest.approx(both_wrong + 0.1 * (1 - same), abs=0.01)


def test_three_at_the_boundary_err_less_and_hold_what_they_differ_on() -> None:
    truth = np.random.default_rng(0).integers(0, 2, 20_000)
    belief = believing(truth, 0.3)
    strict, boundary, pairs = (
        simulate_people(kind, truth, belief, 1)
        for kind in ("strict", "boundary", "pairs-held")  # type: ignore[arg-type]
    )
    assert (boundary.ground_truth == strict.ground_truth).all() and boundary.asked(0, at_boundary=False)[
        1
    ] >= 2
    assert boundary.at_boundary is not None and pairs.at_boundary is not None
    said, decisions = boundary.at_boundary
    assert np.mean(said == -1) == pytest.approx(1 - 0.7**3 - 0.3**3, abs=0.01)
    assert np.mean((said != truth) & (said != -1)) == pytest.approx(0.3**3, abs=0.01)
    # The third is spared where the first two differ.
    assert decisions.mean() == pytest.approx(3 - 2 * 0.3 * 0.7, abs=0.02)
    assert np.mean(pairs.at_boundary[0] == -1) == pytest.approx(2 * 0.3 * 0.7, abs=0.01)
    assert (pairs.at_boundary[1] == 2).all()
    assert boundary.asked(5, at_boundary=True) == (said[5], decisions[5])
    assert strict.asked(5, at_boundary=True) == (strict.ground_truth[5], strict.decisions[5])


def test_people_who_are_shown_the_same_err_alike_and_those_of_unlike_skill_err_more() -> None:
    truth = np.random.default_rng(0).integers(0, 2, 20_000)
    belief = believing(truth, 0.3)
    alike = simulate_people("boundary", truth, belief, 1, alike=0.5)
    assert alike.at_boundary is not None
    said = alike.at_boundary[0]
    assert np.mean((said != truth) & (said != -1)) == pytest.approx((0.3 + 0.3**3) / 2, abs=0.01)
    sure = believing(truth, 0.0)
    skilled = simulate_people("strict", truth, sure, 1, slips=(0.0, 0.0, 0.3))
    # The third is one of any two in two cases of three.
    assert np.mean(skilled.decisions == 3) == pytest.approx(2 / 3 * 0.3, abs=0.01)


def test_what_is_held_at_the_boundary_costs_decisions_and_teaches_nothing() -> None:
    X, truth = material()
    belief = believing(truth, 0.2)
    runs = {
        kind: replay(
            X,
            simulate_people(kind, truth, belief, 0),  # type: ignore[arg-type]
            "inward",
            test=split(truth, 0),
            seed=0,
            pace=PACE,
            checkpoints=(20, 90),
        )
        for kind in ("strict", "boundary")
    }
    start, end = zip(*runs.values(), strict=True)
    assert start[0].human_decisions == start[1].human_decisions, "before there is a boundary nothing differs"
    assert [each.labels for each in end] == [90, 90]
    assert end[1].human_decisions > end[0].human_decisions and end[1].wrong < end[0].wrong


def test_a_pool_that_people_hold_says_so() -> None:
    X, truth = material(n=60)
    none = np.full(60, -1), np.full(60, 2)
    people = People(truth, truth, np.ones(60, dtype=int), 2, none)
    with pytest.raises(ValueError, match="people hold the others"):
        replay(X, people, "inward", test=split(truth, 0), seed=0, pace=PACE, checkpoints=(44,))


def test_two_classes_are_answered_as_the_probability_says() -> None:
    probability = np.repeat([0.0, 1 / 3, 2 / 3, 1.0], 5_000)
    people = simulate_people(
        "noisy", (probability > 0.5).astype(np.int64), np.stack([1 - probability, probability], 1), 3
    )
    shares = people.ground_truth.reshape(4, -1).mean(axis=1)
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=0.02)


def test_a_reviewer_never_rules_what_nobody_answered() -> None:
    truth = np.zeros(5_000, dtype=np.int64)
    belief = np.tile([0.5, 0.5, 0.0], (5_000, 1))
    assert (simulate_people("strict", truth, belief, 0).ground_truth < 2).all()


def test_a_quarter_of_each_class_is_set_aside() -> None:
    truth = np.repeat([0, 1], [100, 40])
    test = split(truth, 3)
    assert np.bincount(truth[test]).tolist() == [25, 10]
    assert split(truth, 4).tolist() != test.tolist() == split(truth, 3).tolist()


def test_near_duplicates_of_what_is_set_aside_are_never_labeled() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(64), 3)
    truth = rng.permutation(np.arange(64) % 2)[groups]
    test = split(truth, 1, groups=groups)
    assert len(test) == 48 and len(set(groups[test])) == 16, "whole groups"
    assert not set(groups[pool_beside(test, 192, groups)]) & set(groups[test])
    # Drawn by something else, and so not whole: what is like it is no part of the pool all the same.
    assert set(np.flatnonzero(~pool_beside(test[::3], 192, groups))) == set(test)
    X = rng.normal(size=(64, 200)).astype(np.float32)[groups]
    people = simulate_people("clean", truth, believing(truth, 0.0), 0)
    (point,) = replay(X, people, "random", test=test[::3], seed=0, checkpoints=[120], groups=groups)
    assert point.accuracy < 0.9, "labels that mean nothing cannot be known but by heart"


def test_the_same_seed_gives_the_same_points() -> None:
    assert points("inward", "strict") == points("inward", "strict")
    assert points("inward", "strict") != points("inward", "strict", seed=1)


class Recorder:
    """Shows photos in the order of their ids, and keeps what it was asked."""

    name = "recorder"
    needs_model = False
    paced = False

    def __init__(self) -> None:
        self.pools: list[Pool] = []

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        self.pools.append(pool)
        return without_model(np.arange(len(pool)))


def test_a_strategy_sees_only_the_unlabeled_pool_and_the_peoples_word() -> None:
    X, truth = material()
    people = simulate_people("noisy", truth, believing(truth, 0.3), 0)
    test = split(truth, 0)
    seen = Recorder()
    replay(X, people, seen, test=test, seed=0, pace=PACE, checkpoints=[30, 50])
    assert [len(pool.labeled_y) for pool in seen.pools] == [0, 10, 20, 30, 40]
    labeled: list[int] = []
    for pool in seen.pools:
        assert not set(pool.ids) & {*labeled, *test.tolist()}
        assert pool.labeled_y.tolist() == people.ground_truth[labeled].tolist()
        labeled += pool.ids[:10].tolist()
    assert any(people.ground_truth[labeled] != truth[labeled])


def test_a_point_is_the_plain_fit_on_what_was_labeled_by_then() -> None:
    X, truth = material()
    people = simulate_people("noisy", truth, believing(truth, 0.2), 0)
    test = split(truth, 0)
    (point,) = replay(X, people, Recorder(), test=test, seed=0, pace=PACE, checkpoints=[35])
    labeled = np.setdiff1d(np.arange(len(X)), test)[:35]
    head = LogisticHead(seed=0).fit(X[labeled], people.ground_truth[labeled])
    assert point.accuracy == pytest.approx((head.predict(X[test]) == truth[test]).mean())
    others = np.setdiff1d(np.arange(len(X)), labeled)
    assert point.accuracy_unlabeled == pytest.approx((head.predict(X[others]) == truth[others]).mean())
    assert point.wrong == pytest.approx((people.ground_truth[labeled] != truth[labeled]).mean())
    assert point.labels == point.human_decisions == 35
    assert point.right.tolist() == (head.predict(X[test]) == truth[test]).tolist()


def test_checkpoints_between_trainings_do_not_change_the_path() -> None:
    X, truth = material()
    people = simulate_people("strict", truth, believing(truth, 0.2), 0)
    told = [
        replay(X, people, "inward", test=split(truth, 0), seed=0, pace=PACE, checkpoints=at)[-1]
        for at in ([60], [23, 37, 41, 60])
    ]
    assert told[0] == told[1]


def test_a_paced_strategy_moves_inward_and_others_go_their_own_way() -> None:
    assert [PACE.band(n) for n in (0, 13, 14, 26, 27, 400)] == [0, 0, 1, 1, 2, 2]
    X, truth = material(600)
    people = simulate_people("clean", truth, believing(truth, 0), 0)
    closeness: dict[str, list[float]] = {}

    class Watched:
        needs_model = True

        def __init__(self, name: str) -> None:
            self.inner = get(name)
            self.name, self.paced = name, self.inner.paced

        def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
            ordering = self.inner.order(pool, bands=bands, seed=seed, careful=careful)
            if pool.proba is not None:
                due = PACE.band(len(pool.labeled_y)) if self.paced else 0
                first = ordering.order[ordering.band[ordering.order] >= due][0]
                rank = np.mean(ordering.confidence > ordering.confidence[first])
                closeness.setdefault(self.name, []).append(float(rank))
            return ordering

    for name in ("inward", "uncertain"):
        replay(X, people, Watched(name), test=split(truth, 0), seed=0, pace=PACE, checkpoints=[60])
    assert closeness["uncertain"][0] > 0.95
    assert closeness["inward"][0] < 0.75 < closeness["inward"][-1]


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("name", ["inward", "random", "uncertain", "committee", "hybrid"])
def test_more_labels_teach_more_whatever_the_number_of_classes(name: str, k: int) -> None:
    runs = [points(name, seed=seed, k=k, to=120) for seed in range(2)]
    first, last = (np.mean([run[at].accuracy for run in runs]) for at in (0, -1))
    assert last > first - 0.02 and last > 0.75
    assert all(0.5 <= point.auroc <= 1 for run in runs for point in run)


def test_one_class_so_far_is_a_guess_not_a_crash() -> None:
    X, truth = material()
    truth = np.zeros_like(truth)
    truth[-60:] = 1
    people = simulate_people("clean", truth, believing(truth, 0), 0)
    (point,) = replay(X, people, Recorder(), test=split(truth, 0), seed=0, pace=PACE, checkpoints=[20])
    assert point.auroc == 0.5 and point.accuracy == pytest.approx(0.75)


@pytest.mark.parametrize("at", [[], [20, 10], [10, 10], [0, 10], [10_000]])
def test_checkpoints_that_make_no_sense_are_refused(at: list[int]) -> None:
    X, truth = material()
    people = simulate_people("clean", truth, believing(truth, 0), 0)
    with pytest.raises(ValueError, match="checkpoint"):
        replay(X, people, "random", test=split(truth, 0), seed=0, checkpoints=at)


def test_progress_may_stop_a_replay() -> None:
    X, truth = material()
    people = simulate_people("clean", truth, believing(truth, 0), 0)

    class Stop(Exception):
        pass

    def stop(labels: int) -> None:
        if labels >= 30:
            raise Stop

    with pytest.raises(Stop):
        replay(X, people, "random", test=split(truth, 0), seed=0, checkpoints=[60], on_progress=stop)


def test_pairing_finds_a_difference_that_seeds_would_hide() -> None:
    hard = np.random.default_rng(0).normal(0.8, 0.05, 8)
    gap = compare(hard + 0.01 + np.linspace(-0.002, 0.002, 8), hard)
    assert gap.is_clear and gap.mean == pytest.approx(0.01)
    assert gap.half_interval < 0.01 < np.std(hard)
    assert not compare([0.8], [0.7]).is_clear
    with pytest.raises(ValueError, match="same seeds"):
        compare([0.8, 0.9], [0.7])


def test_many_differences_read_at_once_have_wider_intervals() -> None:
    left, right = [0.80, 0.82, 0.81, 0.84], [0.79, 0.80, 0.81, 0.81]
    assert compare(left, right, comparisons=6).half_interval > 1.5 * compare(left, right).half_interval


def test_on_one_test_set_the_luck_of_its_photos_counts_too() -> None:
    right = np.ones((5, 40), dtype=bool)
    left = right.copy()
    left[:, :2] = False  # the same two photos every time: seeds alone would call that certain
    gap = compare_on(list(left), list(right))
    assert gap.mean == pytest.approx(-0.05)
    assert gap.half_interval > 0.05 and not gap.is_clear


def test_a_summary_averages_seeds_and_says_how_far_they_differ() -> None:
    runs = [points("random", seed=seed) for seed in range(3)]
    rows = summarise(runs)
    assert list(rows) == ["20", "30", "40", "50", "60"]
    accuracy = [run[1].accuracy for run in runs]
    assert rows["30"]["accuracy"] == pytest.approx(np.mean(accuracy), abs=1e-4)
    assert rows["30"]["sd"] == pytest.approx(np.std(accuracy, ddof=1), abs=1e-4)
    assert summarise(runs[:1])["30"]["half_interval"] is None


def test_what_was_reached_by_so_many_decisions() -> None:
    run = points("random", "strict")
    found = at_decisions(run, 90)
    assert found is not None and found.human_decisions <= 90 < run[run.index(found) + 1].human_decisions
    assert at_decisions(run, 10) is None
    assert at_decisions(run, 10_000) == run[-1]


def test_people_are_plain_data() -> None:
    people = simulate_people("clean", np.array([0, 1]), np.eye(2), 0)
    assert people == People(people.truth, people.ground_truth, people.decisions, 2)
    with pytest.raises(ValueError, match="belief"):
        simulate_people("clean", np.array([0]), np.eye(2), 0)
