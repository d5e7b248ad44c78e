"""Sets of pictures for benchmarks: whole, the same each time, and clear about what is missing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks import learning_curve, pictures
from benchmarks.beside import Beside
from benchmarks.pictures import base, clipart, metal
from inference.heads import LogisticHead
from inference.photo.pixels import decode_pixels
from inference.replay import replay, simulate_people, split


def test_what_a_package_ships_comes_whole() -> None:
    digits = pictures.load("digits")

    assert len(digits.keys) == len(digits.labels) == len(set(digits.keys)) == 1797
    assert np.bincount(digits.labels).min() > 170
    assert all(hashlib.sha256(digits.files[key]).hexdigest() == key for key in digits.keys)
    assert decode_pixels(digits.files[digits.keys[0]], max_pixels=10_000).shape == (64, 64, 1)


def test_what_is_made_comes_out_the_same_and_shows_its_class() -> None:
    shown = {label: metal.photo(label, np.random.default_rng(5)) for label in metal.COUNTS}

    for label, picture in shown.items():
        np.testing.assert_array_equal(picture, metal.photo(label, np.random.default_rng(5)))
    # The same plate under the same light: what differs is what happened to it.
    assert len({picture.tobytes() for picture in shown.values()}) == len(metal.COUNTS)


def test_a_missing_package_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clipart, "ROOT", tmp_path)

    with pytest.raises(pictures.NotInstalled, match="apt-get install openclipart-png"):
        pictures.load("clipart")
    with pytest.raises(SystemExit):
        learning_curve.main(["--data", "clipart"])
    assert "apt-get install openclipart-png" in capsys.readouterr().err


def test_a_set_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"There are: .*digits"):
        pictures.load("cats")
    with pytest.raises(LookupError, match=r"cats.*There are: elpv, .*digits"):
        learning_curve.sets_of("digits,cats")


def test_a_picture_in_two_folders_counts_once_and_posters_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    grey = [base.png(np.full((8, 8), level, dtype=np.uint8)) for level in range(3)]
    for folder, contents in {"a": grey[:2], "b": grey[1:]}.items():
        (tmp_path / folder).mkdir()
        for number, content in enumerate(contents):
            (tmp_path / folder / f"{number}.png").write_bytes(content)
    (tmp_path / "b" / "poster.png").write_bytes(base.png(np.zeros((20, 20), dtype=np.uint8)))
    monkeypatch.setattr(base, "POSTER", 399)

    found = base.from_folders("grey", tmp_path, {"a": "dark", "b": "light"}, install="nothing")

    assert [found.files[key] for key in found.keys] == grey
    assert found.labels.tolist() == [0, 0, 1]


def test_others_are_taught_what_the_replay_was_and_judged_on_what_it_was_judged_on() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 160)
    X = (rng.normal(size=(160, 4)) + 2.0 * truth[:, None]).astype(np.float32)
    test, taught = split(truth, 1), []

    class Constant:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return np.ones(len(rows), dtype=np.int64)

    def teach(rows: np.ndarray, y: np.ndarray, seed: int) -> Constant:
        taught.append((rows, y))
        return Constant()

    beside = Beside(test, truth, [20, 40], {"constant": teach})
    points = replay(
        X,
        simulate_people("clean", truth, np.eye(2)[truth], 1),
        "random",
        test=test,
        seed=1,
        checkpoints=[20, 30, 40],
        make_head=beside.make_head(lambda seed: LogisticHead(seed=seed)),
    )

    assert [len(y) for _, y in taught] == [20, 40]
    assert beside.accuracy == {"constant": dict.fromkeys((20, 40), float(truth[test].mean()))}
    assert not {row.tobytes() for row in taught[-1][0]} & {row.tobytes() for row in X[test]}
    assert points[-1].accuracy > 0.9


def test_the_error_of_a_difference_is_paired_by_seed() -> None:
    table = learning_curve.beside_table({"auto": {50: [0.5, 0.7]}, "other": {50: [0.4, 0.6]}})

    assert table["other"]["50"] == {
        "accuracy": 0.5,
        "error": 0.1,
        "auto_more": 0.1,
        "auto_more_error": 0.0,
    }
