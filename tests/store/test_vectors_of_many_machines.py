"""A store of vectors whose folder is a copy of what all machines share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference import shards
from labeling.learning.compute.stores import Shipper, open_store
from labeling.store import objects
from labeling.store.folders import VECTORS

pytestmark = pytest.mark.django_db
Machine = Callable[[str], Path]
BACKBONE = "ab" * 32


def keys(*numbers: int) -> list[str]:
    return [f"{number:064x}" for number in numbers]


def rows(*numbers: int) -> np.ndarray:
    return np.array([[number, 1.0] for number in numbers], dtype=np.float32)


def test_each_machine_reads_what_the_others_wrote(bucket: None, machine: Machine) -> None:
    machine("a")
    first = open_store(BACKBONE, 2)
    first.append(keys(1, 2), rows(1, 2))
    machine("b")
    second = open_store(BACKBONE, 2)
    assert (second.rows(keys(2, 1)) == rows(2, 1)).all()
    second.append(keys(3), rows(3))
    machine("a")
    assert first.missing(keys(3)) == keys(3)
    first.refresh()
    assert (first.rows(keys(3, 1)) == rows(3, 1)).all()


def test_who_ships_vectors_reads_and_keeps_none(bucket: None, machine: Machine) -> None:
    machine("a")
    first = open_store(BACKBONE, 2)
    first.append(keys(1), rows(1))
    machine("b")
    shipper = Shipper(BACKBONE, 2, "float32")
    shipper.append(keys(3, 2), rows(3, 2))
    assert not VECTORS.here(BACKBONE)
    machine("a")
    first.refresh()
    assert (first.rows(keys(1, 2, 3)) == rows(1, 2, 3)).all()


def test_a_compaction_is_followed_and_an_older_store_stays_readable(bucket: None, machine: Machine) -> None:
    machine("a")
    first = open_store(BACKBONE, 2)
    for number in range(4):
        first.append(keys(number), rows(number))
    machine("b")
    second = open_store(BACKBONE, 2)
    second.compact()
    assert len(VECTORS.names(BACKBONE)) == 1
    machine("a")
    assert (first.rows(keys(0, 3)) == rows(0, 3)).all()
    first.refresh()
    assert len(first) == 4 and (first.rows(keys(0, 3)) == rows(0, 3)).all()
    assert VECTORS.here(BACKBONE) == VECTORS.names(BACKBONE)


def test_a_copy_that_was_removed_is_brought_again(bucket: None, machine: Machine) -> None:
    machine("a")
    store = open_store(BACKBONE, 2)
    store.append(keys(1), rows(1))
    machine("b")
    again = open_store(BACKBONE, 2)
    (folder,) = (VECTORS.root / BACKBONE).glob("shard-*")
    (folder / "keys.bin").write_bytes(b"")
    shards._sound.clear()
    again.refresh()
    assert (open_store(BACKBONE, 2).rows(keys(1)) == rows(1)).all()


def test_what_is_damaged_for_all_is_missing_and_may_be_stored_again(bucket: None, machine: Machine) -> None:
    machine("a")
    store = open_store(BACKBONE, 2)
    store.append(keys(1), rows(1))
    (name,) = VECTORS.names(BACKBONE)
    objects.write(f"embeddings/{BACKBONE}/{name}/vectors.npy", b"damaged")
    machine("b")
    other = open_store(BACKBONE, 2)
    assert other.missing(keys(1)) == keys(1) and not VECTORS.names(BACKBONE)
    other.append(keys(1), rows(1))
    machine("a")
    store.refresh()
    assert (store.rows(keys(1)) == rows(1)).all()
