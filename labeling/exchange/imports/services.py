"""Imports as people begin and steer them: the web's side. The work is a job's (:mod:`labeling.exchange.imports.work`)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.intake.handing_in import sent_name, start_intake
from labeling.catalog.models import IntakeBatch, IntakeKind, Project
from labeling.catalog.name_encodings import kept, read
from labeling.catalog.selectors import active_classes
from labeling.catalog.sources.source import ARCHIVE
from labeling.exchange.imports.classes import OTHERS
from labeling.exchange.imports.package import LABELS
from labeling.exchange.imports.readers import READERS
from labeling.exchange.models import ClassAlias, Import, ImportState, Use
from labeling.jobs import services as jobs
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store import on_disk
from labeling.store.folders import STAGING

JOB_KIND = "import"
#: So long a file can be read anew, and its photos taken in.
KEPT_FOR = timedelta(days=30)
#: In which states a step may begin; where its own job was interrupted it goes on.
_BEFORE = {
    "read": {ImportState.READING, ImportState.READY},
    "check": {ImportState.READY, ImportState.UNDONE},
    "apply": {ImportState.READY, ImportState.APPLYING, ImportState.UNDONE},
    "undo": {ImportState.APPLYING, ImportState.APPLIED, ImportState.UNDOING},
}
_WHILE = {
    "read": ImportState.READING,
    "check": ImportState.READING,
    "apply": ImportState.APPLYING,
    "undo": ImportState.UNDOING,
}


def start_import(
    *,
    project: Project,
    by: User,
    file: File[bytes],
    source: str = "",
    use: str = Use.ANSWER,
    format: str = "",
) -> tuple[Import, Job]:
    """Stage a file of labels, and have it read and tried. ``source``: by which they are known; by default the file's name.

    What is staged is on the disk when this returns. Raises :class:`Refused` ``nothing_sent`` or ``invalid`` (422).
    """
    if not file.size:
        raise Refused.invalid("file", _("The file is empty. Choose another one."), code="nothing_sent")
    name = kept(read(sent_name(file), "latin-1").replace("\\", "/").rpartition("/")[2]) or "labels"
    of = Import(
        project=project,
        created_by=by,
        file_name=name[-200:],
        source=(kept(source.strip()) or name.rpartition(".")[0] or name)[:60],
        use=_known(use, Use.values, "use"),
        format=_known(format, ["", *READERS], "format"),
    )
    folder = STAGING.root / str(of.pk)
    try:
        folder.mkdir(parents=True)
        with (folder / LABELS).open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        # By its bytes: names lie. A spreadsheet's .xlsx is a zip as well, and is none of the formats.
        if zipfile.is_zipfile(folder / LABELS) and not name.lower().endswith(
            (".parquet", ".csv", ".json", ".jsonl")
        ):
            (folder / LABELS).rename(folder / ARCHIVE)
        on_disk.sync_disk(folder)
        STAGING.hand_over(folder.name)
        with transaction.atomic():
            of.save(force_insert=True)
            job = _enqueue(of, by, "read")
            log_activity(
                project=project, kind="import_started", actor=by, file=of.file_name, source=of.source
            )
    except BaseException:
        STAGING.drop(folder.name)
        raise
    return of, job


@transaction.atomic
def change_import(
    *,
    of: Import,
    by: User,
    source: str | None = None,
    use: str | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
) -> Job:
    """Say what an import's labels are, whose, in which columns, and what they mean here; have it tried again.

    ``classes``: label -> class key, ``hold``, ``unusable`` or nothing; kept for the next import. Raises :class:`Refused`
    ``invalid`` (422), ``busy`` or ``too_late`` (409).
    """
    of = _locked(of, "check" if format is None and columns is None else "read")
    if source is not None:
        of.source = _source(source)
    if use is not None:
        of.use = _known(use, Use.values, "use")
    if format is not None and format != of.format:
        of.format, of.columns = _known(format, ["", *READERS], "format"), {}
    elif columns is not None:
        of.columns = of.columns | _known_columns(of, columns)
    if classes is not None:
        of.classes = of.classes | _known_classes(of, classes, by)
    step = "read" if format is not None or columns is not None else "check"
    of.save(update_fields=["source", "use", "format", "columns", "classes"])
    return _begin(of, by, step)


@transaction.atomic
def check_import(*, of: Import, by: User) -> Job:
    """Look again at what would happen: photos may have come in, or people answered, since. Raises :class:`Refused`."""
    return _begin(_locked(of, "check"), by, "check")


@transaction.atomic
def apply_import(*, of: Import, by: User) -> Job:
    """Bring in what may come in; go on where that was interrupted. Raises :class:`Refused` ``busy``, ``too_late`` (409)."""
    return _begin(_locked(of, "apply"), by, "apply")


@transaction.atomic
def undo_import(*, of: Import, by: User) -> Job:
    """Take back all that it brought, or the rest of it. Raises :class:`Refused` ``busy``, ``too_late`` (409)."""
    return _begin(_locked(of, "undo"), by, "undo")


@transaction.atomic
def cancel_import(*, of: Import, by: User) -> None:
    """Stop its job soon. What came in stays in, and can be taken back."""
    job = latest_job(of)
    if job is None or not job.is_live:
        raise Refused("not_running", _("This import is not running any more, so there is nothing to cancel."))
    jobs.cancel(job=job)


def take_photos_in(*, of: Import, by: User) -> IntakeBatch:
    """Have the photos that came along in the archive taken in. Raises :class:`Refused` ``no_photos`` (409)."""
    folder = STAGING.root / str(of.pk)
    try:
        folder = STAGING.get(folder.name)
        with (folder / ARCHIVE).open("rb") as archive:
            return start_intake(
                project=of.project, by=by, kind=IntakeKind.ZIP, zip=File(archive, name=of.file_name)
            )[0]
    except FileNotFoundError:
        raise Refused(
            "no_photos", _("No photos came along, or the archive is gone. Take them in on the page Intake.")
        ) from None


def free_old_files() -> int:
    """Remove what was sent for imports that began :data:`KEPT_FOR` ago; what it said is kept row by row."""
    old = Import.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).values_list("pk", flat=True)
    staged = STAGING.names() & {str(pk) for pk in old.iterator()}
    for name in staged:
        STAGING.drop(name)
    return len(staged)


def latest_job(of: Import) -> Job | None:
    return (
        Job.objects.of_project(of.project_id)
        .filter(kind=JOB_KIND, args__contains={"import": str(of.pk)})
        .order_by("-created_at")
        .first()
    )


def _locked(of: Import, step: str) -> Import:
    of = Import.objects.select_for_update(of=("self",)).select_related("project").get(pk=of.pk)
    job = latest_job(of)
    if job is not None and job.is_live:
        raise Refused("busy", _("This import is at work. Wait for its end, or stop it first."))
    # Whose reading failed is in no state but that.
    if of.state not in _BEFORE[step] and not (
        step == "check" and of.state == ImportState.READING and of.found
    ):
        raise Refused(
            "too_late",
            _("Nothing of this import came in, so there is nothing to take back.")
            if step == "undo"
            else _("Labels have come in already. Take them back first."),
        )
    return of


def _begin(of: Import, by: User, step: str) -> Job:
    of.state = _WHILE[step]
    of.save(update_fields=["state"])
    return _enqueue(of, by, step)


def _enqueue(of: Import, by: User, step: str) -> Job:
    return jobs.enqueue(
        kind=JOB_KIND,
        queue="cpu",
        project_id=of.project_id,
        args={"import": str(of.pk), "step": step},
        requested_by=by,
        dedupe=f"import:{of.pk}",
    )


def _known(value: str, known: list[str], field: str) -> str:
    if value not in known:
        raise Refused.invalid(field, _("One of: %(values)s.") % {"values": ", ".join(filter(None, known))})
    return value


def _source(source: str) -> str:
    if not source.strip():
        raise Refused.invalid("source", _("Say whose labels these are."))
    return kept(source.strip())[:60]


def _known_columns(of: Import, columns: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, Any] = of.found.get("fields", {})
    for role, name in columns.items():
        if name not in fields.get(role, []):
            raise Refused.invalid(
                "columns", _("There is no such column in the file: %(name)s.") % {"name": name or role}
            )
    return dict(columns)


def _known_classes(of: Import, classes: Mapping[str, str], by: User) -> dict[str, str]:
    known = [*(row.label_class.key for row in active_classes(of.project)), *OTHERS]
    labels = of.found.get("labels", {})
    for label, means in classes.items():
        if label not in labels:
            raise Refused.invalid(
                "classes", _("There is no label “%(label)s” in the file.") % {"label": label}
            )
        if means not in known:
            raise Refused.invalid(
                "classes",
                _("There is no class “%(key)s” in this project now. Use one of: %(keys)s.")
                % {"key": means, "keys": ", ".join(filter(None, known))},
            )
    ClassAlias.objects.bulk_create(
        [ClassAlias(project=of.project, label=label, means=means, by=by) for label, means in classes.items()],
        update_conflicts=True,
        unique_fields=["project", "label"],
        update_fields=["means", "by", "at"],
    )
    return dict(classes)
