"""Every kind of head says in ONNX what it says here."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from inference import heads
from inference.bundle.parts import CannotTakeOut, head_onnx
from inference.heads import FusedHead, Head, LinearHead, MultiLabelHead

ROWS, WIDTH = 90, 12


def blobs(classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    y = np.arange(ROWS) % classes
    return (rng.normal(size=(ROWS, WIDTH)) * rng.uniform(0.1, 30, WIDTH) + y[:, None]).astype(np.float32), y


def said(head: Head, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(head_onnx(head), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"vectors": rows})
    assert scores.dtype == np.float32
    return scores


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [*heads.KINDS])
def test_a_head_of_each_kind_says_the_same_in_onnx(kind: str, classes: int) -> None:
    rows, y = blobs(classes)
    head = heads.KINDS[kind](**({"epochs": 4} if kind == "mlp" else {})).fit(rows, y)
    # Off the training rows and one at a time too; the middle of all, which has no direction, among them.
    others = np.vstack([rows[:7] * 1.7 + 0.3, rows.mean(axis=0, keepdims=True)])
    np.testing.assert_allclose(said(head, others), head.predict_proba(others), atol=1e-6)
    np.testing.assert_allclose(said(head, others[:1]), head.predict_proba(others[:1]), atol=1e-6)


def test_fused_heads_and_several_questions_at_once_do_too() -> None:
    rows, y = blobs(3)
    parts = [heads.KINDS[kind]() for kind in ("cosine", "logistic")]
    fused = FusedHead(widths=(5, WIDTH - 5), heads=parts).fit(rows, y)
    np.testing.assert_allclose(said(fused, rows), fused.predict_proba(rows), atol=1e-6)
    questions = MultiLabelHead().fit(rows, np.stack([y == 0, y > 0], axis=1).astype(float))
    np.testing.assert_allclose(said(questions, rows), questions.predict_proba(rows), atol=1e-6)


def test_a_head_that_cannot_be_written_so_says_which_kind_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, y = blobs(2)
    head = heads.KINDS["ridge"]().fit(rows, y)
    monkeypatch.setattr(LinearHead, "express", Head.express)
    with pytest.raises(CannotTakeOut, match="kind ridge"):
        head_onnx(head)
