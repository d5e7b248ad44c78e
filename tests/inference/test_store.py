from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from inference.store import EmbeddingStore, MissingKeys, PlacedRows

BACKBONE = "ab" * 32


def key(i: int) -> str:
    return hashlib.sha256(str(i).encode()).hexdigest()


def vector(i: int, dim: int = 4) -> np.ndarray:
    return np.full(dim, i, dtype=np.float32)


def fill(store: EmbeddingStore, numbers: range) -> None:
    store.append([key(i) for i in numbers], np.stack([vector(i, store.dim) for i in numbers]))


def write_slice(root: Path, start: int) -> None:
    store = EmbeddingStore(root, BACKBONE, 4)
    for block in range(start, start + 50, 10):
        fill(store, range(block, block + 10))


def write_forever(root: Path) -> None:
    store = EmbeddingStore(root, BACKBONE, 512)
    for block in range(0, 10**9, 400):
        fill(store, range(block, block + 400))


def test_rows_come_back_in_the_order_asked_across_shards(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(store, range(10))
    fill(store, range(10, 25))
    wanted = [17, 3, 24, 3, 0]
    assert store.rows([key(i) for i in wanted])[:, 0].tolist() == wanted
    assert len(store) == 25 and store.keys() == sorted(key(i) for i in range(25))
    assert store.rows([]).shape == (0, 4)


def test_missing_keys_are_named(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    assert store.missing([key(1), key(0), key(1)]) == [key(1), key(0)]
    fill(store, range(2))
    assert store.missing([key(5), key(1)]) == [key(5)]
    with pytest.raises(MissingKeys) as caught:
        store.rows([key(1), key(7)])
    assert caught.value.keys == [key(7)] and isinstance(caught.value, KeyError)


def test_keys_that_end_or_begin_in_zero_bytes_are_told_apart(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 1)
    keys = ["00" * 32, "01" + "00" * 31, "00" * 31 + "01", "ff" * 32]
    store.append(keys, np.arange(4, dtype=np.float32)[:, None])
    assert store.rows(keys)[:, 0].tolist() == [0, 1, 2, 3]
    assert store.keys() == sorted(keys)
    assert store.missing(["01" + "00" * 30 + "01"]) != []


def test_what_cannot_be_right_is_refused(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    with pytest.raises(ValueError, match="twice"):
        store.append([key(0), key(0)], np.zeros((2, 4)))
    with pytest.raises(ValueError, match="shape"):
        store.append([key(0)], np.zeros((1, 5)))
    with pytest.raises(ValueError, match="SHA-256"):
        store.append(["cell0001.png"], np.zeros((1, 4)))
    with pytest.raises(ValueError, match="NaN"):
        store.append([key(0)], np.full((1, 4), np.nan))
    assert store.keys() == []
    fill(store, range(3))
    with pytest.raises(ValueError, match="Shard"):
        EmbeddingStore(tmp_path, BACKBONE, 5)


def test_refresh_shows_what_another_process_wrote(tmp_path: Path) -> None:
    mine, other = EmbeddingStore(tmp_path, BACKBONE, 4), EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(other, range(5))
    assert len(mine) == 0
    mine.refresh()
    assert mine.rows([key(3)])[0, 0] == 3


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    # Neighbours overlap by half: the same photo embedded twice must do no harm.
    writers = [context.Process(target=write_slice, args=(tmp_path, start)) for start in range(0, 100, 25)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    assert store.rows([key(i) for i in range(125)])[:, 0].tolist() == list(range(125))
    assert len(store.keys()) == 125


def test_compaction_keeps_everything_once_and_others_read_on(tmp_path: Path) -> None:
    store, reader = EmbeddingStore(tmp_path, BACKBONE, 4), EmbeddingStore(tmp_path, BACKBONE, 4)
    for start in range(0, 40, 5):
        fill(store, range(start, start + 10))
    reader.refresh()
    store.compact()
    assert len([p for p in store.folder.iterdir() if p.name.startswith("shard-")]) == 1
    assert len(store) == 45
    for view in (store, reader):
        assert view.rows([key(i) for i in range(45)])[:, 0].tolist() == list(range(45))
    reader.refresh()
    assert len(reader) == 45
    fill(reader, range(100, 101))
    assert reader.missing([key(100), key(44)]) == []


def test_what_is_forgotten_is_in_no_file_and_others_read_on(tmp_path: Path) -> None:
    store, reader = EmbeddingStore(tmp_path, BACKBONE, 4), EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(store, range(10))
    fill(store, range(5, 15))
    fill(store, range(20, 21))
    reader.refresh()
    aside = store.folder / ".damaged-shard-x"
    aside.mkdir()
    (aside / "keys.bin").write_bytes(bytes.fromhex(key(7)))
    assert store.forget([key(7), key(20), key(99)]) == 3
    assert store.missing([key(i) for i in (7, 20, 14)]) == [key(7), key(20)]
    assert store.rows([key(i) for i in (0, 6, 14)])[:, 0].tolist() == [0, 6, 14]
    assert not any(bytes.fromhex(key(7)) in path.read_bytes() for path in tmp_path.rglob("keys.bin"))
    assert reader.rows([key(6)])[0, 0] == 6
    reader.refresh()
    assert reader.missing([key(7)]) == [key(7)] and store.forget([key(7)]) == 0


def test_a_writer_killed_in_mid_write_leaves_nothing_half(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for pause in (0.15, 0.22, 0.31):
        process = context.Process(target=write_forever, args=(tmp_path,))
        process.start()
        time.sleep(pause)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        store = EmbeddingStore(tmp_path, BACKBONE, 512)
        numbers = range(len(store.keys()))
        assert (store.rows([key(i) for i in numbers])[:, 7] == np.array(numbers)).all()


def test_a_half_written_shard_is_ignored(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(store, range(3))
    (store.folder / ".new-left-by-a-killed-writer").mkdir()
    (store.folder / ".new-left-by-a-killed-writer" / "keys.bin").write_bytes(b"half")
    again = EmbeddingStore(tmp_path, BACKBONE, 4)
    assert len(again) == 3
    os.utime(store.folder / ".new-left-by-a-killed-writer", (0, 0))
    again.compact()
    assert not (store.folder / ".new-left-by-a-killed-writer").exists()


def test_looking_up_among_half_a_million_keys_is_fast(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = rng.bytes(32 * 500_000).hex()
    keys = [text[i : i + 64] for i in range(0, len(text), 64)]
    store = EmbeddingStore(tmp_path, BACKBONE, 1)
    store.append(keys, np.arange(500_000, dtype=np.float32)[:, None])
    start = time.process_time()
    found = store.rows(keys[100_000:101_000])
    assert time.process_time() - start < 0.5
    assert found[:, 0].tolist() == list(range(100_000, 101_000))
    # A small append must not sort the large index again.
    start = time.process_time()
    store.append([key(1)], np.zeros((1, 1)))
    assert time.process_time() - start < 0.3


def test_half_precision_is_read_as_float32_and_followed_by_whoever_appends(tmp_path: Path) -> None:
    half = EmbeddingStore(tmp_path, BACKBONE, 4, dtype="float16")
    exact = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    half.append([key(i) for i in range(6)], exact)
    other = EmbeddingStore(tmp_path, BACKBONE, 4)  # wishes float32, finds float16
    other.append([key(i) for i in range(6, 12)], exact)
    half.refresh()
    for store in (half, other, EmbeddingStore(tmp_path, BACKBONE, 4)):
        rows = store.rows([key(i) for i in range(12)])
        assert store.dtype == np.float16 and rows.dtype == np.float32
        assert np.array_equal(rows[:6], rows[6:]), "the same content whoever wrote it"
        assert np.abs(rows[:6] - exact).max() <= np.abs(exact).max() / 2048
    half.compact()
    half.refresh()
    assert half.dtype == np.float16 and np.array_equal(half.rows([key(2)])[0], exact[2].astype(np.float16))


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 2, dtype="float16")
    with pytest.raises(ValueError, match="float16"):
        store.append([key(0)], [[1e6, 0.0]])
    with pytest.raises(ValueError, match="float32 or float16"):
        EmbeddingStore(tmp_path, BACKBONE, 2, dtype="int8")  # type: ignore[arg-type]


def test_very_many_keys_are_located_by_their_digests(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 4)
    fill(store, range(300))
    fill(store, range(300, 350))
    wanted = [340, 7, 1000, 299, 7]
    places = store.locate(b"".join(bytes.fromhex(key(i)) for i in wanted))
    assert places.found.tolist() == [True, True, False, True, True]
    assert store.at(places[places.found])[:, 0].tolist() == [340, 7, 299, 7]
    with pytest.raises(IndexError):
        store.at(places)
    everything = store.locate(b"".join(bytes.fromhex(key(i)) for i in range(350)))
    in_order = store.at(everything[everything.in_disk_order()])
    assert sorted(in_order[:, 0].tolist()) == list(range(350))
    rows = PlacedRows(store, everything)
    assert rows.shape == (350, 4) and rows[5][0] == 5 and rows[[3, 1]][:, 0].tolist() == [3, 1]
    assert rows[np.arange(350) == 9][:, 0].tolist() == [9]


def test_keys_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, BACKBONE, 1)
    alike = ["ab" * 8 + f"{n:048x}" for n in range(40)]
    store.append(alike[::2], np.arange(0, 40, 2, dtype=np.float32)[:, None])
    assert store.missing(alike) == alike[1::2]
    assert store.rows(alike[::2])[:, 0].tolist() == list(range(0, 40, 2))
