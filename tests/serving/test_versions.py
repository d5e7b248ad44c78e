"""A promotion is taken over without a pause, and memory stays bounded."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from labeling.serving.compute import versions as module
from labeling.serving.compute.versions import Loaded, Versions

PATIENCE_S = 60.0


@dataclass
class Disk:
    """In the place of artefacts: which versions can be read, and when."""

    ready: dict[int, threading.Event] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    read: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def load(self, versions: Versions, pk: int) -> Loaded:
        self.read.append(pk)
        try:
            if pk in self.ready:
                assert self.ready[pk].wait(PATIENCE_S)
            if pk in self.broken:
                raise FileNotFoundError
            loaded: Any = Loaded(pk, ("cells", str(pk)), [1, 2], None, None)  # type: ignore[arg-type]
            versions.keep(loaded)
            return loaded  # type: ignore[no-any-return]
        finally:
            self.ended.set()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(Versions, "_load", lambda self, pk: disk.load(self, pk))
    return disk


def taken_over(versions: Versions, project: int, pk: int) -> Loaded:
    """Once the threads that load have ended."""
    for thread in threading.enumerate():
        if thread.name == "take-over":
            thread.join(PATIENCE_S)
    return versions.serving(project, pk)


def test_the_one_before_answers_until_the_new_one_is_there(disk: Disk) -> None:
    versions = Versions(8)
    assert versions.serving(1, 10).pk == 10
    disk.ready[11] = threading.Event()
    assert [versions.serving(1, 11).pk for _ in range(3)] == [10, 10, 10]
    disk.ready[11].set()
    assert taken_over(versions, 1, 11).pk == 11
    assert disk.read == [10, 11], "it was loaded once"
    # Rolled back, and who had asked a moment before: both are there.
    assert (versions.serving(1, 10).pk, versions.serving(1, 11).pk) == (10, 11)


def test_one_that_cannot_be_loaded_leaves_the_one_before_and_is_tried_again_later(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions, now = Versions(8), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    versions.serving(1, 10)
    disk.broken.add(11)
    assert versions.serving(1, 11).pk == 10
    assert taken_over(versions, 1, 11).pk == 10
    assert disk.read == [10, 11], "not with each request"
    disk.broken.clear()
    now[0] += module.PAUSE_S + 1
    versions.serving(1, 11)
    assert taken_over(versions, 1, 11).pk == 11


def test_threads_that_ask_at_once_load_it_once_and_the_first_failure_is_everybodys(disk: Disk) -> None:
    versions, found = Versions(8), []
    disk.ready[10] = threading.Event()
    threads = [threading.Thread(target=lambda: found.append(versions.serving(1, 10).pk)) for _ in range(4)]
    for thread in threads:
        thread.start()
    disk.ready[10].set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert (found, disk.read) == ([10] * 4, [10])
    disk.broken.add(20)
    with pytest.raises(FileNotFoundError):
        versions.serving(2, 20)


def test_what_was_asked_for_longest_ago_goes(disk: Disk) -> None:
    versions = Versions(2)
    for project, pk in ((1, 10), (2, 20), (1, 10), (3, 30)):
        assert versions.serving(project, pk).pk == pk
    assert len(versions) == 2
    assert versions.serving(2, 20).pk == 20
    assert disk.read == [10, 20, 30, 20]
