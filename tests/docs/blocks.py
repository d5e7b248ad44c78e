"""The fenced blocks of the docs, and the commands in those that are for a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.database import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "client" / "README.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SHELLS = {"sh", "bash", "shell", "console"}
#: What runs a script of that language that comes on its standard input.
INTERPRETERS = {"python": "python -", "js": "node -"}


@dataclass(frozen=True)
class Block:
    place: str
    language: str
    text: str

    @property
    def page(self) -> str:
        return self.place.partition(":")[0]

    @property
    def is_run(self) -> bool:
        """Whether it is for a shell, or a script that asks a Hilltop."""
        return self.language in SHELLS or (self.language in INTERPRETERS and "hilltop" in self.text.lower())

    @property
    def commands(self) -> dict[str, str]:
        """As they are written, by their words alone: without comments, and parted by one space. A script is one command."""
        if self.language not in SHELLS:
            return {
                f"{self.language} of {self.page}": f"{INTERPRETERS[self.language]} <<'END'\n{self.text}END\n"
            }
        found: dict[str, str] = {}
        held = ""
        for line in self.text.splitlines(keepends=True):
            held += line
            try:
                words = shlex.split(held.replace("\\\n", " "), comments=True)
            except ValueError:  # a quotation goes on
                continue
            if line.rstrip().endswith(("\\", "|")):
                continue
            if words:
                found[" ".join(words)] = held
            held = ""
        assert not held.strip(), f"{self.place}: a command does not end"
        return found


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(_BLOCK.findall(text)), page
        for each in _BLOCK.finditer(text):
            line = text.count("\n", 0, each.start()) + 1
            yield Block(f"{page.relative_to(ROOT)}:{line}", each[2], each[3])


def named(test: str) -> Path | None:
    """The file of ``path::function``, where it has such a test."""
    path, _, function = test.partition("::")
    file = ROOT / path
    return file if file.is_file() and f"def {function}(" in file.read_text() else None
