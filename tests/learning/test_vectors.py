"""What a web process hands on of the embeddings is what a worker stored, to the bit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from inference.store import EmbeddingStore
from labeling.learning import vectors
from labeling.learning.models import Part

DIM = 12


def keys(count: int, name: str = "photo") -> list[str]:
    return [hashlib.sha256(f"{name} {row}".encode()).hexdigest() for row in range(count)]


def stored(root: Path, backbone: str, *, dtype: str, hashes: list[str], seed: int = 0) -> EmbeddingStore:
    """In three shards, as three intakes leave them."""
    store = EmbeddingStore(root, backbone, DIM, dtype=dtype)
    rows = np.random.default_rng(seed).normal(size=(len(hashes), DIM)).astype(np.float32)
    for some in np.array_split(np.arange(len(hashes)), 3):
        store.append([hashes[row] for row in some], rows[some])
    return store


def read(parts: list[Part], hashes: list[str]) -> dict[str, np.ndarray]:
    return {key: np.frombuffer(row, "<f4") for key, row in vectors.vectors_of(parts, hashes).items()}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_vectors_are_those_that_were_stored(tmp_path: Path, dtype: str) -> None:
    known = keys(200)
    store = stored(tmp_path / "embeddings", "a" * 64, dtype=dtype, hashes=known)
    found = read([Part("own", "a" * 64, DIM)], [*keys(5, "strange"), *known])
    assert list(found) == known
    assert np.array_equal(np.stack(list(found.values())), store.rows(known))
    store.compact()
    again = read([Part("own", "a" * 64, DIM)], known)
    assert all(np.array_equal(again[key], found[key]) for key in known)
    one = vectors.vectors_of([Part("own", "a" * 64, DIM)], known[:1])[known[0]]
    assert vectors.numbers(one) == store.rows(known[:1])[0].tolist()


def test_backbones_stand_side_by_side_and_a_photo_that_one_lacks_is_left_out(tmp_path: Path) -> None:
    known = keys(30)
    first = stored(tmp_path / "embeddings", "a" * 64, dtype="float32", hashes=known)
    second = stored(tmp_path / "embeddings", "b" * 64, dtype="float32", hashes=known[:20], seed=1)
    found = read([Part("own", "a" * 64, DIM), Part("other", "b" * 64, DIM)], known)
    assert list(found) == known[:20]
    both = np.concatenate([first.rows(known[:20]), second.rows(known[:20])], axis=1)
    assert np.array_equal(np.stack(list(found.values())), both)


@pytest.mark.parametrize("harm", ["flipped", "cut", "no numbers", "gone"])
def test_what_is_not_what_was_written_is_passed_over(tmp_path: Path, harm: str) -> None:
    known = keys(30)
    store = stored(tmp_path / "embeddings", "a" * 64, dtype="float32", hashes=known)
    (folder, *_others) = sorted(store.folder.glob("shard-*"))
    held = {key.hex() for key in _keys_of(folder)}
    path = folder / "vectors.npy"
    data = bytearray(path.read_bytes())
    if harm == "flipped":
        data[-1] ^= 1
    elif harm == "cut":
        data = data[:-4]
    elif harm == "no numbers":
        data[:6] = b"NUMPY!"
    path.write_bytes(data)
    if harm == "gone":
        path.unlink()
    found = read([Part("own", "a" * 64, DIM)], known)
    assert set(found) == set(known) - held


def _keys_of(folder: Path) -> list[bytes]:
    raw = (folder / "keys.bin").read_bytes()
    return [raw[at : at + 32] for at in range(0, len(raw), 32)]
