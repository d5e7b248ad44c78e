"""Names and values of metadata as people write them in a search: ``vehicle=12가3456 line="second shift"``."""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST = 5
_PART = r'(?:"((?:[^"]|"")*)"|([^\s"=]+))'
_PAIR = re.compile(rf"\s*{_PART}={_PART}(?=\s|$)")


def pairs_of(text: str) -> dict[str, str]:
    """Quotes within quotes are doubled. Raises :class:`ValueError` where it is no list of at most :data:`MOST`."""
    found: dict[str, str] = {}
    end = 0
    while text[end:].strip():
        match = _PAIR.match(text, end)
        if match is None or len(found) == MOST:
            raise ValueError(text)
        quoted_name, name, quoted_value, value = match.groups()
        found[name or (quoted_name or "").replace('""', '"')] = value or (quoted_value or "").replace(
            '""', '"'
        )
        end = match.end()
    return found


def written(pairs: Mapping[str, object]) -> str:
    return " ".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in pairs.items())


def _quoted(text: str) -> str:
    return text if re.fullmatch(r'[^\s"=]+', text) else '"' + text.replace('"', '""') + '"'
