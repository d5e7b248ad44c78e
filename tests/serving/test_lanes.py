"""Photos of several requests go through the network together, in turn, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from labeling.serving.compute.lanes import Busy, Lanes, Outcome
from labeling.serving.frames import framed, photos_in

PATIENCE_S = 60.0


class Gated:
    """An engine that says which batches it was given, and stops within the first until ``opened``."""

    step = 4

    def __init__(self) -> None:
        self.batches: list[tuple[list[bytes], bool]] = []
        self.inside, self.opened = threading.Event(), threading.Event()

    def embed(self, photos: Sequence[bytes], *, alone: bool) -> list[Outcome]:
        self.batches.append((list(photos), alone))
        self.inside.set()
        assert self.opened.wait(PATIENCE_S)
        if b"broken" in photos:
            raise MemoryError
        return [np.array([len(photo)], dtype=np.float32) for photo in photos]


@pytest.fixture
def engine() -> Iterator[Gated]:
    gated = Gated()
    yield gated
    gated.opened.set()


def values(waiting: Sequence[object]) -> list[float]:
    return [float(each.result(PATIENCE_S)[0]) for each in waiting]  # type: ignore[attr-defined]


def test_who_waits_meanwhile_makes_batches_and_what_is_for_later_comes_last(engine: Gated) -> None:
    lanes = Lanes(1, most=100)
    first = lanes.submit(engine, [b"a"])
    assert engine.inside.wait(PATIENCE_S)
    later = lanes.submit(engine, [b"later"], later=True)
    others = [lanes.submit(engine, [b"b" * n]) for n in (2, 3, 4, 5, 6)]
    engine.opened.set()
    assert values(first) == [1.0]
    assert [values(each) for each in others] == [[2.0], [3.0], [4.0], [5.0], [6.0]]
    assert values(later) == [5.0]
    assert [len(photos) for photos, _alone in engine.batches] == [1, 4, 1, 1]
    assert [alone for _photos, alone in engine.batches] == [True, False, True, True]


def test_a_batch_is_of_one_engine(engine: Gated) -> None:
    lanes, other = Lanes(1, most=100), Gated()
    other.opened.set()
    lanes.submit(engine, [b"a"])
    assert engine.inside.wait(PATIENCE_S)
    mixed = [lanes.submit(each, [b"xy"]) for each in (engine, other, other)]
    engine.opened.set()
    assert [values(each) for each in mixed] == [[2.0]] * 3
    assert [photos for photos, _alone in other.batches] == [[b"xy", b"xy"]]


def test_too_many_are_refused_whole_and_who_gave_up_is_passed_over(engine: Gated) -> None:
    lanes = Lanes(1, most=3)
    lanes.submit(engine, [b"a"])
    assert engine.inside.wait(PATIENCE_S)
    (given_up,) = lanes.submit(engine, [b"given up"])
    with pytest.raises(Busy):
        lanes.submit(engine, [b"b"] * 3)
    assert lanes.waiting == 1
    assert given_up.cancel()
    kept = lanes.submit(engine, [b"kept"])
    engine.opened.set()
    assert values(kept) == [4.0]
    assert all(b"given up" not in photos for photos, _alone in engine.batches)


def test_a_photo_that_makes_its_batch_fail_fails_alone(engine: Gated) -> None:
    lanes = Lanes(1, most=10)
    lanes.submit(engine, [b"a"])
    assert engine.inside.wait(PATIENCE_S)
    fine, (failed,), too = (lanes.submit(engine, [photo]) for photo in (b"ab", b"broken", b"abc"))
    engine.opened.set()
    assert isinstance(failed.exception(PATIENCE_S), MemoryError)
    assert (values(fine), values(too)) == ([2.0], [3.0])


def test_photos_in_a_body_come_out_as_they_went_in() -> None:
    photos = [b"", b"a", b"\x00" * 70_000]
    assert photos_in(framed(photos)) == photos
    for cut in (1, 3, 5, 70_000):
        with pytest.raises(ValueError, match="within a photo"):
            photos_in(framed(photos)[:-cut])
