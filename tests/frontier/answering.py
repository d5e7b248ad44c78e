"""People who answer photos of a pool, one by one through the queue, or many of a sample at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils import timezone

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.people.models import User
from labeling.queue.models import Entry, Ranking, Slot
from labeling.queue.services import claim, submit
from labeling.truth.models import Annotation, Draw
from labeling.truth.services import Answer
from tests.frontier.proving import Pool


def answer_sample(pool: Pool, said: Iterable[tuple[Item, str, str]]) -> None:
    """(photo, first blind answer, what it is): both labelers answer each, and it is settled as what it is."""
    rows = list(said)
    guideline, now = current_guideline(pool.project), timezone.now()
    Annotation.objects.bulk_create(
        Annotation(
            project=pool.project,
            item=item,
            round=1,
            labeler=person,
            key=uuid.uuid4(),
            kind="class",
            label_class=pool.classes[key],
            guideline=guideline,
            draw=Draw.AUDIT,
            shown_at=now,
            view_ms=900,
        )
        for item, first, truth in rows
        for person, key in zip(pool.labelers, (first, truth), strict=True)
    )
    pool.settle_all((item, truth) for item, _first, truth in rows)


def hand(pool: Pool, item: Item, person: User) -> Slot:
    """This photo and no other is lent to the person."""
    ranking = Ranking.objects.get(project=pool.project, current=True)
    Entry.objects.filter(ranking=ranking).exclude(band__gt=32_000).update(band=5)
    Entry.objects.filter(ranking=ranking, item=item).update(band=0, position=-5)
    [slot] = claim(project=pool.project, labeler=person, count=1)
    assert slot.item_id == item.pk
    return slot


def say(pool: Pool, slot: Slot, key: str) -> Annotation:
    return submit(
        project=pool.project,
        labeler=slot.holder,
        lease=slot.pk,
        key=uuid.uuid4(),
        answer=Answer(kind="class", class_key=key),
        view_ms=900,
    ).annotation
