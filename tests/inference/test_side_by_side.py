"""Several stores read as one: the same rows as by hand, and missing where any of them lacks the photo."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from inference.side_by_side import SideBySide
from inference.store import EmbeddingStore, MissingKeys, PlacedRows

KEYS = [hashlib.sha256(f"photo {number}".encode()).hexdigest() for number in range(12)]


@pytest.fixture
def stores(tmp_path: Path) -> tuple[EmbeddingStore, EmbeddingStore]:
    """The first lacks the last photo, the second the first; each wrote them in an order and in pieces of its own."""
    rng = np.random.default_rng(0)
    wide, narrow = EmbeddingStore(tmp_path, "a" * 64, 5), EmbeddingStore(tmp_path, "b" * 64, 3)
    wide.append(KEYS[:4], rng.normal(size=(4, 5)))
    wide.append(KEYS[4:11], rng.normal(size=(7, 5)))
    narrow.append(KEYS[:6:-1], rng.normal(size=(5, 3)))
    narrow.append(KEYS[1:7], rng.normal(size=(6, 3)))
    return wide, narrow


def test_a_row_is_the_parts_rows_one_after_the_other(stores: tuple[EmbeddingStore, EmbeddingStore]) -> None:
    both = SideBySide(stores)
    asked = [KEYS[7], KEYS[2], KEYS[7], KEYS[10]]
    expected = np.concatenate([store.rows(asked) for store in stores], axis=1)
    assert both.dim == 8
    np.testing.assert_array_equal(both.rows(asked), expected)


def test_a_photo_that_one_store_lacks_is_missing(stores: tuple[EmbeddingStore, EmbeddingStore]) -> None:
    both = SideBySide(stores)
    assert both.missing([*KEYS, KEYS[0]]) == [KEYS[0], KEYS[11]]
    with pytest.raises(MissingKeys) as raised:
        both.rows(KEYS)
    assert raised.value.keys == [KEYS[0], KEYS[11]]


def test_places_lead_to_the_same_rows_in_any_order_and_tell_which_are_there(
    stores: tuple[EmbeddingStore, EmbeddingStore],
) -> None:
    both = SideBySide(stores)
    places = both.locate(b"".join(bytes.fromhex(key) for key in KEYS))
    assert len(places) == 12
    assert places.found.tolist() == [False] + [True] * 10 + [False]
    there = places[places.found]
    np.testing.assert_array_equal(both.at(there), both.rows(KEYS[1:11]))
    order = there.in_disk_order()
    assert sorted(order.tolist()) == list(range(10))
    rows = PlacedRows(both, there[order])
    assert rows.shape == (10, 8)
    np.testing.assert_array_equal(rows[2:5], both.rows(KEYS[1:11])[order][2:5])
    np.testing.assert_array_equal(rows[3], both.rows(KEYS[1:11])[order][3])
    with pytest.raises(IndexError):
        both.at(places)


def test_it_is_known_by_its_stores_in_their_order(stores: tuple[EmbeddingStore, EmbeddingStore]) -> None:
    wide, narrow = stores
    assert SideBySide(stores).folders == (wide.folder, narrow.folder)
    assert SideBySide([narrow, wide]).folders != SideBySide(stores).folders
    assert SideBySide([SideBySide(stores)]).folders == SideBySide(stores).folders
    with pytest.raises(ValueError, match="at least one"):
        SideBySide([])
