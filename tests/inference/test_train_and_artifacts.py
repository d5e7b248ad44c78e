from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inference.artifacts import ArtifactError, load_head, save_head
from inference.heads import TooFewLabels
from inference.train import score, train_head

Blobs = tuple[np.ndarray, np.ndarray]
NAMES = np.array(["wet", "dry", "broken"])
MANIFEST = {"backbone_hash": "cd" * 32, "seed": 1, "snapshot": 12}


def test_training_keeps_the_projects_order_and_leaves_unseen_classes_out(blobs: Blobs) -> None:
    X, y = blobs
    trained = train_head(X, NAMES[y], ["unseen", "wet", "dry", "broken"], seed=0)
    assert trained.classes == ("wet", "dry", "broken")
    assert trained.oof_proba.shape == (120, 3)
    assert (np.asarray(trained.head.predict(X)) == NAMES[y]).mean() > 0.95
    assert list(trained.metrics["classes"]) == ["wet", "dry", "broken"]
    assert trained.metrics["accuracy"]["value"] == pytest.approx((trained.oof_proba.argmax(1) == y).mean())
    json.dumps(trained.metrics)


def test_bad_ground_truth_is_said(blobs: Blobs) -> None:
    X, y = blobs
    with pytest.raises(ValueError, match="broken"):
        train_head(X, NAMES[y], ["wet", "dry"], seed=0)
    with pytest.raises(TooFewLabels):
        train_head(X[:5], ["wet"] * 5, list(NAMES), seed=0)


def test_scoring_in_chunks_from_a_memory_map_is_the_same(blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    head = train_head(X, NAMES[y], list(NAMES), seed=0).head
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.allclose(score(head, mapped, chunk=50), head.predict_proba(X), atol=1e-6)
    assert score(head, X[:0]).shape == (0, 3)


def test_a_stored_head_comes_back_with_its_manifest(blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    head = train_head(X, NAMES[y], list(NAMES), seed=1).head
    written = save_head(tmp_path / "v1", head, MANIFEST)
    again, manifest = load_head(tmp_path / "v1", backbone_hash="cd" * 32)
    assert manifest == written and manifest["snapshot"] == 12 and manifest["classes"] == list(NAMES)
    assert {"strength", "temperature", "device", "libraries", "weights_sha256"} <= set(manifest)
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    assert (again.predict(X) == head.predict(X)).all()


def test_a_stored_head_is_never_overwritten_and_nothing_half_stays(blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    head = train_head(X, NAMES[y], list(NAMES), seed=1).head
    save_head(tmp_path / "v1", head, MANIFEST)
    with pytest.raises(FileExistsError):
        save_head(tmp_path / "v1", head, MANIFEST)
    with pytest.raises(ValueError, match="backbone_hash"):
        save_head(tmp_path / "v2", head, {"seed": 1})
    with pytest.raises(TypeError):
        save_head(tmp_path / "v3", head, {**MANIFEST, "odd": object()})
    assert [p.name for p in tmp_path.iterdir()] == ["v1"]


def test_a_damaged_or_foreign_head_is_refused(blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    save_head(tmp_path / "v1", train_head(X, NAMES[y], list(NAMES), seed=1).head, MANIFEST)
    with pytest.raises(ArtifactError, match="another backbone"):
        load_head(tmp_path / "v1", backbone_hash="ef" * 32)
    weights = tmp_path / "v1" / "head.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ArtifactError, match="differs"):
        load_head(tmp_path / "v1")
    weights.write_bytes(good)
    manifest = json.loads((tmp_path / "v1" / "manifest.json").read_text())
    (tmp_path / "v1" / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(ArtifactError, match="format"):
        load_head(tmp_path / "v1")
    with pytest.raises(ArtifactError):
        load_head(tmp_path / "nowhere")


def test_the_machines_half_never_imports_django() -> None:
    check = (
        "import sys, inference.artifacts, inference.train, inference.embed, inference.store, inference.strategies;"
        "sys.exit(any(name.split('.')[0] in ('django', 'labeling') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_head_of_the_first_format_still_comes_back(blobs: Blobs, tmp_path: Path) -> None:
    X, y = blobs
    head = train_head(X, NAMES[y], list(NAMES), seed=1, kinds=("logistic",)).head
    save_head(tmp_path / "v1", head, MANIFEST)
    path = tmp_path / "v1" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["format_version"] == 2
    del manifest["threads"]
    path.write_text(json.dumps({**manifest, "format_version": 1}))
    again, _ = load_head(tmp_path / "v1")
    assert (again.predict_proba(X) == head.predict_proba(X)).all()
    path.write_text(json.dumps({**manifest, "kind": "oracle"}))
    with pytest.raises(ArtifactError, match="oracle"):
        load_head(tmp_path / "v1")
