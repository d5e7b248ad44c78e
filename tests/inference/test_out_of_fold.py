"""What a head says of its training rows is what it would have said without their labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from inference.heads import KINDS, CosineHead, FusedHead, LdaHead, MultiLabelHead, choose_head, lda, ridge
from inference.heads.folds import HeldOut, stratified_folds
from inference.logistic import standardisation

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(24, 40)) * RNG.uniform(0.3, 3.0, 40)
COLUMN = np.arange(24) % 3


def fused(X: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    return FusedHead(widths=(12, 18), kinds=("lda",), seed=seed).fit(X, y).out_of_fold_proba_


def chosen(X: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    return choose_head(X, y, seed=seed).out_of_fold_proba


KINDS_OF_NOISE: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    **{
        kind: (lambda X, y, seed, kind=kind: KINDS[kind](seed=seed).fit(X, y).out_of_fold_proba_)
        for kind in KINDS
    },  # type: ignore[misc]
    "fused": fused,
    "auto": chosen,
}


@pytest.mark.parametrize("kind", list(KINDS_OF_NOISE))
@pytest.mark.parametrize("classes", [2, 3, 5, 20])
@pytest.mark.parametrize("labels", [1, 2, 3, 10])
def test_pure_noise_is_not_seen_through(kind: str, classes: int, labels: int) -> None:
    """No better than chance: within three standard errors over seeds, of which there are 4 to 24 (fewer of the network)."""
    n, slow = classes * labels, kind in ("mlp", "auto")
    seeds = int(np.clip((60 if slow else 150) / n, 4, 10 if slow else 24))
    right, loss = [], []
    for seed in range(seeds):
        rng = np.random.default_rng([classes, labels, seed])
        X, y = rng.normal(size=(n, 30)), np.repeat(np.arange(classes), labels)
        proba = KINDS_OF_NOISE[kind](X, y, seed)
        assert np.allclose(proba.sum(axis=1), 1.0) and (proba > 0).all()
        right.append(float((proba.argmax(axis=1) == y).mean()))
        loss.append(float(-np.log(proba[np.arange(n), y]).mean()))
    chance = np.sqrt((1 - 1 / classes) / classes / (n * seeds))
    spread = max(float(chance), float(np.std(right, ddof=1)) / np.sqrt(seeds))
    assert np.mean(right) < 1 / classes + 3 * spread
    assert np.mean(loss) > np.log(classes) - 3 * np.std(loss, ddof=1) / np.sqrt(seeds)


@pytest.mark.parametrize("labels", [1, 2, 3, 10])
def test_noise_in_answers_to_several_questions_is_not_seen_through(labels: int) -> None:
    loss, right = [], []
    for seed in range(12):
        rng = np.random.default_rng([labels, seed])
        X, y = rng.normal(size=(2 * labels, 30)), np.repeat([0, 1], labels)
        Y = np.column_stack([rng.permutation(y), rng.permutation(y)])
        proba = MultiLabelHead(seed=seed).fit(X, Y).out_of_fold_proba_
        right.append(((proba > 0.5) == Y).mean())
        loss.append(-np.log(np.where(Y == 1, proba, 1 - proba)).mean())
    assert np.mean(right) < 0.5 + 3 * max(np.std(right, ddof=1), 0.5 / np.sqrt(2 * labels)) / np.sqrt(12)
    assert np.mean(loss) > np.log(2) - 3 * np.std(loss, ddof=1) / np.sqrt(12)


@pytest.mark.parametrize("kind", list(KINDS))
def test_noise_in_weighted_groups_is_not_seen_through(kind: str) -> None:
    right, loss = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = np.repeat(rng.normal(size=(12, 30)), 3, axis=0) + 0.05 * rng.normal(size=(36, 30))
        y, groups = np.repeat(np.arange(12) % 3, 3), np.repeat(np.arange(12), 3)
        weight = rng.uniform(0.5, 2.0, 36)
        head = KINDS[kind](seed=seed).fit(X, y, groups=groups, sample_weight=weight)
        right.append((head.out_of_fold_proba_.argmax(axis=1) == y).mean())
        loss.append(-np.log(head.out_of_fold_proba_[np.arange(36), y]).mean())
    assert np.mean(right) < 1 / 3 + 3 * max(np.std(right, ddof=1), 0.14) / np.sqrt(6)
    assert np.mean(loss) > np.log(3) - 3 * np.std(loss, ddof=1) / np.sqrt(6)


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_label_has_a_part_in_what_is_said_of_its_row(kind: str) -> None:
    """A label of a fold changes hands within the fold: what is said of the fold's rows stays the same, to the bit."""
    y = COLUMN.copy()
    fold = stratified_folds(y, 5, 0)
    first, second = (np.flatnonzero((fold == 0) & (y == c))[0] for c in (0, 1))
    other = y.copy()
    other[[first, second]] = y[[second, first]]
    # The same folds for both: stratified folds are drawn by the labels.
    given = np.arange(24)
    heads = [KINDS[kind]().fit(ROWS[given], labels, groups=fold) for labels in (y, other)]
    at = fold == 0
    np.testing.assert_array_equal(heads[0].out_of_fold_proba_[at], heads[1].out_of_fold_proba_[at])
    assert (heads[0].out_of_fold_proba_[~at] != heads[1].out_of_fold_proba_[~at]).any()


