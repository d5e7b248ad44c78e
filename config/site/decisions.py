"""The list of ``docs/decisions``, newest first."""

from __future__ import annotations

import re

from config.database import ROOT

_HEADING = re.compile(r"#\s+(?:\d{4}:\s*)?(.+)")


def index() -> str:
    """A page in Markdown; raises ``ValueError`` where a file begins with no heading."""
    lines = ["# Decisions", "", "Why things are as they are: a short page each.", ""]
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md"), reverse=True):
        first = path.read_text().split("\n", 1)[0]
        heading = _HEADING.fullmatch(first)
        if heading is None:
            raise ValueError(f"{path.name} begins with no heading: {first}")
        lines.append(f"- {path.name[:4]} [{heading[1]}]({path.name})")
    return "\n".join(lines) + "\n"
