"""Ground truths that were wrong: people are asked again, or the photos are called unusable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labeling.catalog.models import Item
from labeling.explorer.bulk.deeds import Asked, Keep, one_by_one
from labeling.explorer.mending import mend
from labeling.explorer.models import Deed
from labeling.explorer.told import Status, standing
from labeling.truth.models import Annotation, Ruling, UnusableReason
from labeling.truth.services import take_correction_back


class Mend:
    def left(self, asked: Asked, items: Sequence[Item]) -> dict[int, str]:
        ids = [item.pk for item in items]
        stands = standing(asked.project, ids, asked.by)
        own = set()
        if not asked.project.reviewer_may_rule_own:
            answers = Annotation.objects.standing().filter(item__in=ids, labeler=asked.by)
            own = set(answers.values_list("item", flat=True))
        found = {}
        for pk, each in stands.items():
            if each.truth_id is None:
                found[pk] = "not_told"
            elif asked.deed == Deed.UNUSABLE and each.status == Status.UNUSABLE:
                found[pk] = "nothing_changed"
            elif pk in own:
                found[pk] = "own_answer"
        return found

    def do(self, asked: Asked, items: Sequence[Item], keep: Keep) -> None:
        by_id = {item.pk: item for item in items}
        reason = UnusableReason.OTHER.value if asked.deed == Deed.UNUSABLE else ""

        def act(item_id: int) -> int:
            return mend(
                project=asked.project,
                item=by_id[item_id],
                by=asked.by,
                outcome=asked.deed,
                reason=reason,
                comment=asked.comment,
            ).pk

        one_by_one(by_id, act, keep)

    def undo(self, asked: Asked, done: Mapping[int, int | None], keep: Keep) -> None:
        rulings = Ruling.objects.select_related("dispute").in_bulk([pk for pk in done.values() if pk])

        def act(item_id: int) -> None:
            take_correction_back(project=asked.project, ruling=rulings[done[item_id] or 0], by=asked.by)

        one_by_one(done, act, keep)
