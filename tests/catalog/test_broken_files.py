"""The short form of ``benchmarks.fuzz`` for files: whatever is broken, it comes in or is refused for a reason."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.fuzz import mutations
from labeling.catalog import photos
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.source import ARCHIVE, Archive
from labeling.learning.deriving import read_gold
from labeling.refusals import Refused
from tests.examples import thorough


def test_a_broken_photo_comes_in_or_is_refused_with_advice() -> None:
    dice, refused = random.Random(1), set()
    for number in range(thorough(120)):
        whole = mutations.photo(dice, mutations.FORMATS[number % len(mutations.FORMATS)])
        try:
            photos.examine(mutations.mutated(whole, dice))
        except PhotoRefused as refusal:
            refused.add(refusal.code)
            assert refusal.message == photos.advice(refusal.code) != ""
    assert {"unsupported", "truncated"} <= refused, "some are broken beyond reading"


def test_a_broken_archive_is_read_or_refused_and_so_is_each_of_its_files(tmp_path: Path) -> None:
    dice, told = random.Random(2), set()
    for _ in range(thorough(60)):
        (tmp_path / ARCHIVE).write_bytes(mutations.archive(dice, large=0))
        try:
            archive = Archive(tmp_path)
        except SourceError as error:
            told.add("refused" if str(error) else "refused without a word")
            continue
        for listed in archive.listing():
            try:
                told.add("read" if not listed.refused and archive.read(listed.path) else listed.refused)
            except PhotoRefused as refusal:
                told.add(refusal.code)
        archive.close()
    assert {"refused", "read", "truncated", "unsafe_path"} <= told
    assert "refused without a word" not in told


def test_a_broken_table_of_known_answers_is_read_or_refused_by_line() -> None:
    dice, told = random.Random(3), set()
    for _ in range(thorough(200)):
        try:
            told.add(bool(read_gold(mutations.table(dice, ("1.png", "앞면.png"), ("functional",)))))
        except Refused as refusal:
            told.add("line")
            assert "Line" in refusal.message
    assert told == {True, False, "line"}
