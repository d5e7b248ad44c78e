"""What may stand at a place of a template, and what is said where something else does.

A template is written by people, in a file. So a mistake is told by its place, as ``classes[2].name``, all of them at once,
and a word that nothing reads is one: misspelt, it would otherwise be lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from labeling.text.plain import composed, is_seen

#: Place -> what is wrong there.
Wrong = dict[str, str]


class Shape(Protocol):
    def read(self, value: Any, place: str, wrong: Wrong) -> Any:
        """``value`` as it is kept. What cannot be is told in ``wrong``."""


def in_language(content: Any) -> Any:
    """``content`` with each text in the language of whoever reads, in English, or in what language there is."""
    if isinstance(content, list):
        return [in_language(each) for each in content]
    if not isinstance(content, dict):
        return content
    if content and content.keys() <= _languages():
        return content.get(get_language() or "") or content.get("en") or next(iter(content.values()))
    return {name: in_language(each) for name, each in content.items()}


def _languages() -> set[str]:
    return {code for code, _name in settings.LANGUAGES}


@dataclass(frozen=True, slots=True)
class Text:
    """A text, or one a language: ``{en = "…", ko = "…"}``. ``most``: characters."""

    most: int
    empty: bool = False

    def read(self, value: Any, place: str, wrong: Wrong) -> Any:
        if isinstance(value, dict):
            return _by_language(value, place, wrong, self._one)
        return self._one(value, place, wrong)

    def _one(self, value: Any, place: str, wrong: Wrong) -> str:
        if not isinstance(value, str):
            wrong[place] = _("Write a text, in double quotes.")
            return ""
        text = composed(value.strip())
        if len(text) > self.most:
            wrong[place] = _("At most %(most)d characters.") % {"most": self.most}
        elif not self.empty and not is_seen(text):
            wrong[place] = _("This must not be empty.")
        return text


@dataclass(frozen=True, slots=True)
class Lines:
    """Short texts, or a list a language. ``most``: lines; ``length``: characters of each."""

    most: int
    length: int

    def read(self, value: Any, place: str, wrong: Wrong) -> Any:
        if isinstance(value, dict):
            return _by_language(value, place, wrong, self._one)
        return self._one(value, place, wrong)

    def _one(self, value: Any, place: str, wrong: Wrong) -> list[str]:
        lines = Rows(Text(self.length), most=self.most).read(value, place, wrong)
        return list(dict.fromkeys(lines))


def _by_language(value: Mapping[str, Any], place: str, wrong: Wrong, one: Any) -> dict[str, Any]:
    if not value or not value.keys() <= _languages():
        wrong[place] = _("Write one text, or one for each language: %(codes)s.") % {
            "codes": ", ".join(sorted(_languages()))
        }
        return {}
    return {code: one(each, f"{place}.{code}", wrong) for code, each in value.items()}


@dataclass(frozen=True, slots=True)
class Word:
    """A name for programs: one of ``among``, or what fits ``pattern``, which ``rule`` says in words."""

    among: Collection[str] = ()
    pattern: str = ""
    rule: Any = ""

    def read(self, value: Any, place: str, wrong: Wrong) -> str:
        fits = isinstance(value, str) and (
            value in self.among if self.among else re.fullmatch(self.pattern, value)
        )
        if not fits:
            wrong[place] = (
                _("Choose one of: %(names)s.") % {"names": ", ".join(self.among)}
                if self.among
                else str(self.rule)
            )
            return ""
        return str(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high``; ``whole``: without a fraction."""

    low: float
    high: float
    whole: bool = True

    def read(self, value: Any, place: str, wrong: Wrong) -> Any:
        fits = isinstance(value, int) or (isinstance(value, float) and not self.whole)
        if not fits or isinstance(value, bool) or not self.low <= value <= self.high:
            said = (
                _("Write a whole number from %(low)s to %(high)s.")
                if self.whole
                else _("Write a number from %(low)s to %(high)s.")
            )
            wrong[place] = said % {"low": f"{self.low:.10g}", "high": f"{self.high:.10g}"}
            return None
        return value


class Switch:
    def read(self, value: Any, place: str, wrong: Wrong) -> bool:
        if not isinstance(value, bool):
            wrong[place] = _("Write true or false, without quotes.")
        return bool(value)


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of what has one shape each."""

    of: Shape
    least: int = 0
    most: int = 100

    def read(self, value: Any, place: str, wrong: Wrong) -> list[Any]:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            wrong[place] = _("Write a list of %(low)d to %(high)d entries.") % {
                "low": self.least,
                "high": self.most,
            }
            return []
        return [self.of.read(each, f"{place}[{number}]", wrong) for number, each in enumerate(value, start=1)]


@dataclass(frozen=True, slots=True)
class Table:
    """Names, each with its shape. What is not ``needed`` may be left out."""

    fields: Mapping[str, Shape]
    needed: Collection[str] = ()

    def read(self, value: Any, place: str, wrong: Wrong) -> dict[str, Any]:
        if not isinstance(value, dict):
            wrong[place] = _("Write a table of names and values.")
            return {}
        at = f"{place}." if place else ""
        known = ", ".join(self.fields)
        for name in value.keys() - self.fields.keys():
            wrong[f"{at}{str(name)[:60]}"] = _("This name is not known here. Known: %(known)s.") % {
                "known": known
            }
        for name in self.needed:
            if name not in value:
                wrong[f"{at}{name}"] = _("This is missing.")
        return {
            name: shape.read(value[name], f"{at}{name}", wrong)
            for name, shape in self.fields.items()
            if name in value
        }
