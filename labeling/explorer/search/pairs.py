"""What is wanted of metadata, as people write it in a search: ``vehicle=12가3456 line="second shift" mileage>=1000``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from labeling.text.typed_numbers import real

MOST = 5
_PART = r'(?:"((?:[^"]|"")*)"|([^\s"=]+{}))'
_PAIR = re.compile(rf"\s*{_PART.format('?')}(>=|<=|=){_PART.format('')}(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Pair:
    """``sign``: ``=``, the value as a text; ``>=`` or ``<=``, a number or a day, both included."""

    name: str
    value: str
    sign: str = "="

    @property
    def number(self) -> float | None:
        """What :mod:`labeling.catalog.metadata.numbers` knows the value by; ``None`` where it is neither number nor day."""
        number = real(self.value)
        if number is None:
            with suppress(ValueError):
                return float(date.fromisoformat(self.value).isoformat().replace("-", ""))
        return number


def pairs_of(text: str) -> list[Pair]:
    """Quotes within quotes are doubled. Raises :class:`ValueError` where it is no list of at most :data:`MOST`."""
    found: list[Pair] = []
    end = 0
    while text[end:].strip():
        match = _PAIR.match(text, end)
        if match is None or len(found) == MOST:
            raise ValueError(text)
        quoted_name, name, sign, quoted_value, value = match.groups()
        found.append(Pair(name or _unquoted(quoted_name), value or _unquoted(quoted_value), sign))
        end = match.end()
    return found


def having(values: Mapping[str, object]) -> str:
    """The search for photos that have these values, name -> value."""
    return written(Pair(name, str(value)) for name, value in values.items())


def written(pairs: Iterable[Pair]) -> str:
    return " ".join(f"{_quoted(each.name)}{each.sign}{_quoted(each.value)}" for each in pairs)


def _unquoted(text: str | None) -> str:
    return (text or "").replace('""', '"')


def _quoted(text: str) -> str:
    # A name that ends in "<" or ">" would be read as a name and a sign.
    return text if re.fullmatch(r'[^\s"=]*[^\s"=<>]', text) else '"' + text.replace('"', '""') + '"'
