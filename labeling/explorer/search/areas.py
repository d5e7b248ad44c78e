"""Areas of a project's map: a polygon around photos that lie together, as part of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.refusals import Refused

#: Corners of one, at most.
MOST = 200
_AREA = re.compile(r"(\d{1,18})(:\d{1,5}(?:,\d{1,5})*)")


@dataclass(frozen=True)
class Area:
    """``space``: the map's id; another map has other places. ``corners``: (x, y), from 0 to 65,535."""

    space: int
    corners: list[tuple[int, int]]

    @classmethod
    def of(cls, text: str) -> Area:
        """``SPACE:x,y,x,y,x,y…``. Raises :class:`Refused` ``invalid`` (422)."""
        read = _AREA.fullmatch(text)
        numbers = [int(each) for each in read[2][1:].split(",")] if read else []
        if read is None or len(numbers) % 2 or not 6 <= len(numbers) <= 2 * MOST or max(numbers) > 65_535:
            message = _("An area of the map has from 3 to %(most)d corners. Draw it on the map.") % {
                "most": MOST
            }
            raise Refused.invalid("area", message, short=[message])
        return cls(int(read[1]), list(zip(numbers[::2], numbers[1::2], strict=True)))

    @property
    def text(self) -> str:
        return f"{self.space}:" + ",".join(f"{x},{y}" for x, y in self.corners)

    @property
    def polygon(self) -> str:
        """As PostgreSQL reads a ``polygon``."""
        return ",".join(f"({x},{y})" for x, y in self.corners)
