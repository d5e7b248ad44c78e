"""Heads are scikit-learn's estimators: its own checks, and what takes estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from inference.heads import KINDS, FusedHead, Head, LogisticHead, MultiLabelHead

POSITIVE = "Weights are positive: a row that weighs nothing would still be judged out of fold, as a label of its class."
#: Checks that a head does not pass, and why; nothing else may fail.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": POSITIVE
    + " Nor is a row of weight 2 two rows, which may lie in two folds.",
    "check_classifiers_one_label_sample_weights": POSITIVE,
}


CHECKS = [
    case
    for head in (*(kind() for kind in KINDS.values()), FusedHead(kinds=("lda",)))
    for case in estimator_checks_generator(head, expected_failed_checks=EXPECTED, mark="xfail")
]


def named(value: Any) -> str:
    """Of a check, which may be a partial one, or of a head."""
    inner = getattr(value, "func", value)
    return getattr(inner, "__name__", type(value).__name__)


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=named)
def test_it_passes_scikit_learns_checks(estimator: Head, check: Any) -> None:
    check(estimator)


everything = pytest.mark.parametrize(
    "head", [*(head() for head in KINDS.values()), FusedHead(widths=(100, 200), kinds=("lda", "ridge"))]
)


@everything
def test_pipelines_and_cross_validation_take_it(head: Head, blobs: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = blobs
    names = np.array(["crack", "dirt", "good"])[y]
    assert cross_val_score(make_pipeline(StandardScaler(), head), X, names, cv=3).mean() > 0.6
    assert cross_val_score(head, X, names, cv=3, scoring="neg_log_loss").mean() > -1.0


@pytest.mark.filterwarnings("ignore:.*force_all_finite.*:FutureWarning")
@everything
def test_modal_teaches_it(head: Head, blobs: tuple[np.ndarray, np.ndarray]) -> None:
    from modAL.models import ActiveLearner
    from modAL.uncertainty import margin_sampling

    X, y = blobs
    learner = ActiveLearner(head, query_strategy=margin_sampling, X_training=X[:30], y_training=y[:30])
    at, rows = learner.query(X[30:], n_instances=4)
    before = learner.predict_proba(X)
    learner.teach(rows, y[30:][at])
    assert (learner.predict_proba(X) != before).any() and len(learner.X_training) == 34


def test_a_head_of_several_questions_keeps_to_what_applies_to_it() -> None:
    """It takes answers of its own, 1, 0 or not known, which scikit-learn's checks do not give."""
    X = np.random.default_rng(0).normal(size=(20, 5))
    Y = np.column_stack([np.arange(20) % 2, np.arange(20) // 10]).astype(float)
    with pytest.raises(NotFittedError):
        MultiLabelHead().predict(X)
    head = MultiLabelHead().fit(X, Y, sample_weight=[1.0] * 20)
    assert head.n_features_in_ == 5 and head.predict(X.tolist()).shape == (20, 2)
    for wrong, said in (
        (X[:, :4], "expecting 5 features"),
        (np.where(X > 2, np.nan, X) * np.nan, "NaN"),
        (X * 1j, "Complex data"),
        (X[0], "Reshape your data"),
    ):
        with pytest.raises(ValueError, match=said):
            head.predict(wrong)
    with pytest.raises(ValueError, match="NaN"):
        MultiLabelHead().fit(X * np.nan, Y)
    with pytest.raises(ValueError, match="Complex data"):
        MultiLabelHead().fit(X * 1j, Y)
    with pytest.raises(ValueError, match="positive"):
        MultiLabelHead().fit(X, Y, sample_weight=np.zeros(20))


def test_columns_that_have_names_keep_them() -> None:
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=["a", "b", "c"])
    head = LogisticHead().fit(X, np.arange(20) % 2)
    assert head.feature_names_in_.tolist() == ["a", "b", "c"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="feature names"):
        head.predict(X[["c", "b", "a"]])
