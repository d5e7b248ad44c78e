from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone

from inference.artifacts import load_head, save_head
from inference.heads import KINDS, LogisticHead, MultiLabelHead, TooFewLabels, automatic, choose_head, mlp
from inference.heads.folds import stratified_folds
from inference.metrics import evaluate_multilabel
from inference.scoring import score_many
from inference.train import train_head, train_multilabel

Blobs = tuple[np.ndarray, np.ndarray]
MANIFEST = {"backbone_hash": "cd" * 32, "seed": 1}

every_kind = pytest.mark.parametrize("kind", list(KINDS))


@every_kind
def test_it_learns_comes_back_from_disk_and_scores_in_one_pass(
    kind: str, blobs: Blobs, tmp_path: Path
) -> None:
    X, y = blobs
    names = np.array(["crack", "dirt", "good"])[y]
    head = clone(KINDS[kind](seed=2)).fit(X[:90], names[:90])
    assert (head.predict(X[90:]) == names[90:]).mean() > 0.6
    assert head.out_of_fold_proba_.shape == (90, 3)
    assert 0.5 < (head.out_of_fold_proba_.argmax(axis=1) == y[:90]).mean() < 1.0
    # As they lie once read back: on some processors the last bit hangs on it.
    assert all(each.flags.c_contiguous for each in vars(head).values() if isinstance(each, np.ndarray))
    save_head(tmp_path / kind, head, MANIFEST)
    again, manifest = load_head(tmp_path / kind)
    assert type(again) is type(head) and manifest["kind"] == kind and manifest["threads"] >= 1
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    for start, stop, (part, _) in score_many([again, LogisticHead().fit(X, y)], X, chunk=50):
        assert np.allclose(part, head.predict_proba(X[start:stop]), atol=2e-5)


@every_kind
def test_shuffled_labels_are_not_seen_through_out_of_fold(kind: str, blobs: Blobs) -> None:
    X, y = blobs
    rng = np.random.default_rng(1)
    right = []
    for _ in range(6):
        shuffled = rng.permutation(y)
        found = KINDS[kind]().fit(X, shuffled).out_of_fold_proba_
        right.append((found.argmax(axis=1) == shuffled).mean())
    # Below a third is honest too: without its own row, a class is a little rarer than the others.
    assert np.mean(right) < 0.43


@every_kind
@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.zeros((6, 4)), [0, 1, 0, 1, 0, 1]),  # nothing to tell them apart
        (np.arange(8.0)[:, None], [0, 0, 0, 0, 1, 1, 1, 1]),  # one feature
        (np.repeat(np.eye(3), 3, axis=0), [0, 0, 0, 1, 1, 1, 2, 2, 2]),  # duplicates
        (np.random.default_rng(0).normal(size=(7, 20)), [0, 0, 0, 1, 1, 1, 2]),  # a class of one
        (np.random.default_rng(0).normal(size=(2, 20)), [0, 1]),
        (np.random.default_rng(0).normal(size=(5, 20)) * 1e4 + 1e6, [0, 1, 0, 1, 0]),
    ],
)
def test_degenerate_ground_truth_is_survived(kind: str, X: np.ndarray, y: list[int]) -> None:
    head = KINDS[kind]().fit(X, y)
    for proba in (head.out_of_fold_proba_, head.predict_proba(X + 0.5)):
        assert np.isfinite(proba).all() and np.allclose(proba.sum(axis=1), 1.0)


