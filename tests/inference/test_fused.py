from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from inference import subsampling
from inference.artifacts import ArtifactError, load_head, save_head
from inference.heads import (
    KINDS,
    CosineHead,
    FusedHead,
    Head,
    LdaHead,
    LogisticHead,
    MultiLabelHead,
    RidgeHead,
    from_arrays,
)
from inference.scoring import score, score_many
from inference.train import fuse, train_head

MANIFEST = {"backbone_hash": "cd" * 32, "seed": 1}
NAMES = np.array(["crack", "dirt", "good"])


@pytest.fixture
def two_views() -> tuple[np.ndarray, np.ndarray]:
    """400 rows of three classes, as two backbones see them: 60 columns and 40, each with noise of its own."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 3
    blocks = [rng.normal(size=(3, d))[y] * 0.35 + rng.normal(size=(400, d)) for d in (60, 40)]
    return np.concatenate(blocks, axis=1).astype(np.float32), y


def mean_logits(parts: list[Head], blocks: list[np.ndarray]) -> np.ndarray:
    logs = [np.log(part.predict_proba(block)) for part, block in zip(parts, blocks, strict=True)]
    mean = np.exp(np.mean(logs, axis=0))
    return mean / mean.sum(axis=1, keepdims=True)


def test_it_is_the_mean_of_its_parts_logits_and_better_than_either(
    two_views: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = two_views
    blocks = [X[:120, :60], X[:120, 60:]]
    parts = [LdaHead().fit(block, y[:120]) for block in blocks]
    fused = FusedHead.of(parts)
    assert fused.widths_ == (60, 40) and fused.n_features_in_ == 100 and fused.classes_.tolist() == [0, 1, 2]
    expected = mean_logits(parts, [X[:, :60], X[:, 60:]])
    np.testing.assert_allclose(fused.predict_proba(X), expected, atol=1e-12)
    right = (fused.predict(X[120:]) == y[120:]).mean()
    alone = [
        (p.predict(b) == y[120:]).mean() for p, b in zip(parts, (X[120:, :60], X[120:, 60:]), strict=True)
    ]
    assert right > max(alone) + 0.03
    # Out of fold it is the same mean, and promises what comes true.
    logs = np.mean([np.log(part.out_of_fold_proba_) for part in parts], axis=0)
    held_out = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fused.out_of_fold_proba_, held_out, atol=1e-12)
    assert abs((fused.out_of_fold_proba_.argmax(axis=1) == y[:120]).mean() - right) < 0.08


def test_fitting_and_putting_together_are_the_same(two_views: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = two_views
    X, y = X[:150], NAMES[y[:150]]
    groups = np.arange(150) // 2
    parts = [
        LogisticHead(seed=3).fit(X[:, :60], y, groups=groups),
        RidgeHead(seed=3).fit(X[:, 60:], y, groups=groups),
    ]
    together = FusedHead.of(parts)
    fitted = FusedHead(widths=(60, 40), heads=[LogisticHead(seed=3), RidgeHead(seed=3)], seed=3)
    fitted = clone(fitted).fit(X, y, groups=groups)
    again = clone(together).fit(X, y, groups=groups)
    for each in (fitted, again):
        assert each.classes_.tolist() == sorted(NAMES)
        assert (each.predict_proba(X) == together.predict_proba(X)).all()
        assert (each.out_of_fold_proba_ == together.out_of_fold_proba_).all()
        assert set(each.predict(X)) <= set(NAMES)


def test_kinds_are_chosen_block_by_block(two_views: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = two_views
    seen: list[float] = []
    head = FusedHead(widths=(60, 40), kinds=("lda", "cosine"), seed=1).fit(
        X[:90], y[:90], on_progress=lambda done, total: seen.append(done / total)
    )
    assert seen == sorted(seen) and seen[-1] == 1.0
    for part, block in zip(head.parts_, (X[:90, :60], X[:90, 60:]), strict=True):
        alone = train_head(block, y[:90].astype(str), ["0", "1", "2"], seed=1, kinds=("lda", "cosine"))
        assert (part.predict_proba(block) == alone.head.predict_proba(block)).all()
        assert (part.out_of_fold_proba_ == alone.oof_proba).all()
    told = head.settings()
    assert told == json.loads(json.dumps(told))
    assert [each["kind"] for each in told["parts"]] == [part.kind for part in head.parts_]
    assert told["widths"] == [60, 40]


@pytest.mark.parametrize("kinds", [("lda", "logistic"), ("ridge", "cosine"), ("mlp", "lda"), tuple(KINDS)])
def test_it_comes_back_from_disk_and_is_scored_in_one_pass(
    kinds: tuple[str, ...], two_views: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = two_views
    widths = [100 // len(kinds)] * len(kinds)
    head = FusedHead(widths=widths, heads=[KINDS[kind](seed=2) for kind in kinds]).fit(X[:90], NAMES[y[:90]])
    saved = save_head(tmp_path / "fused", head, MANIFEST)
    assert saved["kind"] == "fused" and [each["kind"] for each in saved["parts"]] == list(kinds)
    again, _ = load_head(tmp_path / "fused")
    assert isinstance(again, FusedHead) and again.settings() == head.settings()
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    linear = all(kind in ("logistic", "lda", "ridge") for kind in kinds)
    assert hasattr(again, "coef_") == linear
    two = FusedHead(widths=widths, heads=[KINDS[kind]() for kind in kinds]).fit(X[:60], y[:60] > 0)
    for start, stop, (one, other, plain) in score_many(
        [again, two, LogisticHead().fit(X[:90], y[:90])], X, chunk=70
    ):
        assert np.allclose(one, head.predict_proba(X[start:stop]), atol=2e-5)
        assert np.allclose(other, two.predict_proba(X[start:stop]), atol=2e-5)
        assert plain.shape == (stop - start, 3)
    if linear:
        logits = (X @ again.coef_.T + again.intercept_) / again.temperature_
        np.testing.assert_allclose(logits, again.logits(X), atol=1e-6)
        assert again.coef_.shape == (3, 100) and again.intercept_.shape == (3,)
    assert score(again, X).shape == (400, 3)


def test_what_does_not_belong_together_is_refused(
    two_views: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = two_views
    with pytest.raises(ValueError, match="at least one"):
        FusedHead.of([])
    first = LdaHead().fit(X[:90], y[:90])
    with pytest.raises(ValueError, match="same rows"):
        FusedHead.of([first, LdaHead().fit(X[:80], y[:80])])
    with pytest.raises(ValueError, match="same classes"):
        FusedHead.of([first, LdaHead().fit(X[:90], y[:90] > 0)])
    with pytest.raises(ValueError, match="multilabel"):
        FusedHead.of([MultiLabelHead().fit(X, np.eye(3)[y])])
    for widths in ((60, 30), (100, 0), (120, -20)):
        with pytest.raises(ValueError, match="do not make up 100 features"):
            FusedHead(widths=widths).fit(X[:30], y[:30])
    with pytest.raises(ValueError, match="1 heads for 2 blocks"):
        FusedHead(widths=(60, 40), heads=[LdaHead()]).fit(X[:30], y[:30])
    head = FusedHead(widths=(60, 40), kinds=("lda",)).fit(X[:90], y[:90])
    with pytest.raises(ValueError, match="features"):
        head.predict(X[:, :60])
    arrays = head.to_arrays()
    with pytest.raises(ValueError, match="two kinds"):
        from_arrays("fused", arrays | {"0/ridge/coef": arrays["0/lda/coef"]}, [0, 1, 2])
    for broken in (
        {k: v for k, v in arrays.items() if not k.startswith("0/")},
        {"temperature": np.ones(1)},
        {k.replace("lda", "forest"): v for k, v in arrays.items()},
        arrays | {"nonsense": np.ones(1)},
    ):
        with pytest.raises((ValueError, LookupError)):
            from_arrays("fused", broken, [0, 1, 2])
    save_head(tmp_path / "fused", head, MANIFEST | {"note": "x"})
    manifest = tmp_path / "fused" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kind": "fused"', '"kind": "lda"', 1))
    with pytest.raises(ArtifactError):
        load_head(tmp_path / "fused")


def test_parts_from_the_disk_are_fused_without_out_of_fold_rows(
    two_views: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = two_views
    kept = [CosineHead().fit(X[:90, :60], y[:90]), LdaHead().fit(X[:90, 60:], y[:90])]
    read = [from_arrays(each.kind, each.to_arrays(), [0, 1, 2]) for each in kept]
    assert (FusedHead.of(read).predict_proba(X) == FusedHead.of(kept).predict_proba(X)).all()
    assert not hasattr(FusedHead.of(read), "out_of_fold_proba_")


def test_the_learning_curve_fits_it_again_as_it_was_chosen(two_views: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = two_views
    head = FusedHead(widths=(60, 40), kinds=("lda", "logistic")).fit(X[:120], y[:120])
    predict = subsampling.refit(head)(X[:120], y[:120])
    assert (predict(X) == head.predict(X)).mean() > 0.97
    skewed = np.where(np.arange(120) % 4 == 0, 1, 0)
    tilted = LogisticHead().fit(X[:120, :10], skewed)
    assert tilted.prior_ > 0
    again = subsampling.refit(tilted)(X[:120, :10], skewed)
    np.testing.assert_array_equal(again(X[:, :10]), tilted.predict(X[:, :10]))


def test_trained_heads_are_fused_by_what_was_out_of_fold_of_their_choice_too(
    two_views: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = two_views
    names = NAMES[y[:90]]
    parts = [train_head(block, names, list(NAMES), seed=0) for block in (X[:90, :60], X[:90, 60:])]
    fused = fuse(parts, names, seed=0)
    logs = np.mean([np.log(part.oof_proba) for part in parts], axis=0)
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fused.oof_proba, expected, atol=1e-12)
    truth = np.searchsorted(NAMES, names)
    assert fused.metrics["log_loss"] == pytest.approx(-np.log(expected[np.arange(90), truth]).mean())
    assert fused.classes == parts[0].classes and fused.metrics["kind"] == fused.head.kind == "fused"
    assert [each["kind"] for each in fused.choice["parts"]] == [part.head.kind for part in parts]
