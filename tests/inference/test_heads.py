from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.base import clone

from inference.heads import LogisticHead, TooFewLabels

Blobs = tuple[np.ndarray, np.ndarray]


def test_it_learns_and_its_out_of_fold_view_is_honest(blobs: Blobs) -> None:
    X, y = blobs
    rng = np.random.default_rng(1)
    head = LogisticHead().fit(X, y)
    assert (head.predict(X) == y).mean() > 0.95
    held_out = (head.out_of_fold_proba_.argmax(1) == y).mean()
    assert 0.6 < held_out < 1.0
    noise = []
    for _ in range(8):
        shuffled = rng.permutation(y)
        noise.append((LogisticHead().fit(X, shuffled).out_of_fold_proba_.argmax(1) == shuffled).mean())
    assert 0.25 < np.mean(noise) < 0.41


def test_probabilities_have_the_estimators_shapes(blobs: Blobs) -> None:
    X, y = blobs
    names = np.array(["crack", "dirt", "good"])[y]
    head = LogisticHead().fit(X, names)
    assert head.classes_.tolist() == ["crack", "dirt", "good"]
    assert head.predict_proba(X).shape == head.out_of_fold_proba_.shape == (120, 3)
    assert np.allclose(head.predict_proba(X).sum(1), 1)
    assert set(head.predict(X)) <= set(names)
    two = LogisticHead().fit(X[y < 2], y[y < 2])
    assert two.decision_function(X).shape == (120,)
    assert ((two.decision_function(X) > 0) == (two.predict(X) == 1)).all()


def test_the_same_seed_gives_the_same_head(blobs: Blobs) -> None:
    X, y = blobs
    first, second = LogisticHead(seed=3).fit(X, y), LogisticHead(seed=3).fit(X, y)
    assert (first.coef_ == second.coef_).all()
    assert (first.out_of_fold_proba_ == second.out_of_fold_proba_).all()
    assert (LogisticHead(seed=4).fit(X, y).out_of_fold_proba_ != first.out_of_fold_proba_).any()


def test_one_class_is_too_few(blobs: Blobs) -> None:
    X, _ = blobs
    for labels in (np.zeros(120, dtype=int), np.zeros(0, dtype=int)):
        with pytest.raises(TooFewLabels, match="at least two classes"):
            LogisticHead().fit(X[: len(labels)], labels)


@pytest.mark.parametrize("labels", [[0, 1], [0, 0, 1], [0, 1, 2], [0] * 9 + [1], [0] * 5 + [1] * 5 + [2]])
def test_tiny_classes_are_survived(labels: list[int]) -> None:
    X = np.random.default_rng(0).normal(size=(len(labels), 50))
    head = LogisticHead().fit(X, labels)
    assert np.isfinite(head.out_of_fold_proba_).all()
    assert np.allclose(head.out_of_fold_proba_.sum(1), 1)
    assert np.isfinite(head.predict_proba(X)).all()


def test_a_feature_that_hardly_fires_in_training_does_not_shout_elsewhere() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    X = rng.normal(size=(100, 50)) + y[:, None] * 0.3
    X[:, 40:] = 0.0
    X[np.arange(10), 40 + np.arange(10)] = 1e-3
    head = LogisticHead().fit(X, y)
    loud = np.zeros((1, 50))
    loud[0, 40:] = 1.0
    assert head.predict_proba(loud).max() < 0.95


def test_constant_features_and_duplicates_are_survived() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(4, 30)), 5, axis=0)
    X[:, :10] = 7.0
    head = LogisticHead().fit(X, np.repeat([0, 1, 0, 1], 5))
    assert np.isfinite(head.predict_proba(X + 1.0)).all()


def test_progress_counts_up_and_may_cancel(blobs: Blobs) -> None:
    X, y = blobs
    seen: list[tuple[int, int]] = []
    LogisticHead().fit(X, y, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [*((i, 6) for i in range(1, 6)), (1, 1)]

    def cancel(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        LogisticHead().fit(X, y, on_progress=cancel)


def test_arrays_bring_the_head_back(blobs: Blobs) -> None:
    X, y = blobs
    head = LogisticHead().fit(X, y)
    again = LogisticHead.from_arrays(head.to_arrays(), [0, 1, 2])
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    with pytest.raises(ValueError, match="do not fit"):
        LogisticHead.from_arrays(head.to_arrays(), [0, 1])


def test_balance_gives_a_rare_class_its_voice() -> None:
    rng = np.random.default_rng(2)
    y = np.array([0] * 90 + [1] * 10)
    X = rng.normal(size=(100, 40)) + y[:, None] * 0.5
    # One in ten is rare: by itself the head counts the classes alike.
    balanced, plain = LogisticHead().fit(X, y), LogisticHead(balanced=False).fit(X, y)
    assert (balanced.coef_ == LogisticHead(balanced=True).fit(X, y).coef_).all() and balanced.prior_ == 0
    assert balanced.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean()


def test_a_hundred_labels_take_well_under_a_second() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    X = rng.normal(size=(100, 1280)) + y[:, None] * 0.1
    LogisticHead().fit(X, y)
    start = time.process_time()
    LogisticHead().fit(X, y)
    # 0.2 s on a free core; processor time of all threads, as others may use the cores.
    assert time.process_time() - start < 1.0


@pytest.mark.filterwarnings("ignore:.*force_all_finite.*:FutureWarning")
def test_modal_teaches_and_queries_it(blobs: Blobs) -> None:
    from modAL.disagreement import vote_entropy_sampling
    from modAL.models import ActiveLearner, Committee
    from modAL.uncertainty import margin_sampling

    X, y = blobs
    learner = ActiveLearner(
        LogisticHead(), query_strategy=margin_sampling, X_training=X[:30], y_training=y[:30]
    )
    before = learner.estimator.coef_.copy()
    at, rows = learner.query(X[30:], n_instances=5)
    assert rows.shape == (5, 300)
    learner.teach(X[30:][at], y[30:][at])
    assert (learner.estimator.coef_ != before).any()
    assert len(learner.X_training) == 35

    members = [
        ActiveLearner(clone(LogisticHead(seed=s)), X_training=X[s : 40 + s], y_training=y[s : 40 + s])
        for s in range(3)
    ]
    committee = Committee(members, query_strategy=vote_entropy_sampling)
    at, _ = committee.query(X[60:], n_instances=4)
    committee.teach(X[60:][at], y[60:][at])
    assert committee.predict_proba(X).shape == (120, 3)


def test_a_fit_that_nobody_judges_is_the_same_fit(blobs: Blobs) -> None:
    X, y = blobs
    whole = LogisticHead(strengths=[0.05], cv=2).fit(X[:80], y[:80])
    bare = LogisticHead(strengths=[0.05], cv=2).fit_unjudged(X[:80], y[:80])
    np.testing.assert_array_equal(bare.coef_, whole.coef_)
    np.testing.assert_array_equal(bare.predict(X[80:]), whole.predict(X[80:]))
    with pytest.raises(TooFewLabels):
        LogisticHead(strengths=[0.05]).fit_unjudged(X[:80], np.zeros(80))
