from __future__ import annotations

import json

import numpy as np
import pytest

from inference import calibrate, metrics


def drawn(n: int = 4000, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax at temperature ``scale`` is the truth that y was drawn from."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, 3)) * 2
    probs = calibrate.softmax(logits)
    y = (probs.cumsum(1) < rng.random(n)[:, None]).sum(1)
    return logits * scale, np.minimum(y, 2)


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_temperature_that_was_put_in_is_found(scale: float) -> None:
    logits, y = drawn(scale=scale)
    (found,) = calibrate.temperatures(logits[None], y)
    assert found == pytest.approx(scale, rel=0.08)
    before, after = calibrate.softmax(logits), calibrate.softmax(logits / found)
    assert calibrate.ece(after, y) < 0.03
    assert calibrate.brier(after, y) <= calibrate.brier(before, y) + 1e-3


def test_few_separable_observations_do_not_send_the_temperature_to_its_edge() -> None:
    logits = np.array([[3.0, 0.0], [0.0, 3.0]])
    assert 0.1 < calibrate.temperatures(logits[None], np.array([0, 1])) < 1.0
    assert calibrate.temperatures(np.empty((1, 0, 2)), np.empty(0, dtype=int)) == 1.0


def test_reliability_counts_every_row_once() -> None:
    logits, y = drawn()
    table = calibrate.reliability(calibrate.softmax(logits), y, bins=8)
    assert sum(b.count for b in table) == len(y)
    assert all(b.low < b.confidence <= b.high for b in table)


def test_brier_and_ece_by_hand() -> None:
    probs = np.array([[0.8, 0.2], [0.6, 0.4]])
    y = np.array([0, 1])
    assert calibrate.brier(probs, y) == pytest.approx((0.08 + 0.72) / 2)
    assert calibrate.ece(probs, y) == pytest.approx((0.2 + 0.6) / 2)


def test_wilson_matches_the_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert metrics.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert metrics.wilson(0, 0) == (0.0, 1.0)
    low, high = metrics.wilson(10, 10)
    assert 0.7 < low < high == 1.0


def test_evaluation_is_json_and_adds_up() -> None:
    logits, y = drawn(500)
    report = metrics.evaluate(calibrate.softmax(logits), y, ["a", "b", "c"])
    again = json.loads(json.dumps(report))
    assert again == json.loads(json.dumps(metrics.evaluate(calibrate.softmax(logits), y, ["a", "b", "c"])))
    assert np.sum(report["confusion"]) == report["n"] == 500
    assert sum(c["support"] for c in report["classes"].values()) == 500
    for share in [
        report["accuracy"],
        *(c[m] for c in report["classes"].values() for m in ("precision", "recall", "f1")),
    ]:
        assert share["low"] <= share["value"] <= share["high"]
    assert 0.5 < report["auroc"] < 1
    assert report["log_loss"] == pytest.approx(calibrate.log_loss(logits, y))


def test_what_is_undefined_is_none_not_a_number() -> None:
    report = metrics.evaluate(np.array([[0.9, 0.1], [0.7, 0.3]]), np.array([0, 0]), ["a", "b"])
    assert report["auroc"] is None
    assert report["classes"]["b"]["recall"] is None and report["classes"]["b"]["precision"] is None
    empty = metrics.evaluate(np.empty((0, 2)), np.empty(0, dtype=int), ["a", "b"])
    assert empty["n"] == 0 and empty["accuracy"] is None
    with pytest.raises(ValueError, match="classes"):
        metrics.evaluate(np.empty((3, 2)), np.zeros(3, dtype=int), ["a"])


def test_a_paired_difference_tells_better_from_equal() -> None:
    y = np.zeros(100, dtype=int)
    right, wrong = np.array([0.9, 0.1]), np.array([0.1, 0.9])
    a = np.where((np.arange(100) < 70)[:, None], right, wrong)
    b = np.where((np.arange(100) < 90)[:, None], right, wrong)
    better = metrics.paired_difference(a, b, y)
    assert better["difference"] == pytest.approx(0.2)
    assert better["low"] > 0 and better["p_value"] < 0.001 and better["only_b_right"] == 20
    same = metrics.paired_difference(a, a, y)
    assert (same["difference"], same["p_value"]) == (0.0, 1.0)
    json.dumps(better)


def test_f1_at_its_ends_has_an_interval_too() -> None:
    report = metrics.evaluate(np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10), ["a", "b"])
    f1 = report["classes"]["a"]["f1"]
    low = metrics.wilson(10, 10)[0]
    assert f1["value"] == f1["high"] == 1.0
    assert f1["low"] == pytest.approx(2 * low / (1 + low)) and f1["low"] < 0.9
    never = metrics.evaluate(np.eye(2)[[0] * 20], np.array([0, 1] * 10), ["a", "b"])["classes"]["b"]["f1"]
    assert never["value"] == never["low"] == 0.0 < never["high"] < 0.5