def test_a_class_that_no_other_row_has_gets_its_share_whatever_the_temperature() -> None:
    rng = np.random.default_rng(1)
    y = np.array([0] * 10 + [1] * 10 + [2])
    X = rng.normal(size=(21, 30)) + 4.0 * np.eye(3, 30)[y]
    for kind in KINDS:
        head = KINDS[kind]().fit(X, y)
        seen = 21 - np.count_nonzero(stratified_folds(y, 5, 0) == stratified_folds(y, 5, 0)[20])
        assert head.out_of_fold_proba_[20, 2] == pytest.approx(1 / (seen + 2))
        assert not head.out_of_fold_known_[20, 2] and head.out_of_fold_known_[20, :2].all()
        assert head.out_of_fold_size_ == pytest.approx(21 * (1 - 1 / 5), abs=0.3)
    parts = [LdaHead().fit(X[:, :15], y), LdaHead().fit(X[:, 15:], y)]
    assert FusedHead.of(parts).out_of_fold_proba_[20, 2] == pytest.approx(1 / (seen + 2))


def test_only_the_reference_competes_until_each_class_has_three_labels() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 20))
    few, enough = np.array([0] * 14 + [1] * 14 + [2] * 2), np.array([0] * 14 + [1] * 13 + [2] * 3)
    assert [each["kind"] for each in choose_head(X, few).report["candidates"]] == ["ridge"]
    assert len(choose_head(X, enough).report["candidates"]) == 4
    # Three views of one photo are one label.
    groups = np.r_[np.arange(27), [27, 27, 28]]
    assert [each["kind"] for each in choose_head(X, enough, groups=groups).report["candidates"]] == ["ridge"]


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_ridge_is_scikit_learns(penalty: float) -> None:
    weight, target = RNG.uniform(0.5, 2.0, 24), 2.0 * np.eye(3)[COLUMN] - 1.0
    theirs = Ridge(alpha=penalty).fit(ROWS, target, sample_weight=weight)
    found = ridge._Fit(ROWS, target, weight).scores(ROWS, penalty)
    np.testing.assert_allclose(found, theirs.predict(ROWS), atol=1e-8)


