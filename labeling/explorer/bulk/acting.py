"""A deed is done with photos, refused ones named."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.catalog.models import Item
from labeling.explorer.bulk.deeds import Act, Asked, Keep, Outcome
from labeling.explorer.bulk.first import AskFirst
from labeling.explorer.bulk.golden import MakeGold
from labeling.explorer.bulk.mended import Mend
from labeling.explorer.models import Deed

ACTS: dict[str, Act] = {
    Deed.FIRST: AskFirst(),
    Deed.SEND_BACK: Mend(),
    Deed.UNUSABLE: Mend(),
    Deed.GOLD: MakeGold(),
}


def do(asked: Asked, items: Sequence[Item], keep: Keep) -> None:
    """What a look refuses is not tried; of the others one that is refused all the same stops no other."""
    act = ACTS[asked.deed]
    left = act.left(asked, items)
    keep([Outcome(pk, code) for pk, code in left.items()])
    act.do(asked, [item for item in items if item.pk not in left], keep)
