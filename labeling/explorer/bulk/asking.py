"""Ask for a deed with all that a search finds: it is looked at first, and done only when whoever asked has read what it
would do."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_definitions
from labeling.explorer.bulk.deeds import Asked, check
from labeling.explorer.bulk.ticked import refuse_others
from labeling.explorer.bulk.working import JOB_KIND, MOST_FIRST
from labeling.explorer.models import Bulk, Deed
from labeling.explorer.search.wanted import Wanted
from labeling.jobs import services as jobs
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.counts import Count


@transaction.atomic
def look(
    *, project: Project, by: User, deed: str, search: str, comment: str = "", class_key: str = ""
) -> Bulk:
    """Look, in the background, with how many photos it would be done, and which would stay as they are and why.

    Raises :class:`Refused` ``invalid`` (422), and :class:`PermissionDenied` where the deed is not theirs to do.
    """
    wanted = Wanted.read(project, search)
    asked = Asked(project, by, deed, comment.strip(), class_key)
    check(asked)
    refuse_others(asked)
    if not wanted:
        raise Refused.invalid(
            "search", _("Filter the photos first: without a filter it would be all of them.")
        )
    if class_key and class_key not in {each.label_class.key for each in active_definitions(project)}:
        raise Refused.invalid("class", _("Choose a class."))
    upto = Item.objects.filter(project=project).aggregate(last=Max("pk"))["last"] or 0
    bulk = Bulk.objects.create(
        project=project,
        created_by=by,
        deed=deed,
        query=wanted.query,
        comment=asked.comment,
        class_key=class_key if deed == Deed.GOLD else "",
        upto=upto,
    )
    _begin(bulk, by)
    return bulk


@transaction.atomic
def go_on(*, project: Project, bulk_id: UUID, by: User) -> Bulk:
    """Do what was looked at, or go on with what was stopped.

    Raises :class:`Http404`, :class:`PermissionDenied` where the deed is not theirs to do, and :class:`Refused`
    ``not_yours`` (what is being taken back goes on for all), ``nothing_to_do``, ``too_many`` or ``under_way`` (409).
    """
    bulk = _locked(project, bulk_id)
    refuse_others(Asked(project, by, bulk.deed))
    if bulk.created_by_id != by.pk and bulk.stage != Bulk.Stage.UNDOING:
        raise Refused("not_yours", _("Only whoever looked what it would do can do it. Look yourself first."))
    if bulk.stage == Bulk.Stage.LOOKED:
        n = bulk.photos_done(bulk.foreseen)
        if not n:
            raise Refused("nothing_to_do", _("It would be done with no photo. Search for others."))
        if bulk.deed == Deed.FIRST and n > MOST_FIRST:
            raise Refused(
                "too_many",
                _(
                    "More than %(most)s photos cannot come before all others: none would be first. Narrow the search."
                )
                % {"most": Count(MOST_FIRST)},
            )
        bulk.stage = Bulk.Stage.DOING
        log_activity(project=project, kind="bulk", actor=by, deed=bulk.deed, photos=n, bulk=str(bulk.pk))
    elif not bulk.stopped:
        raise _refused(bulk)
    _begin(bulk, by)
    return bulk


@transaction.atomic
def stop(*, project: Project, bulk_id: UUID, by: User) -> Bulk:
    """Let it end behind the photos that it is at; what it has done stays done. Not under way, it stays as it is.

    Raises :class:`Http404`, and :class:`PermissionDenied` where the deed is not theirs to do.
    """
    bulk = _locked(project, bulk_id)
    refuse_others(Asked(project, by, bulk.deed))
    if bulk.job is not None:
        bulk.job = jobs.cancel(job=bulk.job)
    return bulk


@transaction.atomic
def take_back(*, project: Project, bulk_id: UUID, by: User) -> Bulk:
    """Take back what was done so far, each photo by itself, unless people have gone on from there.

    Raises :class:`Http404`, :class:`PermissionDenied`, and :class:`Refused` ``under_way`` (409).
    """
    bulk = _locked(project, bulk_id)
    refuse_others(Asked(project, by, bulk.deed))
    if bulk.stage != Bulk.Stage.DONE and not (bulk.stage == Bulk.Stage.DOING and bulk.stopped):
        raise _refused(bulk)
    bulk.stage, bulk.reached = Bulk.Stage.UNDOING, 0
    log_activity(
        project=project,
        kind="bulk_undone",
        actor=by,
        deed=bulk.deed,
        photos=bulk.photos_done(bulk.done),
        bulk=str(bulk.pk),
    )
    _begin(bulk, by)
    return bulk


def _locked(project: Project, bulk_id: UUID) -> Bulk:
    bulk = (
        Bulk.objects.select_for_update(of=("self",))
        .select_related("project", "job", "created_by")
        .filter(project=project, pk=bulk_id)
        .first()
    )
    if bulk is None:
        raise Http404(_("There is no such act on photos in this project."))
    return bulk


def _begin(bulk: Bulk, by: User) -> None:
    """One at a time in a project, and behind whatever else waits: nobody labels slower for it."""
    bulk.job = jobs.enqueue(
        kind=JOB_KIND,
        project_id=bulk.project_id,
        args={"bulk": str(bulk.pk)},
        requested_by=by,
        dedupe=f"bulk:{bulk.pk}",
        lock=f"bulk:{bulk.project_id}",
        priority=jobs.LAST,
    )
    bulk.save()


def _refused(bulk: Bulk) -> Refused:
    if bulk.under_way:
        return Refused(
            "under_way",
            _("It is under way. Wait for its end, or stop it first."),
            fields={"job": str(bulk.job_id)},
        )
    return Refused("nothing_to_do", _("There is nothing left to do here. Search, and look anew."))
