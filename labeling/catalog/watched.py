"""Sources that are watched, the web's side: added, paused, removed. What a look does: ``labeling/catalog/looking.py``."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.intake.handing_in import open_folder
from labeling.catalog.models import IntakeBatch, Project, WatchedSource
from labeling.catalog.name_encodings import kept
from labeling.database import locks
from labeling.jobs import services as jobs
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.refusals import Refused

JOB_KIND = "look_at_source"
#: Sources of one project.
MOST = 50


def open_buckets() -> list[str]:
    """Names of the buckets that the server's administrator opened."""
    return sorted(settings.BUCKETS) if find_spec("boto3") else []


def all_sources(project: Project) -> QuerySet[WatchedSource]:
    """Also those that are removed; oldest first, each with the id of its ``newest`` intake."""
    newest = IntakeBatch.objects.filter(watched=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    watched = WatchedSource.objects.filter(project=project).select_related("created_by")
    return watched.annotate(newest=Subquery(newest)).order_by("pk")


def name_of(source: WatchedSource) -> str:
    """By which its photos, and those of its intakes, are found."""
    if source.kind == WatchedSource.Kind.BUCKET:
        return kept(source.address)
    return kept(source.address.rpartition("/")[2])


def watched_sources(project: Project) -> QuerySet[WatchedSource]:
    return all_sources(project).filter(removed_at__isnull=True)


def source_of(project: Project, source_id: int, *, removed: bool = False) -> WatchedSource:
    """``removed``: it may be. Raises :class:`~django.http.Http404`."""
    sources = all_sources(project) if removed else watched_sources(project)
    # Beyond what the column holds there is no source either.
    found = sources.filter(pk=source_id).first() if source_id < 2**63 else None
    if found is None:
        raise Http404(_("This project watches no such source."))
    return found


@transaction.atomic
def watch(
    *, project: Project, by: User, kind: str, address: str, minutes: int = 60, referenced: bool = False
) -> WatchedSource:
    """Look at a folder or bucket from now on, the first time at once; one that was removed goes on from what it had.

    ``referenced``: what comes in from now on stays in its bucket, and only pictures of it are kept here.

    Refusals: ``nothing_sent``, ``folder_not_open``, ``no_such_folder``, ``bucket_not_open``, ``invalid`` (422);
    ``watched_already``, ``too_many`` (409).
    """
    _check(minutes)
    if referenced and kind != WatchedSource.Kind.BUCKET:
        message = _("Only photos in a bucket can stay where they are: other machines do not see a folder.")
        raise Refused.invalid("referenced", message)
    if kind == WatchedSource.Kind.FOLDER:
        address = str(open_folder(address, [Path(root) for root in settings.INTAKE_ROOTS]))
    else:
        address = _open_bucket(address)
    if len(address) > 800 or kept(address) != address:
        raise Refused.invalid("address", _("This address cannot be kept. Choose a shorter or plainer one."))
    locks.hold_name("watched", f"{project.pk}")
    there = watched_sources(project)
    if there.filter(kind=kind, address=address).exists():
        raise Refused("watched_already", _("This source is watched already."))
    if there.count() >= MOST:
        raise Refused("too_many", _("A project has %(most)d sources at most.") % {"most": MOST})
    source, _made = WatchedSource.objects.update_or_create(
        project=project,
        kind=kind,
        address=address,
        defaults={
            "minutes": minutes,
            "referenced": referenced,
            "created_by": by,
            "paused": False,
            "removed_at": None,
            "error": "",
        },
    )
    log_activity(project=project, kind="source_watched", actor=by, address=address)
    look_now(source=source, by=by)
    return source


def _check(minutes: int) -> None:
    if not WatchedSource.OFTEN <= minutes <= WatchedSource.SELDOM:
        message = _("Look every %(often)d to %(seldom)d minutes.")
        raise Refused.invalid(
            "minutes", message % {"often": WatchedSource.OFTEN, "seldom": WatchedSource.SELDOM}
        )


def _open_bucket(address: str) -> str:
    parts = [part for part in address.strip().split("/") if part]
    if not parts or parts[0] not in open_buckets():
        raise Refused.invalid(
            "address",
            _(
                "This bucket is not open for intake. Open are: %(names)s. The server's administrator can open others."
            )
            % {"names": ", ".join(open_buckets()) or _("none")},
            code="bucket_not_open",
        )
    return "/".join(parts)


@transaction.atomic
def change_watch(*, source: WatchedSource, by: User, **given: Any) -> WatchedSource:
    """``given``: ``paused``, ``minutes``; a source that goes on is looked at when it is due."""
    source = WatchedSource.objects.select_for_update().get(pk=source.pk)
    _check(given.get("minutes", source.minutes))
    paused = given.get("paused", source.paused)
    if paused != source.paused:
        kind = "source_paused" if paused else "source_resumed"
        log_activity(project=source.project, kind=kind, actor=by, address=source.address)
    for name, value in given.items():
        setattr(source, name, value)
    source.save(update_fields=list(given))
    return source


@transaction.atomic
def unwatch(*, source: WatchedSource, by: User) -> WatchedSource:
    """Look at it no more. What came in stays, and so does what was seen; what is coming in comes in. Twice is as once."""
    source = WatchedSource.objects.select_for_update().get(pk=source.pk)
    if source.removed_at is None:
        source.removed_at = timezone.now()
        source.save(update_fields=["removed_at"])
        log_activity(project=source.project, kind="source_removed", actor=by, address=source.address)
    return source


def look_now(*, source: WatchedSource, by: User | None = None) -> Job:
    """The look that is under way already, if one is."""
    return jobs.enqueue(
        kind=JOB_KIND,
        queue="cpu",
        project_id=source.project_id,
        args={"source": source.pk},
        requested_by=by,
        dedupe=f"look:{source.pk}",
    )


def look_at_what_is_due() -> int:
    """Ask for a look at each source whose time has come; how many these are."""
    now = timezone.now()
    watched = WatchedSource.objects.filter(
        paused=False, removed_at__isnull=True, project__archived_at__isnull=True
    )
    due = [
        each
        for each in watched
        if each.looked_at is None or each.looked_at + timedelta(minutes=each.minutes) <= now
    ]
    for source in due:
        look_now(source=source)
    return len(due)
