"""A shard that is not what was written is set aside; the rest is served, and what is missing can be stored anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference import shards
from inference.store import EmbeddingStore
from tests.inference.test_store import BACKBONE, fill, key


@pytest.fixture
def two_shards(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The store's root, and its two shards: keys 0 to 3, and 4 to 7."""
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(store, range(4))
    fill(store, range(4, 8))
    first, second = sorted(store.folder.glob("shard-*"))
    shards._sound.clear()  # another process comes, which has read nothing yet
    return tmp_path, first, second


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def other_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x40
    path.write_bytes(data)


def over(path: Path, at: int, with_bytes: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + len(with_bytes)] = with_bytes
    path.write_bytes(data)


def old(shard: Path) -> None:
    """As stores wrote before they kept sums."""
    (shard / "sums.json").unlink()


def _old_with(vectors: np.ndarray) -> Callable[[Path], None]:
    def damage(shard: Path) -> None:
        old(shard)
        np.save(shard / "vectors.npy", vectors)

    return damage


DAMAGES: dict[str, Callable[[Path], None]] = {
    "vectors cut": lambda shard: cut(shard / "vectors.npy"),
    "vectors empty": lambda shard: os.truncate(shard / "vectors.npy", 0),
    "vectors gone": lambda shard: (shard / "vectors.npy").unlink(),
    "vectors changed": lambda shard: other_bytes(shard / "vectors.npy"),
    "vectors are no array": lambda shard: (shard / "vectors.npy").write_bytes(b"not an array"),
    "header zeroed": lambda shard: over(shard / "vectors.npy", 16, bytes(64)),
    "header no header": lambda shard: over(shard / "vectors.npy", 10, b"(" * 100),
    "vectors a folder": lambda shard: ((shard / "vectors.npy").unlink(), (shard / "vectors.npy").mkdir())[1],
    "keys cut": lambda shard: cut(shard / "keys.bin"),
    "keys cut between two": lambda shard: os.truncate(shard / "keys.bin", 64),
    "keys empty": lambda shard: os.truncate(shard / "keys.bin", 0),
    "keys gone": lambda shard: (shard / "keys.bin").unlink(),
    "keys changed": lambda shard: other_bytes(shard / "keys.bin"),
    "sums no JSON": lambda shard: (shard / "sums.json").write_text("{"),
    "sums of another": lambda shard: (shard / "sums.json").write_text('{"vectors.npy": "0", "keys.bin": "0"}\n'),
    "old, cut": lambda shard: (old(shard), cut(shard / "vectors.npy"))[1],
    "old, keys out of order": lambda shard: (
        old(shard),
        (shard / "keys.bin").write_bytes(b"".join(reversed([bytes.fromhex(key(n)) for n in sorted(range(4, 8), key=key)]))),
    )[0],
    "old, NaN inside": _old_with(np.full((4, 4), np.nan, dtype=np.float32)),
    "old, infinity inside": _old_with(np.full((4, 4), np.inf, dtype=np.float32)),
    "old, of one dimension": _old_with(np.zeros(4, dtype=np.float32)),
    "old, of whole numbers": _old_with(np.zeros((4, 4), dtype=np.int64)),
    "old, of another network": _old_with(np.zeros((4, 6), dtype=np.float32)),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_shard_is_set_aside_and_computed_again(
    two_shards: tuple[Path, Path, Path], damage: Callable[[Path], None]
) -> None:
    root, _first, second = two_shards
    damage(second)
    store = EmbeddingStore(root, BACKBONE, 4)
    assert store.set_aside == [second.name]
    assert not second.exists() and (second.parent / f".damaged-{second.name}").is_dir()
    lost = [key(n) for n in range(4, 8)]
    assert store.missing([key(n) for n in range(8)]) == lost
    assert store.rows([key(n) for n in range(4)])[:, 0].tolist() == [0, 1, 2, 3]
    fill(store, range(4, 8))
    again = EmbeddingStore(root, BACKBONE, 4)
    assert again.set_aside == []
    assert again.rows([key(n) for n in range(8)])[:, 0].tolist() == list(range(8))


def test_what_is_damaged_while_a_store_is_open_is_told_at_the_next_look(
    two_shards: tuple[Path, Path, Path],
) -> None:
    root, _first, _second = two_shards
    store, other = EmbeddingStore(root, BACKBONE, 4), EmbeddingStore(root, BACKBONE, 4)
    fill(other, range(8, 10))
    (third,) = set(store.folder.glob("shard-*")) - {_first, _second}
    shards._sound.clear()
    cut(third / "vectors.npy")
    store.refresh()
    assert store.set_aside == [third.name]
    assert store.missing([key(8)]) == [key(8)]


def test_a_store_that_is_asked_for_under_a_wrong_dimension_loses_nothing(
    two_shards: tuple[Path, Path, Path],
) -> None:
    root, first, second = two_shards
    with pytest.raises(ValueError, match="Shard"):
        EmbeddingStore(root, BACKBONE, 5)
    assert first.is_dir() and second.is_dir()


def test_a_compaction_takes_what_is_sound_and_is_sound_itself(two_shards: tuple[Path, Path, Path]) -> None:
    root, first, second = two_shards
    store = EmbeddingStore(root, BACKBONE, 4)
    fill(store, range(8, 12))
    shards._sound.clear()
    cut(second / "vectors.npy")
    EmbeddingStore(root, BACKBONE, 4).compact()
    shards._sound.clear()
    merged = EmbeddingStore(root, BACKBONE, 4)
    assert merged.set_aside == [] and len(list(merged.folder.glob("shard-*"))) == 1
    assert merged.keys() == sorted(key(n) for n in [*range(4), *range(8, 12)])
    assert not first.exists()


def test_a_shard_that_was_found_sound_is_not_read_again(
    two_shards: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _first, _second = two_shards
    EmbeddingStore(root, BACKBONE, 4)
    monkeypatch.setattr(shards, "_look_through", None)
    assert len(EmbeddingStore(root, BACKBONE, 4)) == 8


def test_a_shard_that_vanishes_meanwhile_is_no_damage(two_shards: tuple[Path, Path, Path]) -> None:
    root, first, _second = two_shards
    shutil.rmtree(first)
    with pytest.raises(FileNotFoundError):
        shards.read(first)
    assert EmbeddingStore(root, BACKBONE, 4).set_aside == []
