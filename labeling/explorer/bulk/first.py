"""Photos come before all others of the queue, and into its order again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from labeling.catalog.models import Item
from labeling.explorer.bulk.deeds import Asked, Keep, Outcome
from labeling.frontier.told import Status, standing
from labeling.queue import priority


class AskFirst:
    """Of one that is not told it stays unsaid whether it is in the queue: that would tell which are gold."""

    def left(self, asked: Asked, items: Sequence[Item]) -> dict[int, str]:
        stands = standing(asked.project, [item.pk for item in items], asked.by)
        return {pk: "not_asked" for pk, each in stands.items() if each.status != Status.OPEN}

    @transaction.atomic
    def do(self, asked: Asked, items: Sequence[Item], keep: Keep) -> None:
        priority.ask_first(project=asked.project, item_ids=[item.pk for item in items])
        keep([Outcome(item.pk) for item in items])

    @transaction.atomic
    def undo(self, asked: Asked, done: Mapping[int, int | None], keep: Keep) -> None:
        back = priority.ask_in_turn(project=asked.project, item_ids=list(done))
        keep([Outcome(item_id) if item_id in back else Outcome(item_id, "begun") for item_id in done])
