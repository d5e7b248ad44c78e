"""Places in the order that no photo is ranked into: what they mean stands here and nowhere else.

A photo's place is its band, counted from the outermost (0), and its position in it, counted from 0.
"""

from __future__ import annotations

#: Band of photos that came after the ranking was made: behind all that are ranked.
ARRIVALS = 32_000
#: Band of photos that the machine decided: beyond the arrivals, where no claim goes.
DECIDED = 32_100
#: Position before all others of a band.
ASKED_FIRST = -1
#: Position even before these: audits of what the machine decided, without which it must stop.
OPEN_AUDITS = -2
#: SQL over ``queue_entry e``: the photo stands before all others of its band.
IS_ASKED_FIRST = "e.position < 0"
