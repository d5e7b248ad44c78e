"""What is published is on the disk before it has its name, and its name before anybody is told."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from inference.on_disk import make_folder, publish, system_errors


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was asked of the disk, in order: ("sync", the path's name), ("rename", the new name)."""
    asked: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename

    def synced(handle: int) -> None:
        asked.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def renamed(path: Path, to: Any) -> Path:
        asked.append(("rename", Path(to).name))
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    return asked


def test_a_folder_is_on_the_disk_with_all_that_it_holds_before_it_appears(
    tmp_path: Path, done: list[tuple[str, str]]
) -> None:
    hidden = tmp_path / "hidden"
    (hidden / "inner").mkdir(parents=True)
    for path in (hidden / "weights", hidden / "inner" / "more"):
        path.write_bytes(b"x")
    publish(hidden, tmp_path / "place")
    at = done.index(("rename", "place"))
    assert {name for what, name in done[:at] if what == "sync"} == {"hidden", "inner", "weights", "more"}
    assert done[at + 1 :] == [("sync", tmp_path.name)], "the new name, before anybody is told of it"
    assert (tmp_path / "place" / "inner" / "more").read_bytes() == b"x"


def test_a_file_takes_the_place_of_the_one_before_when_it_is_on_the_disk(
    tmp_path: Path, done: list[tuple[str, str]]
) -> None:
    (tmp_path / "hidden").write_bytes(b"new")
    (tmp_path / "place").write_bytes(b"old")
    publish(tmp_path / "hidden", tmp_path / "place")
    assert done == [("sync", "hidden"), ("rename", "place"), ("sync", tmp_path.name)]
    assert (tmp_path / "place").read_bytes() == b"new"


def test_a_new_folder_is_named_on_the_disk_in_each_one_above(
    tmp_path: Path, done: list[tuple[str, str]]
) -> None:
    make_folder(tmp_path / "a" / "b")
    assert {name for _what, name in done} == {tmp_path.name, "a"}


def test_a_full_disk_is_an_error_of_the_system_whoever_writes(tmp_path: Path) -> None:
    """As of a file that may not grow any more: what a full disk says, too, safetensors says in words."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as caught, system_errors():
            save_file({"a": np.zeros(10_000)}, tmp_path / "large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG


def test_numpy_too_says_that_there_was_no_room(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as caught, system_errors():
            np.save(tmp_path / "large.npy", np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.ENOSPC


def test_what_safetensors_refuses_for_itself_stays_its_own_error() -> None:
    with pytest.raises(SafetensorError), system_errors():
        raise SafetensorError("Error while deserializing: header too small")
