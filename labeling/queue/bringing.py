"""An answer that was given elsewhere takes one of the places that a photo's answers have, and gives it back."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.entries import share_ranking, want_all
from labeling.queue.models import Entry, Slot
from labeling.queue.places import ARRIVALS
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Draw


@transaction.atomic
def bring_answer(*, project: Project, source: User, word: truth.Word, of: uuid.UUID) -> Annotation | None:
    """Count it as one of the answers that are wanted of the photo; ``None`` where nobody is to be asked for one.

    ``of``: the import. Where one answer was to be enough, all are wanted from now on.
    """
    ranking = share_ranking(project)
    truth.lock_photo(word.item_id)
    entries = Entry.objects.filter(ranking=ranking, item_id=word.item_id, band__lte=ARRIVALS)
    entry = entries.select_for_update().filter(free__gt=0).first()
    if entry is None:
        return None
    entries.update(
        taken=F("taken") + 1,
        free=F("free") - 1,
        first_holder=Coalesce(F("first_holder"), Value(source.pk)),
    )
    annotation = truth.bring_answer(project=project, source=source, word=word, of=of)
    used = set(
        Slot.objects.filter(item_id=word.item_id, round=entry.round, number__isnull=False).values_list(
            "number", flat=True
        )
    )
    now = timezone.now()
    Slot.objects.update_or_create(
        item_id=word.item_id,
        round=entry.round,
        holder=source,
        defaults={
            "project": project,
            "number": next(n for n in range(len(used) + 1) if n not in used),
            "draw": Draw.SWEEP,
            "context": {
                "ladder": entry.ladder_id,
                "band": entry.band,
                "position": entry.position,
                "confidence": entry.confidence,
            },
            "leased_at": now,
            "expires_at": now,
            "skipped_at": None,
            "annotation": annotation,
        },
    )
    want_all(project=project, item_id=word.item_id)
    return annotation


@transaction.atomic
def take_answer_back(*, project: Project, annotation: Annotation, by: User) -> bool:
    """Its place is free again, as if it had been skipped; whether it stood until now."""
    share_ranking(project)
    truth.lock_photo(annotation.item_id)
    Slot.objects.filter(annotation=annotation).update(
        number=None, annotation=None, skipped_at=timezone.now(), expires_at=timezone.now()
    )
    return truth.take_answer_back(project=project, annotation=annotation, by=by)
