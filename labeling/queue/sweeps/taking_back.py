"""Take a hand-in back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.entries import share_ranking
from labeling.queue.models import Slot, Sweep, SweepHandIn, SweepReturn
from labeling.queue.sweeps import claiming
from labeling.queue.sweeps.handing_in import APART, GONE, answer_key
from labeling.queue.sweeps.lending import close
from labeling.queue.sweeps.locking import lock_photos, one_at_a_time
from labeling.queue.sweeps.selectors import Grid, grid_of
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Draw


@transaction.atomic
def take_back(*, project: Project, labeler: User, sweep_id: UUID, key: UUID) -> Grid:
    """Undo a hand-in: its answers are retracted, and the grid is on loan to the same person again, as it was.

    A grid that they have begun meanwhile is given back. Photos that others took meanwhile are left out. Repeating it changes
    nothing. Raises :class:`Refused` ``not_found`` (404), ``void``, ``undo_too_late`` or ``already_ruled`` (409).
    """
    one_at_a_time(labeler)
    handed = (
        SweepHandIn.objects.filter(sweep=sweep_id, sweep__project=project, labeler=labeler, key=key)
        .select_related("sweep__label_class", "sweep__labeler", "returned")
        .first()
    )
    if handed is None:
        raise Refused("not_found", _("There is no grid of yours with this key."), status=404)
    sweep = handed.sweep
    sweep.project = project
    if hasattr(handed, "returned"):
        return grid_of(sweep)
    if not handed.counts:
        raise Refused("void", _("This grid does not count, so there is nothing to take back."))
    if timezone.now() > handed.created_at + timedelta(seconds=project.undo_seconds):
        raise Refused(
            "undo_too_late",
            _("A grid can be taken back for %(seconds)d seconds. Ask a reviewer to look at a photo instead.")
            % {"seconds": project.undo_seconds},
        )
    for other in Sweep.objects.filter(project=project, labeler=labeler, closed_at__isnull=True):
        close(other)
    answered = {int(item): each for item, each in handed.said.items() if each["kind"] not in {APART, GONE}}
    keys = [answer_key(key, item_id) for item_id in answered]
    given = list(
        Annotation.objects.filter(labeler=labeler, key__in=keys, retraction__isnull=True).order_by("item_id")
    )
    lock_photos([annotation.item_id for annotation in given])
    for annotation in given:
        truth.retract_answer(project=project, labeler=labeler, key=annotation.key)
    now = timezone.now()
    Slot.objects.filter(annotation__in=given, holder=labeler).update(
        annotation=None, leased_at=now, expires_at=now + timedelta(seconds=project.lease_seconds)
    )
    _fetch_apart(project, sweep, labeler)
    SweepReturn.objects.create(hand_in=handed)
    sweep.closed_at = None
    sweep.save(update_fields=["closed_at"])
    return grid_of(sweep)


def _fetch_apart(project: Project, sweep: Sweep, labeler: User) -> None:
    apart = list(sweep.photos.filter(apart=True).order_by("item_id").values_list("item_id", flat=True))
    ranking = share_ranking(project)
    if not apart or ranking is None:
        return
    Slot.objects.filter(item__in=apart, holder=labeler, skipped_at__isnull=False, draw=Draw.SWEEP).delete()
    sweep.photos.filter(apart=True).update(apart=False)
    claiming.lend(project, ranking, labeler, item_ids=apart, sweep=sweep.pk, shown_as=sweep.label_class.key)
