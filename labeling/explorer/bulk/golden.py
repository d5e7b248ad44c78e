"""Photos become gold, and are gold no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from labeling.catalog.models import Exemplar, Item
from labeling.catalog.selectors import class_resolution, current_guideline
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.explorer.bulk.deeds import Asked, Keep, Outcome, outcome
from labeling.frontier.blind import drawn_among
from labeling.frontier.told import standing
from labeling.refusals import Refused
from labeling.truth.models import Annotation, Gold
from labeling.truth.services import add_golds, retire_golds


class MakeGold:
    def left(self, asked: Asked, items: Sequence[Item]) -> dict[int, str]:
        """The surest reason first: what is gold already is settled by that, and an answered photo was drawn or not."""
        project, guideline = asked.project, current_guideline(asked.project)
        ids = [item.pk for item in items]
        told = [pk for pk, each in standing(project, ids, asked.by).items() if each.told]
        resolution = class_resolution(project, guideline)
        keys = dict(project.label_classes.values_list("pk", "key"))
        found = dict.fromkeys(drawn_among(project=project, item_ids=ids), "drawn")
        found |= dict.fromkeys(
            Annotation.objects.filter(item__in=ids).values_list("item", flat=True), "already_answered"
        )
        found |= dict.fromkeys(told, "settled")
        for gold in Gold.objects.filter(item__in=ids):
            known = keys.get(resolution.get(gold.label_class_id) or 0)
            found[gold.item_id] = "conflict" if known != asked.class_key else "gold"
            if known == asked.class_key and gold.retired_at is not None:
                del found[gold.item_id]  # it is asked again
        shown = Exemplar.objects.filter(
            definition__guideline=guideline, image__in=[item.image_id for item in items]
        )
        images = set(shown.values_list("image", flat=True))
        return found | {item.pk: "exemplar" for item in items if item.image_id in images}

    @transaction.atomic
    def do(self, asked: Asked, items: Sequence[Item], keep: Keep) -> None:
        locks.share(Lock.RANKING, asked.project.pk)  # before the photos, as everybody who takes an answer
        made = add_golds(project=asked.project, items=items, class_key=asked.class_key, by=asked.by)
        keep([outcome(pk, each if isinstance(each, Refused) else None) for pk, each in made.items()])

    @transaction.atomic
    def undo(self, asked: Asked, done: Mapping[int, int | None], keep: Keep) -> None:
        """They are asked no more. What they are known to be stays: people were checked against it."""
        golds = list(Gold.objects.filter(item__in=done))
        retire_golds(project=asked.project, golds=golds, by=asked.by)
        keep([Outcome(gold.item_id) for gold in golds])