@every_kind
def test_rows_may_be_read_only_and_are_left_as_they_are(kind: str, blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    from_map = KINDS[kind]().fit(mapped, y).predict_proba(X)
    before = X.copy()
    assert (KINDS[kind]().fit(X, y).predict_proba(X) == from_map).all()
    assert (before == X).all()


@every_kind
def test_bad_input_is_said(kind: str) -> None:
    head = KINDS[kind]()
    with pytest.raises(TooFewLabels):
        head.fit(np.eye(4), [1, 1, 1, 1])
    with pytest.raises(ValueError, match="NaN"):
        head.fit(np.full((4, 2), np.nan), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="weights"):
        head.fit(np.eye(4), [0, 1, 0, 1], sample_weight=[1, 1, 0, 1])
    with pytest.raises(ValueError, match="features"):
        head.fit(np.eye(4), [0, 1, 0, 1]).predict(np.eye(3))


@every_kind
def test_views_of_one_photo_never_help_to_judge_it(kind: str) -> None:
    rng = np.random.default_rng(3)
    photos, y = rng.normal(size=(30, 80)), rng.integers(0, 2, 30)
    views = np.repeat(photos, 4, axis=0) + 0.01 * rng.normal(size=(120, 80))
    answers, groups = np.repeat(y, 4), np.repeat(np.arange(30), 4)
    weight = np.full(120, 0.25)
    apart = KINDS[kind]().fit(views, answers, groups=groups, sample_weight=weight).out_of_fold_proba_
    mixed = KINDS[kind]().fit(views, answers).out_of_fold_proba_
    # Labels are pure chance: only who saw the photo's other views can know them.
    assert (apart.argmax(axis=1) == answers).mean() < 0.75 < (mixed.argmax(axis=1) == answers).mean()


def test_the_networks_steps_are_those_of_torchs_adamw() -> None:
    draw = torch.Generator().manual_seed(3)
    shapes = [(5, 30, 64), (5, 64), (5, 64, 3), (5, 3)]
    first = [torch.randn(shape, generator=draw) for shape in shapes]
    theirs = [each.clone().requires_grad_(True) for each in first]
    torchs = torch.optim.AdamW(theirs, lr=mlp._RATE, weight_decay=mlp._DECAY)
    ours = mlp._AdamW(first)
    for step in range(40):
        torchs.zero_grad()
        ours.forget()
        for weights in (theirs, ours.weights):
            sum(((each * (1 + step % 3)).tanh() ** 2).sum() for each in weights).backward()
        torchs.step()
        ours.step()
    for one, other, start in zip(ours.weights, theirs, first, strict=True):
        assert (one.detach() - start).abs().median() > 1e-2
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_groups_stay_together_and_folds_stay_even() -> None:
    column = np.repeat([0, 1], [60, 40])
    groups = np.arange(100) // 4
    fold = stratified_folds(column, 5, 0, groups)
    assert all(len(set(fold[groups == g])) == 1 for g in range(25))
    assert np.bincount(fold).tolist() == [20] * 5
    with pytest.raises(ValueError, match="two groups"):
        stratified_folds(column, 5, 0, np.zeros(100))


def test_weights_count_like_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 6)), np.arange(40) % 2
    groups = np.arange(40)
    twice = np.r_[np.arange(40), np.arange(20)]
    weighted = LogisticHead(strengths=[0.1]).fit(
        X, y, sample_weight=np.where(groups < 20, 2.0, 1.0), groups=groups
    )
    repeated = LogisticHead(strengths=[0.1]).fit(X[twice], y[twice], groups=groups[twice])
    # Only the standardisation, which counts rows, differs.
    assert np.corrcoef(weighted.decision_function(X), repeated.decision_function(X))[0, 1] > 0.99
    assert weighted.coef_ != pytest.approx(LogisticHead(strengths=[0.1]).fit(X, y).coef_, abs=1e-3)


def test_the_reference_stays_unless_another_kind_is_better_beyond_noise(blobs: Blobs) -> None:
    X, y = blobs
    stays = choose_head(X, y, kinds=("logistic", "auto"))
    assert stays.report["kind"] == "logistic" and isinstance(stays.head, LogisticHead)
    assert [each["kind"] for each in stays.report["candidates"]] == ["logistic", "ridge", "lda", "cosine"]
    json.dumps(stays.report)
    first = stays.report["candidates"][0]
    for each in stays.report["candidates"]:
        assert each["difference"] == pytest.approx(each["log_loss"] - first["log_loss"])
        assert (each["error"] > 0) == (each is not first)
    # Two rings: no line separates them, a small network does.
    rng = np.random.default_rng(0)
    angle, ring = rng.uniform(0, 2 * np.pi, 300), np.arange(300) % 2
    rings = np.column_stack([np.cos(angle), np.sin(angle)]) * (1.0 + 2.0 * ring)[:, None]
    changes = choose_head(rings + 0.05 * rng.normal(size=rings.shape), ring, kinds=("logistic", "mlp"))
    assert changes.report["kind"] == "mlp"
    assert (changes.out_of_fold_proba.argmax(axis=1) == ring).mean() > 0.9