@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_lda_is_the_distance_to_the_means_in_the_shrunken_covariance(shrinkage: float) -> None:
    means = np.stack([ROWS[c == COLUMN].mean(axis=0) for c in range(3)])
    within = ROWS - means[COLUMN]
    covariance = (1 - shrinkage) * within.T @ within / 24 + shrinkage * np.eye(40)
    distance = np.stack(
        [np.einsum("ij,ij->i", ROWS - m, np.linalg.solve(covariance, (ROWS - m).T).T) for m in means]
    )
    scores = lda._Fit(ROWS, COLUMN, np.ones(24), 3, 40).scores(ROWS, shrinkage)
    expected = -0.5 * distance.T / np.sqrt(40)
    np.testing.assert_allclose(scores - scores[:, :1], expected - expected[:, :1], atol=1e-8)


def test_cosines_held_out_rows_are_standardised_by_the_others() -> None:
    head = CosineHead().fit(ROWS, COLUMN)
    fold = stratified_folds(COLUMN, 5, 0)
    for i in range(24):
        rest = fold != fold[i]
        mean, scale = standardisation(ROWS[rest])
        unit = (ROWS - mean) / scale
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        sums = np.stack([unit[rest & (c == COLUMN)].sum(axis=0) for c in range(3)])
        cosines = unit[i] @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
        # Whatever its fold's temperature: log-probabilities differ as the cosines do.
        found = np.log(head.out_of_fold_proba_[i])
        assert (found[1] - found[0]) * (cosines[2] - cosines[0]) == pytest.approx(
            (found[2] - found[0]) * (cosines[1] - cosines[0]), abs=1e-9
        )


@pytest.mark.parametrize("kind", list(KINDS))
def test_shares_of_classes_count_where_held_out_rows_say_so(kind: str) -> None:
    """Two classes that nothing tells apart, one three times as frequent: only the shares know anything."""
    rng = np.random.default_rng(4)
    y = np.repeat([0, 1], [120, 40])
    X = rng.normal(size=(160, 10)) + 0.2 * y[:, None] * np.eye(10)[0]
    head = KINDS[kind]().fit(X, y)
    alike = KINDS[kind](balanced=True).fit(X, y)
    fresh = rng.normal(size=(500, 10))
    assert alike.prior_ == 0.0 and alike.predict_proba(fresh)[:, 1].mean() == pytest.approx(0.5, abs=0.06)
    assert head.prior_ > 0.0 and head.settings()["prior"] == head.prior_
    # The other half may be in the temperature, which is chosen with it.
    assert 0.2 < head.predict_proba(fresh)[:, 1].mean() < 0.4
    log_loss = [-np.log(h.out_of_fold_proba_[np.arange(160), y]).mean() for h in (head, alike)]
    assert log_loss[0] < log_loss[1]
    rare = np.repeat([0, 1], [140, 20])
    assert KINDS[kind]().fit(X, rare).prior_ == 0.0
    plain = KINDS[kind](balanced=False).fit(X, y)
    assert plain.predict_proba(fresh)[:, 1].mean() < 0.4
    again = type(head).from_arrays(head.to_arrays(), [0, 1])
    np.testing.assert_array_equal(again.predict_proba(fresh), head.predict_proba(fresh))
    assert again.settings() == head.settings()


def test_heads_of_earlier_releases_have_no_prior(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    for kind in KINDS:
        head = KINDS[kind](balanced=True).fit(X, y)
        arrays = {name: a for name, a in head.to_arrays().items() if name not in ("prior", "shares")}
        again = KINDS[kind].from_arrays(arrays, [0, 1, 2])
        np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))


def test_a_temperature_is_not_fitted_to_rows_of_unknown_classes() -> None:
    column = np.array([0, 0, 0, 1, 1, 1, 2])
    fold = np.array([0, 1, 2, 0, 1, 2, 0])
    logits = np.where(np.eye(3)[column] == 1, 2.0, 0.0)[None]
    with_it = HeldOut(logits, column, fold).chosen()
    assert HeldOut(logits[:, :6, :2], column[:6], fold[:6]).chosen().temperature < 1.0
    worse = logits.copy()
    worse[0, 6] = [50.0, -50.0, -1000.0]
    assert HeldOut(worse, column, fold).chosen() == with_it
