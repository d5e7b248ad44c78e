"""Ground truths that were wrong: people are asked again, or the photos are called unusable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from labeling.catalog.models import Item
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.explorer.bulk.deeds import Asked, Keep, outcome
from labeling.explorer.models import Deed
from labeling.explorer.photo.mending import mend_several
from labeling.frontier.told import Status, standing
from labeling.truth.models import Annotation, Ruling, UnusableReason
from labeling.truth.services import take_corrections_back


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

    @transaction.atomic
    def do(self, asked: Asked, items: Sequence[Item], keep: Keep) -> None:
        made = mend_several(
            project=asked.project,
            item_ids=[item.pk for item in items],
            by=asked.by,
            outcome=asked.deed,
            reason=UnusableReason.OTHER.value if asked.deed == Deed.UNUSABLE else "",
            comment=asked.comment,
        )
        keep([outcome(pk, each) for pk, each in made.items()])

    @transaction.atomic
    def undo(self, asked: Asked, done: Mapping[int, int | None], keep: Keep) -> None:
        rulings = Ruling.objects.in_bulk([pk for pk in done.values() if pk])
        locks.share(Lock.RANKING, asked.project.pk)  # before the photos, as everybody who takes an answer
        left = take_corrections_back(
            project=asked.project,
            rulings={pk: rulings[ruling or 0] for pk, ruling in done.items()},
            by=asked.by,
        )
        keep([outcome(pk, refused) for pk, refused in left.items()])
