"""How-tos say of buttons and pages what these say of themselves, and the Korean ones keep to docs/korean.md."""

from __future__ import annotations

import re
from pathlib import Path

from config.database import ROOT
from tests.processes.test_korean_texts import OPEN_PARTICLE, RETIRED, texts

ENGLISH = [*(ROOT / "docs" / "how-to").glob("*.md"), ROOT / "docs" / "quick-start.md"]
KOREAN = list((ROOT / "docs" / "ko").glob("*.md"))


def unknown(pages: list[Path], known: set[str]) -> list[str]:
    """What the pages set in bold and no page of the product says. In bold is only what it says."""
    bold = [(page.name, each) for page in pages for each in re.findall(r"\*\*(.+?)\*\*", page.read_text())]
    said = {(name, part) for name, each in bold for part in each.split(" → ")}
    assert len(said) > 10
    return sorted(f"{name}: {part}" for name, part in said if part not in known)


def test_what_is_in_bold_is_on_a_page() -> None:
    every = list(texts())
    assert unknown(ENGLISH, {english for english, _korean in every}) == []
    assert unknown(KOREAN, {korean for _english, korean in every}) == []


def test_korean_pages_keep_to_the_glossary() -> None:
    for page in KOREAN:
        text = page.read_text()
        assert [word for word in RETIRED if word in text] == [] and not OPEN_PARTICLE.search(text), page.name
