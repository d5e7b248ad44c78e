"""The contract that every registered strategy keeps, and what each one promises on top."""

from __future__ import annotations

import time

import numpy as np
import pytest

from inference import strategies
from inference.strategies import Ordering, Pool
from inference.strategies.geometry import UnitSphere

DIM = 12


def make_pool(n: int, k: int | None, *, seed: int = 0, labeled: int = 0, copies: int = 1) -> Pool:
    rng = np.random.default_rng(seed)
    embeddings = np.repeat(rng.normal(size=(-(-n // copies), DIM)), copies, axis=0)[:n].astype(np.float32)
    proba = None
    if k is not None:
        raw = np.repeat(rng.gamma(0.5, size=(-(-n // copies), k)) + 1e-3, copies, axis=0)[:n]
        proba = raw / raw.sum(1, keepdims=True)
    return Pool(
        ids=np.arange(n) * 7 + 3,
        embeddings=embeddings,
        proba=proba,
        labeled_embeddings=rng.normal(size=(labeled, DIM)).astype(np.float32),
        labeled_y=rng.integers(0, k or 2, labeled),
    )


POOLS = {
    "empty": make_pool(0, 2),
    "one": make_pool(1, 2),
    "two": make_pool(2, 3),
    "few": make_pool(7, 2),
    "binary": make_pool(300, 2, labeled=20),
    "three classes": make_pool(301, 3, labeled=5),
    "one class only": make_pool(50, 1),
    "duplicates": make_pool(120, 2, copies=12),
    "all the same": make_pool(60, 2, copies=60),
    "no model": make_pool(200, None),
    "no model, tiny": make_pool(2, None),
    "no model, labels": make_pool(90, None, labeled=30),
    "no model, all the same": make_pool(60, None, copies=60),
}


def same(a: Ordering, b: Ordering) -> bool:
    return all(
        (getattr(a, field) == getattr(b, field)).all() for field in ("order", "band", "ladder", "confidence")
    )


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS.keys())
@pytest.mark.parametrize("bands", [1, 5])
@pytest.mark.parametrize("name", strategies.names())
def test_every_strategy_keeps_the_contract(name: str, bands: int, pool: Pool) -> None:
    strategy = strategies.get(name)
    n = len(pool)
    ordering = strategy.order(pool, bands=bands, seed=1)
    assert sorted(ordering.order.tolist()) == list(range(n))
    assert ordering.order.dtype == np.int64
    assert (ordering.band.dtype, ordering.ladder.dtype) == (np.int16, np.int16)
    assert ordering.confidence.dtype == np.float32
    assert len(ordering.band) == len(ordering.ladder) == len(ordering.confidence) == n
    assert ((ordering.band >= 0) & (ordering.band < bands)).all()
    assert ((ordering.confidence >= 0) & (ordering.confidence <= 1)).all()
    if pool.proba is None:
        assert (ordering.ladder == -1).all() and (ordering.band == 0).all()
    else:
        assert (ordering.ladder == pool.proba.argmax(1)).all()
    assert same(ordering, strategy.order(pool, bands=bands, seed=1))


def test_unknown_strategies_are_said() -> None:
    assert set(strategies.names()) >= {"inward", "random", "uncertain", "typical"}
    with pytest.raises(LookupError, match="inward"):
        strategies.get("nonsense")


@pytest.mark.parametrize("k", [2, 3])
def test_inward_goes_from_the_surest_band_to_the_boundary(k: int) -> None:
    pool = make_pool(600, k)
    ordering = strategies.get("inward").order(pool, bands=5, seed=0)
    assert (np.diff(ordering.band[ordering.order]) >= 0).all()
    for c in range(k):
        mine = ordering.ladder == c
        counts = np.bincount(ordering.band[mine], minlength=5)
        assert counts.max() - counts.min() <= 1
        for b in range(4):
            outer, inner = mine & (ordering.band == b), mine & (ordering.band == b + 1)
            assert ordering.confidence[outer].min() >= ordering.confidence[inner].max()


@pytest.mark.parametrize("k", [2, 3])
def test_inward_alternates_the_ladders_until_one_is_exhausted(k: int) -> None:
    ordering = strategies.get("inward").order(make_pool(600, k), bands=5, seed=0)
    for b in range(4):
        turns = ordering.ladder[ordering.order[ordering.band[ordering.order] == b]]
        shortest = np.bincount(turns, minlength=k).min()
        assert (turns[: shortest * k].reshape(-1, k) == np.arange(k)).all()


def test_inward_shows_no_near_duplicates_in_a_row() -> None:
    rng = np.random.default_rng(0)
    # A burst camera: 40 scenes, 10 almost equal frames each, all equally sure.
    scenes = np.repeat(rng.normal(size=(40, DIM)), 10, axis=0)
    frames = (scenes + rng.normal(size=scenes.shape) * 0.01).astype(np.float32)
    sure = np.repeat(rng.uniform(0.6, 0.9, 40), 10)
    pool = Pool(np.arange(400), frames, np.stack([sure, 1 - sure], 1), frames[:0], np.zeros(0, int))
    ordering = strategies.get("inward").order(pool, bands=4, seed=0)
    rows = UnitSphere(frames)(frames[ordering.order[:60]])
    in_a_row = (rows[1:] * rows[:-1]).sum(1) > 0.98
    assert in_a_row.mean() < 0.05


def test_inwards_boundary_band_is_uncertain_and_diverse() -> None:
    pool = make_pool(500, 2)
    ordering = strategies.get("inward").order(pool, bands=5, seed=0)
    boundary = ordering.order[ordering.band[ordering.order] == 4]
    first = set(np.argsort(ordering.confidence)[:35].tolist())
    assert len(first & set(boundary[:20].tolist())) >= 18


@pytest.mark.parametrize("name", ["uncertain", "margin", "entropy"])
def test_uncertain_sorts_by_its_measure(name: str) -> None:
    pool = make_pool(100, 2)
    order = strategies.get(name).order(pool, bands=5, seed=0).order
    assert pool.proba is not None
    assert (np.diff(pool.proba[order].max(1)) >= -1e-12).all()


def test_typical_starts_with_one_photo_of_each_cluster() -> None:
    rng = np.random.default_rng(0)
    scene = np.repeat(np.arange(20), [60, 5, 5, 5, 5, 40, 10, 10, 10, 10, 30, 8, 8, 8, 8, 8, 8, 8, 8, 46])
    rows = (rng.normal(size=(20, DIM)) * 5)[scene] + rng.normal(size=(len(scene), DIM)) * 0.1
    pool = Pool(
        np.arange(len(scene)), rows.astype(np.float32), None, np.empty((0, DIM), np.float32), np.zeros(0, int)
    )
    order = strategies.get("typical").order(pool, bands=5, seed=0).order
    assert len(set(scene[order[:20]].tolist())) >= 16


def test_typical_prefers_what_no_label_covers() -> None:
    rng = np.random.default_rng(0)
    scene = np.repeat(np.arange(4), 50)
    rows = ((rng.normal(size=(4, DIM)) * 9)[scene] + rng.normal(size=(200, DIM)) * 0.1).astype(np.float32)
    pool = Pool(np.arange(200), rows, None, rows[scene < 2][::5], np.zeros(20, int))
    order = strategies.get("typical").order(pool, bands=1, seed=0).order
    assert (scene[order[:8]] >= 2).mean() >= 0.7


def test_a_large_pool_is_ordered_in_seconds() -> None:
    rng = np.random.default_rng(0)
    n = 200_000
    proba = rng.dirichlet([1, 1, 1], n)
    embeddings = rng.normal(size=(n, 16)).astype(np.float32)
    pool = Pool(np.arange(n), embeddings, proba, embeddings[:0], np.zeros(0, int))
    start = time.process_time()
    strategies.get("inward").order(pool, bands=5, seed=0)
    assert time.process_time() - start < 10
