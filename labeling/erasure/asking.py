"""Ask for an erasure, and undo it. Photos leave at once and come back at once: those of a large request by a job, which also
looks for those that the request did not wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import erased
from labeling.catalog.models import Item, Project
from labeling.catalog.services import log_activity
from labeling.erasure.consequences import Consequences, consequences
from labeling.erasure.models import ErasedPhoto, Erasure, Scope
from labeling.erasure.moving_out import bring_back_some, take_out_some
from labeling.erasure.scopes import photos_of
from labeling.jobs.services import enqueue_to_wait
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole

JOB_KIND = "erase"
#: Photos that are taken out, or brought back, before the request is answered.
AT_ONCE = 200
MOST_DAYS = 365


@transaction.atomic
def ask(
    *,
    project: Project,
    by: User | None,
    scope: str,
    reason: str,
    item_ids: Sequence[int] = (),
    source: str = "",
    query: str = "",
    days: int | None = None,
) -> Erasure:
    """Erase photos of the project: they are out when this returns, and gone for good after ``days`` (default: the site's).

    ``item_ids``: of ``photos`` and ``group``. ``source``: of a source. ``query``: of a search, as its address says it; it is
    not kept. Raises :class:`Refused` ``invalid`` (422).
    """
    if not reason.strip():
        raise Refused.invalid(
            "reason", _("Say why. The reason stays, so write nothing in it that is to be erased.")
        )
    days = settings.ERASURE_DAYS if days is None else days
    if not 0 <= days <= MOST_DAYS:
        raise Refused.invalid("days", _("From 0 to %(most)d days.") % {"most": MOST_DAYS})
    page = photos_of(project, scope, item_ids=item_ids, source=source, query=query, by=by, most=AT_ONCE)
    return begin(
        project=project,
        by=by,
        scope=scope,
        reason=reason,
        source=source,
        query=query,
        days=days,
        item_ids=page.ids,
        looks_from=page.next,
    )


@transaction.atomic
def begin(
    *,
    project: Project,
    by: User | None,
    scope: str,
    reason: str,
    days: int,
    item_ids: Sequence[int],
    source: str = "",
    query: str = "",
    looks_from: int | None = None,
) -> Erasure:
    """Of photos that somebody, or a rule, has chosen; ``looks_from``: a job looks for others behind this id. Those that are
    being erased already are no part of it."""
    erasure = Erasure.objects.create(
        project=project,
        scope=scope,
        source=source if scope == Scope.SOURCE else "",
        query=query if looks_from is not None else "",
        looks_from=looks_from,
        reason=kept_whole(reason, field="reason"),
        asked_by=by,
        due_at=timezone.now() + timedelta(days=days),
    )
    _add(erasure, item_ids)
    log_activity(
        project=project,
        kind="erasure_asked",
        actor=by,
        erasure=str(erasure.pk),
        photos=len(item_ids),
        more=looks_from is not None,
        days=days,
        reason=erasure.reason,
    )
    take_out_some(erasure, AT_ONCE)
    if days == 0 or looks_from is not None or erasure.photos.to_take_out().exists():
        request_work(erasure)
    return erasure


@transaction.atomic
def choose_some(erasure: Erasure) -> int | None:
    """Look for the next photos of a large request and add them, with what goes and stays; ``None`` where all are known.

    Raises :class:`Refused` ``invalid`` (422) where the search that was asked for means nothing any more.
    """
    erasure = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if erasure.looks_from is None:
        return None
    page = photos_of(
        erasure.project,
        erasure.scope,
        source=erasure.source,
        query=erasure.query,
        by=erasure.asked_by,
        after=erasure.looks_from,
    )
    erasure.looks_from = page.next
    if page.next is None:
        erasure.query = ""
    _add(erasure, page.ids)
    return len(page.ids)


def _add(erasure: Erasure, item_ids: Sequence[int]) -> None:
    """Photos of the project, with what goes and stays of them."""
    took = consequences(erasure.project, item_ids)
    erasure.took = asdict(Consequences(**erasure.took) + took if erasure.took else took)
    erasure.save(update_fields=["took", "query", "looks_from"])
    locked = (
        Item.objects.select_for_update(no_key=True)
        .filter(project=erasure.project_id, pk__in=item_ids)
        .order_by("pk")
    )
    ErasedPhoto.objects.bulk_create(
        [ErasedPhoto(erasure=erasure, item_id=pk) for pk in locked.values_list("pk", flat=True)],
        batch_size=5000,
        ignore_conflicts=True,
    )


@transaction.atomic
def lift(*, project: Project, sha256: str, by: User) -> None:
    """Let a photo in again that was erased. Raises :class:`Refused` ``not_found`` (404) where none with this SHA-256 was."""
    if not erased.lift(project, sha256.strip().lower()):
        raise Refused("not_found", _("No photo with this SHA-256 was erased here."), status=404)
    log_activity(project=project, kind="erasure_lifted", actor=by)


@transaction.atomic
def undo(*, erasure: Erasure, by: User) -> Erasure:
    """Bring all its photos back as they were. A second call changes nothing.

    Raises :class:`Refused` ``erased`` (409) where the time for it is over.
    """
    erasure = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if erasure.undone_at is not None:
        return erasure
    if not erasure.can_be_undone:
        raise Refused("erased", _("The time to bring these photos back is over."))
    erasure.undone_at, erasure.undone_by = timezone.now(), by
    erasure.query, erasure.looks_from = "", None
    erasure.save(update_fields=["undone_at", "undone_by", "query", "looks_from"])
    erasure.photos.to_take_out().delete()
    log_activity(project=erasure.project, kind="erasure_undone", actor=by, erasure=str(erasure.pk))
    bring_back_some(erasure, AT_ONCE)
    if erasure.photos.held().exists():
        request_work(erasure)
    return erasure


def request_work(erasure: Erasure) -> None:
    """A job that finds, takes out, brings back or erases what is left to be: it goes on where another one was cut off, and
    follows one that runs, which may be taking out what is to come back."""
    enqueue_to_wait(
        kind=JOB_KIND,
        project_id=erasure.project_id,
        args={"erasure": str(erasure.pk)},
        requested_by=erasure.asked_by,
        dedupe=f"erase:{erasure.pk}",
        lock=f"erase:{erasure.project_id}",
    )
