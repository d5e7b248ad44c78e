"""Take an answer to a photo on loan, once, and take it back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from labeling.catalog.models import Project
from labeling.database.locks import SHARED_SQL, Lock
from labeling.people.models import User
from labeling.queue.lending import answered_already, own_slot
from labeling.queue.models import Slot
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.answers import refuse_contradiction
from labeling.truth.models import EARLIER, Annotation


@dataclass(frozen=True)
class Submission:
    """``created`` is false when the same answer had been delivered before."""

    annotation: Annotation
    created: bool
    undo_until: datetime


def submit(
    *,
    project: Project,
    labeler: User,
    lease: UUID,
    key: UUID,
    answer: truth.Answer,
    shown_at: datetime | None = None,
    view_ms: int = 0,
    guideline: int | None = None,
) -> Submission:
    """Take an answer to a photo on loan. The same ``key`` again returns the stored answer and changes nothing.

    ``guideline``: number of the version that it was given under; without it, the one in force when the photo was lent.
    A lease that ran out still counts while nobody else has the photo.
    Raises :class:`Refused` ``lease_expired``, ``already_answered``, ``key_reused`` or ``undone`` (409), ``invalid`` (422)
    for an answer that contradicts itself, and what
    :func:`labeling.truth.services.record_answer` raises.
    """
    shown_at = plausible(shown_at)
    try:
        with transaction.atomic():
            loan = _open_loan(project, labeler, lease, key)
            if loan is None:
                stored = _stored(
                    project, labeler, key, answer
                )  # perhaps delivered before, or a twin won the race
                if stored is not None:
                    return stored
                raise _no_longer_wanted(project, labeler, lease)
            viewing = truth.Viewing(*loan, shown_at=shown_at, view_ms=view_ms, guideline=guideline)
            annotation = truth.record_answer(
                project=project, labeler=labeler, key=key, answer=answer, viewing=viewing
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE queue_slot SET annotation_id = %s WHERE id = %s", [annotation.pk, lease]
                )
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        stored = _stored(project, labeler, key, answer)  # the constraints have the last word
        if stored is not None:
            return stored
        raise answered_already() from None
    return Submission(annotation, True, truth.undo_until(project, annotation))


def _open_loan(
    project: Project, labeler: User, lease: UUID, key: UUID
) -> tuple[int, int, str, dict[str, Any], datetime] | None:
    """Item, round, draw, context and time of an open lease, locked; ``None`` when there is none, or the key is known.

    The order is shared from here on: what an answer changes in it (``entries.want_all``) is in one statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.item_id, s.round,
                   -- whoever saw it in a grid knows what the model predicts, or saw an earlier photo beside it, and is not
                   -- blind any more
                   CASE WHEN s.draw <> 'gold' AND (beside.id IS NOT NULL OR EXISTS (SELECT 1 FROM queue_sweepphoto p
                       WHERE p.item_id = s.item_id AND p.labeler_id = s.holder_id)) THEN 'sweep' ELSE s.draw END,
                   CASE WHEN beside.id IS NULL THEN s.context
                        ELSE s.context || jsonb_build_object('{EARLIER}', beside.earlier_id) END,
                   s.leased_at, {SHARED_SQL}
            FROM queue_slot s JOIN catalog_item i ON i.id = s.item_id
            LEFT JOIN queue_earliershown beside ON beside.image_id = i.image_id AND beside.labeler_id = s.holder_id
            WHERE s.id = %s AND s.project_id = %s AND s.holder_id = %s
              AND s.annotation_id IS NULL AND s.skipped_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM truth_annotation a WHERE a.labeler_id = %s AND a.key = %s)
            FOR NO KEY UPDATE OF s
            """,  # noqa: S608  (a constant)
            [Lock.RANKING.value, project.pk, lease, project.pk, labeler.pk, labeler.pk, key],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    item_id, round, draw, context, lent_at, _nothing = found
    return item_id, round, draw, json.loads(context), lent_at


def _no_longer_wanted(project: Project, labeler: User, lease: UUID) -> Refused:
    slot = own_slot(project, labeler, lease)
    if slot is not None and slot.skipped_at is None:
        return answered_already()
    # An expired lease whose photo is settled is closed as a skip is (claiming.take_over_expired), but later.
    if slot is not None and slot.skipped_at is not None and slot.skipped_at < slot.expires_at:
        return Refused(
            "lease_expired",
            _(
                "You skipped this photo, so this answer is not taken. Take the skip back, or go on with the next."
            ),
        )
    # One text for whatever is not theirs: it does not tell whether somebody else holds the photo.
    return Refused(
        "lease_expired",
        _(
            "This photo is not on loan to you, or no longer: its time ran out, or it was given back. So this answer is "
            "not taken. Nothing else is affected: go on with the next photo."
        ),
    )


def plausible(shown_at: datetime | None) -> datetime | None:
    """A browser's clock may be ahead: then the photo was shown just now. More than a day is no clock's error.

    Raises :class:`Refused` ``invalid`` (422).
    """
    now = timezone.now()
    if shown_at is None or shown_at <= now:
        return shown_at
    if shown_at > now + timedelta(days=1):
        raise Refused.invalid(
            "shown_at",
            _("The photo cannot have been shown in the future. Set this device's clock, then answer again."),
            short=_("in the future"),
        )
    return now


def _stored(project: Project, labeler: User, key: UUID, answer: truth.Answer) -> Submission | None:
    annotation = (
        Annotation.objects.filter(labeler=labeler, key=key)
        .select_related("label_class", "retraction", "guideline")
        .first()
    )
    if annotation is None:
        return None
    if annotation.project_id != project.pk:
        raise Refused.invalid(None, _("This key was used in another project. Use a fresh UUID."))
    if hasattr(annotation, "retraction"):
        raise Refused(
            "undone",
            _("You took this answer back, so it does not count. Send a new answer with a fresh UUID."),
        )
    refuse_contradiction(answer)
    said = annotation.label_class.key if annotation.label_class else ""
    if (annotation.kind, said, annotation.reason) != (answer.kind, answer.class_key, answer.reason):
        raise Refused(
            "key_reused",
            _(
                "This key belongs to another answer of yours, which stands. Send a new answer with a fresh UUID."
            ),
        )
    return Submission(annotation, False, truth.undo_until(project, annotation))


@transaction.atomic
def undo(*, project: Project, labeler: User, key: UUID) -> Slot:
    """Take an answer back; the photo is on loan to the same person again. Repeating it changes nothing.

    Raises what :func:`labeling.truth.services.retract_answer` raises.
    """
    slot = (
        Slot.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item__image")
        .filter(project=project, annotation__key=key, annotation__labeler=labeler)
        .first()
    )
    annotation = truth.retract_answer(project=project, labeler=labeler, key=key)
    if slot is None:
        slot = Slot.objects.filter(item_id=annotation.item_id, round=annotation.round, holder=labeler).first()
        if slot is None:
            raise Refused("undo_too_late", _("The answer was undone, and the photo has moved on."))
    else:
        now = timezone.now()
        slot.annotation = None
        slot.leased_at = now
        slot.expires_at = now + timedelta(seconds=project.lease_seconds)
        slot.save(update_fields=["annotation", "leased_at", "expires_at"])
    return slot
