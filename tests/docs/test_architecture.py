"""What ``docs/architecture.md`` says of the house is how it stands: folders of the rooms, and who hears which signal."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from config.database import ROOT
from config.settings import ROOMS

ROOM_FOLDERS = sorted(each.parent for each in (ROOT / "labeling").glob("*/__init__.py"))
PAGE = (ROOT / "docs" / "architecture.md").read_text()
#: In any Django app.
USUAL = {"migrations", "templatetags", "management", "__pycache__"}


def rows_of(heading: str) -> dict[str, list[str]]:
    """First cell, without its backticks -> the others, of the first table below a heading."""
    lines = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
        if line.startswith("|")
    ]
    return {first.strip("`"): rest for first, *rest in cells[2:]}


def test_every_folder_of_a_room_stands_in_its_row() -> None:
    plan = rows_of("The plan of the house")
    missing = {}
    for room in ROOM_FOLDERS:
        there = {each.name for each in room.iterdir() if each.is_dir()} - USUAL
        told = set(re.findall(r"`(?:\w+/)*?(\w+)/`", plan[room.name][1]))
        if there - told:
            missing[room.name] = there - told
    assert not missing


def _heard() -> dict[str, set[str]]:
    """``room.signal`` -> the rooms with a receiver of it."""
    heard = defaultdict[str, set[str]](set)
    for path in (ROOT / "labeling").glob("*/receivers.py"):
        tree = ast.parse(path.read_text())
        signals = {
            alias.asname or alias.name: f"{node.module.split('.')[1]}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and re.fullmatch(r"labeling\.\w+\.events", node.module or "")
            for alias in node.names
        }
        marks = (mark for each in ast.walk(tree) for mark in getattr(each, "decorator_list", []))
        for name in (each.id for mark in marks for each in ast.walk(mark) if isinstance(each, ast.Name)):
            if name in signals:
                heard[signals[name]].add(path.parent.name)
    return heard


def test_who_hears_which_signal_is_what_the_table_says() -> None:
    told = {
        signal: set(
            re.findall(
                r"\b(?:" + "|".join(each.name for each in ROOM_FOLDERS) + r")\b",
                re.sub(r"\([^)]*\)", "", cells[1]),
            )
        )
        for signal, cells in rows_of("Who hears what").items()
    }
    heard = _heard()
    assert len(heard) > 20 and len(ROOMS) > 10
    assert told == heard


def test_no_receiver_is_connected_elsewhere() -> None:
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "labeling").rglob("*.py")
        if path.name != "receivers.py"
        and re.search(r"^@receiver\(|\.connect\($", path.read_text(), re.MULTILINE)
    ]
    assert elsewhere == []
