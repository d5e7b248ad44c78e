"""What committee, coverage, dropquery and hybrid promise beyond the contract, and that modAL can use all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from modAL.models import ActiveLearner

from inference import strategies
from inference.heads import LogisticHead
from inference.strategies import Pool
from inference.strategies.base import by_confidence
from inference.strategies.coverage import ball_radius
from inference.strategies.geometry import UnitSphere
from inference.strategies.modal import query_strategy
from tests.inference.test_strategies import make_pool

DIM = 12
Floats = npt.NDArray[np.float32]


def two_classes(n: int, *, seed: int = 0, apart: float = 2.0) -> tuple[Floats, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    rows = rng.normal(size=(n, DIM))
    rows[:, 0] += apart * (2 * y - 1)
    return rows.astype(np.float32), y


def taught_pool(n: int = 400, labeled: int = 40) -> tuple[Pool, LogisticHead]:
    rows, y = two_classes(n + labeled)
    head = LogisticHead().fit(rows[:labeled], y[:labeled])
    pool = Pool(np.arange(n), rows[labeled:], head.predict_proba(rows[labeled:]), rows[:labeled], y[:labeled])
    return pool, head


@pytest.mark.parametrize("sign", [-1, 1])
def test_photos_of_equal_confidence_keep_their_order(sign: int) -> None:
    dice = np.random.default_rng(3)
    some = np.array([0.0, -0.0, 1e-40, 0.25, np.nextafter(np.float32(0.25), 1), 1.0], dtype=np.float32)
    confidence = np.concatenate([dice.choice(some, 300), dice.random(300, dtype=np.float32)])
    found = by_confidence(confidence, surest_first=sign < 0)
    assert (found == np.argsort(sign * confidence, kind="stable")).all()
    assert by_confidence(confidence[:0], surest_first=True).tolist() == []


@pytest.mark.parametrize("name", strategies.names())
def test_with_little_care_the_first_places_are_the_same(name: str) -> None:
    pool, _head = taught_pool()
    strategy = strategies.get(name)
    full = strategy.order(pool, bands=3, seed=5)
    quick = strategy.order(pool, bands=3, seed=5, careful=10)
    assert sorted(quick.order.tolist()) == list(range(len(pool)))
    assert (full.band == quick.band).all()
    if strategy.paced:
        for b in range(3):
            firsts = [each.order[each.band[each.order] == b][:10].tolist() for each in (full, quick)]
            assert firsts[0] == firsts[1]
    else:
        assert full.order[:10].tolist() == quick.order[:10].tolist()


@pytest.mark.parametrize("name", strategies.names())
def test_the_last_bit_of_the_vectors_decides_nothing(name: str) -> None:
    pool, _head = taught_pool()
    noise = np.random.default_rng(1)
    for seed in range(5):
        moved = [
            (each * (1 + 1e-6 * noise.standard_normal(each.shape))).astype(np.float32)
            for each in (pool.embeddings, pool.labeled_embeddings)
        ]
        for proba in (None, pool.proba):
            orders = [
                strategies.get(name).order(
                    Pool(pool.ids, rows, proba, labeled, pool.labeled_y), bands=3, seed=seed, careful=60
                )
                for rows, labeled in ((pool.embeddings, pool.labeled_embeddings), moved)
            ]
            for b in range(3):
                one, other = (each.order[each.band[each.order] == b][:60] for each in orders)
                assert one.tolist() == other.tolist()


def test_only_inward_and_hybrid_follow_bands() -> None:
    assert {name for name in strategies.names() if strategies.get(name).paced} == {"inward", "hybrid"}


def test_a_committee_asks_where_no_label_has_been_even_when_the_model_is_sure_of_it() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, DIM))
    y = rng.integers(0, 2, 60)
    rows[:, 2] += np.where(y == 1, 2.0, -2.0)
    known = rng.normal(size=(100, DIM))
    known[:, 2] += rng.choice([-2.0, 2.0], 100)
    unknown = rng.normal(size=(20, DIM))
    unknown[:, 1] += 12.0
    embeddings = np.concatenate([known, unknown]).astype(np.float32)
    # The present model calls the unknown ones certain, so that uncertainty would show them last.
    proba = np.repeat([[0.6, 0.4], [0.95, 0.05]], [100, 20], axis=0)
    pool = Pool(np.arange(120), embeddings, proba, rows.astype(np.float32), y)
    committee, uncertain = (
        strategies.get(name).order(pool, bands=3, seed=0).order for name in ("committee", "uncertain")
    )
    assert np.mean(committee[:20] >= 100) > 0.5
    assert not (uncertain[:100] >= 100).any()


def test_a_committee_without_two_classes_goes_by_uncertainty() -> None:
    pool, _head = taught_pool(100)
    assert pool.proba is not None
    alone = Pool(pool.ids, pool.embeddings, pool.proba, pool.labeled_embeddings, np.zeros(40, dtype=int))
    for name in ("committee", "dropquery"):
        order = strategies.get(name).order(alone, bands=3, seed=0).order
        assert (np.diff(pool.proba[order].max(1)) >= -1e-12).all()


def test_coverage_first_takes_one_photo_of_each_dense_place() -> None:
    rng = np.random.default_rng(0)
    scene = np.repeat(np.arange(6), [60, 50, 40, 30, 20, 10])
    centres = rng.normal(size=(6, DIM)) * 6
    rows = (centres[scene] + rng.normal(size=(210, DIM)) * 0.1).astype(np.float32)
    six = np.full((210, 6), 1 / 6)  # pseudo-labels: one cluster a class
    pool = Pool(np.arange(210), rows, six, rows[:0], np.zeros(0, int))
    order = strategies.get("coverage").order(pool, bands=1, seed=0).order
    assert len(set(scene[order[:6]].tolist())) == 6
    # The largest place first, and what a label covers last.
    assert scene[order[0]] == 0
    told = Pool(np.arange(210), rows, six, rows[:1], np.zeros(1, int))
    again = strategies.get("coverage").order(told, bands=1, seed=0).order
    assert 0 not in scene[again[:5]]


def test_balls_of_the_chosen_radius_are_pure_in_95_percent() -> None:
    rng = np.random.default_rng(1)
    rows = UnitSphere(sample := rng.normal(size=(400, DIM)).astype(np.float32))(sample)
    from sklearn.cluster import MiniBatchKMeans

    cluster = MiniBatchKMeans(3, random_state=4, n_init=3, batch_size=1024).fit_predict(rows)
    distance = np.sqrt(np.maximum(2 - 2 * rows @ rows.T, 0))
    radius = ball_radius(rows, 3, seed=4)

    def pure(r: float) -> float:
        inside = distance < r
        return float(np.mean([len(set(cluster[inside[i] | (np.arange(400) == i)])) == 1 for i in range(400)]))

    assert pure(radius) == pytest.approx(0.95, abs=0.01)
    assert pure(radius * 1.1) < 0.95


def test_coverage_of_a_large_pool_stays_small_in_memory() -> None:
    import tracemalloc

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60_000, 16)).astype(np.float32)
    pool = Pool(np.arange(60_000), rows, None, rows[:0], np.zeros(0, int))
    tracemalloc.start()
    order = strategies.get("coverage").order(pool, bands=1, seed=0, careful=20).order
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(np.unique(order)) == 60_000
    assert peak < 200e6


def test_dropquery_asks_what_dropout_changes_and_spreads_over_it() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 640)
    # As in embeddings, many features say a little each.
    rows = (rng.normal(size=(640, 60)) + 0.35 * (2 * y - 1)[:, None]).astype(np.float32)
    head = LogisticHead().fit(rows[:40], y[:40])
    pool = Pool(np.arange(600), rows[40:], head.predict_proba(rows[40:]), rows[:40], y[:40])
    order = strategies.get("dropquery").order(pool, bands=3, seed=0).order
    margin = np.abs(head.decision_function(pool.embeddings))
    assert margin[order[:20]].mean() < 0.6 * margin.mean()
    # Not simply the most uncertain, but one of each cluster of candidates.
    assert len(set(order[:20].tolist()) & set(np.argsort(margin)[:20].tolist())) < 15


def test_before_there_is_a_model_inward_looks_for_both_ends_from_twenty_labels_on() -> None:
    rows, y = two_classes(500, apart=3.0)
    # One class is rare, as defects are: of typical photos hardly any would show it.
    rare = np.flatnonzero(y == 1)
    kept = np.sort(np.concatenate([np.flatnonzero(y == 0), rare[:30]]))
    rows, y = rows[kept], y[kept]
    labeled = np.concatenate([np.flatnonzero(y == 0)[:22], np.flatnonzero(y == 1)[:3]])
    left = np.setdiff1d(np.arange(len(y)), labeled)
    pool = Pool(left, rows[left], None, rows[labeled], y[labeled])
    ordering = strategies.get("inward").order(pool, bands=3, seed=0)
    assert (ordering.ladder == -1).all()
    assert y[left][ordering.order[:10]].tolist() == [0, 1] * 5
    few = Pool(left, rows[left], None, rows[labeled[-10:]], y[labeled[-10:]])
    typical = strategies.get("typical").order(few, bands=3, seed=0).order
    assert strategies.get("inward").order(few, bands=3, seed=0).order.tolist() == typical.tolist()


def test_the_hybrid_starts_typical_and_goes_on_inward() -> None:
    few, many = make_pool(300, 2, labeled=20), make_pool(300, 2, labeled=60)
    typical, inward = strategies.get("typical"), strategies.get("inward")
    hybrid = strategies.get("hybrid")
    assert (
        hybrid.order(few, bands=3, seed=1).order.tolist()
        == typical.order(few, bands=3, seed=1).order.tolist()
    )
    assert (hybrid.order(few, bands=3, seed=1).band == 0).all()
    late, expected = hybrid.order(many, bands=3, seed=1), inward.order(many, bands=3, seed=1)
    assert late.order.tolist() == expected.order.tolist()
    assert (late.band == expected.band).all()


@pytest.mark.parametrize("name", strategies.names())
def test_modals_active_learner_queries_and_teaches_our_head_by_any_strategy(name: str) -> None:
    rows, y = two_classes(240, apart=1.2)
    start = np.concatenate([np.flatnonzero(y == c)[:5] for c in (0, 1)])
    left = np.setdiff1d(np.arange(240), start)
    learner = ActiveLearner(
        LogisticHead(), query_strategy=query_strategy(name), X_training=rows[start], y_training=y[start]
    )
    for _ in range(2):
        index, sample = learner.query(rows[left], n_instances=2)
        assert len(set(index.tolist())) == 2
        assert (sample == rows[left][index]).all()
        learner.teach(rows[left][index], y[left][index])
        left = np.delete(left, index)
    assert len(learner.y_training) == 14
    assert learner.score(rows, y) > 0.6


def test_modal_sees_the_same_order_as_the_library() -> None:
    pool, _head = taught_pool(200)
    learner = ActiveLearner(
        LogisticHead(),
        query_strategy=query_strategy("uncertain"),
        X_training=pool.labeled_embeddings,
        y_training=pool.labeled_y,
    )
    index, _rows, measure = learner.query(pool.embeddings, n_instances=7, return_metrics=True)
    ordering = strategies.get("uncertain").order(pool, bands=3, seed=40)
    assert index.tolist() == ordering.order[:7].tolist()
    assert measure == pytest.approx(ordering.confidence[ordering.order[:7]])


def test_modal_can_start_without_any_label_and_with_class_names() -> None:
    rows, y = two_classes(80)
    fresh = ActiveLearner(LogisticHead(), query_strategy=query_strategy("inward"))
    index, _sample = fresh.query(rows, n_instances=10)
    names = np.array(["defective", "functional"])[y]
    fresh.teach(rows[index], names[index])
    nxt, _sample = fresh.query(rows, n_instances=3)
    assert len(nxt) == 3
    with pytest.raises(LookupError):
        query_strategy("magic")