def test_more_than_two_classes_start_from_ridge_and_many_labels_from_fewer_kinds(blobs: Blobs) -> None:
    tried = choose_head(*blobs).report["candidates"]
    assert tuple(each["kind"] for each in tried) == automatic(len(blobs[1]), 3)
    assert automatic(1_000, 3) == ("ridge", "logistic", "lda", "cosine")
    assert automatic(1_000, 2) == ("logistic", "lda", "ridge", "cosine")
    assert automatic(1_001, 3) == ("logistic", "lda")
    assert automatic(5_001, 2) == ("logistic",)


def test_unknown_kinds_are_said_and_progress_goes_up(blobs: Blobs) -> None:
    X, y = blobs
    with pytest.raises(LookupError, match="forest"):
        choose_head(X, y, kinds=("forest",))
    seen: list[float] = []
    choose_head(X, y, on_progress=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_a_trained_head_says_why_it_is_of_its_kind(blobs: Blobs) -> None:
    X, y = blobs
    names = np.array(["wet", "dry", "broken"])
    trained = train_head(X, names[y], ["wet", "dry", "broken"], seed=0, kinds=("lda", "cosine"))
    assert trained.choice == trained.metrics["choice"]
    assert trained.choice["kind"] == trained.head.kind == trained.metrics["kind"]
    assert trained.metrics["accuracy"]["value"] == pytest.approx((trained.oof_proba.argmax(1) == y).mean())
    json.dumps(trained.metrics)


def answers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 60))
    Y = (X @ rng.normal(size=(60, 3)) + 3 * rng.normal(size=(200, 3)) > 0).astype(float)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    return X.astype(np.float32), Y


def test_questions_of_one_photo_are_answered_as_alone(tmp_path: Path) -> None:
    X, Y = answers()
    trained = train_multilabel(X, Y, ["crack", "dirt", "glare"], seed=0)
    head = trained.head
    assert isinstance(head, MultiLabelHead)
    known = ~np.isnan(Y[:, 1])
    alone = LogisticHead().fit(X[known], Y[known, 1].astype(int))
    assert np.corrcoef(head.logits(X)[:, 1], alone.decision_function(X))[0, 1] > 0.999
    assert (np.isnan(trained.oof_proba) == np.isnan(Y)).all()
    assert 0.6 < trained.metrics["mean"]["accuracy"] < 1.0 and trained.metrics["mean"]["ece"] < 0.15
    json.dumps(trained.metrics)
    save_head(tmp_path / "m", head, MANIFEST)
    again, _ = load_head(tmp_path / "m")
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    one = LogisticHead().fit(X, np.arange(200) % 3)
    for start, stop, (part, _) in score_many([again, one], X, chunk=64):
        assert np.allclose(part, head.predict_proba(X[start:stop]), atol=2e-5)
    assert head.predict_proba(X).sum(axis=1).std() > 0.1
    assert head.score(X, Y) > 0.6


def test_a_question_without_a_no_is_too_little() -> None:
    X, Y = answers()
    Y[:, 2] = np.where(Y[:, 2] == 0, np.nan, Y[:, 2])
    with pytest.raises(TooFewLabels, match="glare"):
        MultiLabelHead(names=["crack", "dirt", "glare"]).fit(X, Y)
    with pytest.raises(ValueError, match="1, 0, or NaN"):
        MultiLabelHead().fit(X, np.full((200, 1), 2.0))


def test_multilabel_figures_leave_unknown_answers_out() -> None:
    truth = np.array([[1, np.nan], [0, 1], [np.nan, np.nan], [1, 0]])
    probs = np.array([[0.9, 0.5], [0.2, 0.6], [0.5, 0.5], [0.4, 0.1]])
    report = evaluate_multilabel(probs, truth, ["a", "b"])
    assert [report["questions"][q]["n"] for q in "ab"] == [3, 2]
    assert report["mean"]["accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    with pytest.raises(ValueError, match="answers"):
        evaluate_multilabel(probs, truth, ["a"])
