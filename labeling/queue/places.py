"""Places in the order that no photo is ranked into: what they mean stands here and nowhere else.

A photo's place is its band, counted from the outermost (0), and its position in it, counted from 0.
"""

from __future__ import annotations

from datetime import datetime

#: Band of photos that came after the ranking was made: behind all that are ranked.
ARRIVALS = 32_000
#: Band of photos that the machine decided: beyond the arrivals, where no claim goes.
DECIDED = 32_100
#: Added to the band of photos that the machine is about to look at, where no claim goes; all that came after the ranking
#: count as one band more than there may be.
MACHINE_FIRST, _LATE = 32_200, 100
#: SQL over ``queue_entry e``: it is one of these; the band of one that becomes so; the band that one had before.
IS_LEFT_TO_MACHINE = f"e.band >= {MACHINE_FIRST}"
TO_MACHINE = f"{MACHINE_FIRST} + LEAST(e.band, {_LATE})"
BACK_FROM_MACHINE = (
    f"CASE WHEN e.band = {MACHINE_FIRST + _LATE} THEN {ARRIVALS} ELSE e.band - {MACHINE_FIRST} END"
)
#: Bands of photos of which nothing said yet where in the order they belong.
UNRANKED = (ARRIVALS, MACHINE_FIRST + _LATE)
#: Position before all others of a band.
ASKED_FIRST = -1
#: Positions before these, of photos without which something larger waits: the one that waits longest comes first.
WAITS_LONGEST, WAITS_SHORTEST = -2_000_000_000, -3
#: Position even before these: audits of what the machine decided, without which it must stop.
OPEN_AUDITS = WAITS_LONGEST - 1
#: SQL over ``queue_entry e``: the photo stands before all others of its band.
IS_ASKED_FIRST = "e.position < 0"
#: SQL over ``queue_entry e``: it does because something waits for it. Whoever settles it, people or the machine, is welcome.
IS_WAITED_FOR = f"e.position BETWEEN {WAITS_LONGEST} AND {WAITS_SHORTEST}"


def waiting_since(moment: datetime) -> int:
    """Its position, by the minute."""
    return max(WAITS_LONGEST, min(WAITS_LONGEST + int(moment.timestamp() // 60), WAITS_SHORTEST))
