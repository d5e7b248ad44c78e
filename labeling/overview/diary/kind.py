"""What a kind of activity is: how it is said, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from labeling.text.counts import counted

#: What was kept of an activity, and ``who`` did it.
Data = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """``icon`` is a lucide name, ``page`` the url name where more is to be seen (empty: nowhere).

    ``text`` is a sentence with the names of the data in it (``ngettext_lazy`` where it counts), or makes one of them; behind
    it stands what people wrote, by the name ``note``. ``many`` is for what comes often: one after the other by the same
    person are one line, with their number as ``times``.
    """

    icon: str
    page: str
    text: str | Promise | Callable[[Data], str]
    note: str = ""
    many: str | Promise = ""

    def said(self, data: Data) -> str:
        data = counted(data)
        if self.many and "times" in data:
            return str(self.many % data)
        said = self.text(data) if callable(self.text) else str(self.text % data)
        return said + noted(data, self.note) if self.note else said


def noted(data: Data, name: str) -> str:
    """The end of a sentence: behind it, what somebody wrote, if anything."""
    return f": “{data[name]}”" if data.get(name) else "."
