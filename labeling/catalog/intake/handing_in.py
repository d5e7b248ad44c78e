"""Photos are handed in: the web's side. Bytes are staged, rows are written, a job is enqueued, nothing is decoded."""

from __future__ import annotations

import hashlib
import logging
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.intake.uploaded_tables import PARTIAL, TABLES
from labeling.catalog.metadata.tables import is_table
from labeling.catalog.models import IntakeBatch, IntakeFile, IntakeKind, IntakeOutcome, Project
from labeling.catalog.name_encodings import ENCODINGS, kept, kept_path, leads_out, read, reading_of
from labeling.catalog.photos import PhotoRefused, advice
from labeling.catalog.sources.remote import URLS
from labeling.catalog.sources.source import ARCHIVE
from labeling.jobs import services as jobs
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store import on_disk
from labeling.store.folders import STAGING
from labeling.store.objects import StoreAway

logger = logging.getLogger(__name__)

JOB_KIND = "intake"


def staging_of(batch_id: uuid.UUID | str) -> Path:
    """Where it is on this machine."""
    return STAGING.root / str(batch_id)


def start_intake(
    *,
    project: Project,
    by: User,
    kind: str,
    source: str = "",
    files: Sequence[File[bytes]] = (),
    zip: File[bytes] | None = None,
    folder: str | Path | None = None,
    urls: File[bytes] | None = None,
    roots: Sequence[Path] | None = None,
    encoding: str = "",
    partial: bool = False,
) -> tuple[IntakeBatch, Job]:
    """Take photos in: several ``files``, one ``zip``, a server ``folder``, or a table of ``urls``; return batch and job.

    ``source`` is the name that people see (default: made from what was handed in). ``roots``: the folders in which
    ``folder`` may lie (default ``settings.INTAKE_ROOTS``); never pass on a person's wish. ``encoding``: of names of or in
    what was sent that do not say so themselves, a key of :data:`~labeling.catalog.name_encodings.ENCODINGS`; empty: found
    out. ``partial``: tables of metadata among ``files`` tell of files that are sent by other calls, too.
    Whatever is staged is on the disk when this returns. Refusals: ``nothing_sent``, ``not_a_zip``, ``no_such_folder``,
    ``folder_not_open``, ``unknown_encoding`` (422), ``too_large`` (413).
    """
    if encoding and encoding not in ENCODINGS:
        raise Refused.invalid("encoding", _("This encoding of names is not known."), code="unknown_encoding")
    batch = IntakeBatch(project=project, kind=kind, source=kept(source), created_by=by, encoding=encoding)
    args: dict[str, Any] = {"batch": str(batch.pk)}
    rows: list[IntakeFile] = []
    staging = staging_of(batch.pk)
    try:
        if kind == IntakeKind.UPLOAD:
            rows, tables = _stage_files(batch, files, staging)
            args |= {TABLES: tables, PARTIAL: partial} if tables else {}
        elif kind == IntakeKind.ZIP:
            _stage_zip(batch, zip, staging)
        elif kind == IntakeKind.FOLDER:
            allowed = [Path(root) for root in (settings.INTAKE_ROOTS if roots is None else roots)]
            found = open_folder(folder, allowed)
            batch.source = batch.source or kept(found.name)
            args |= {"folder": str(found), "roots": [str(root) for root in allowed]}
        elif kind == IntakeKind.URLS:
            _stage_urls(batch, urls, staging)
        else:
            raise Refused.invalid(None, _("Send files, a zip archive, a table of addresses, or a folder."))
        if staging.exists():
            STAGING.hand_over(staging.name)
        with transaction.atomic():
            batch.save(force_insert=True)
            IntakeFile.objects.bulk_create(rows, batch_size=2000)
            job = enqueue(batch, by, args)
            log_activity(
                project=project, kind="intake_started", actor=by, batch=str(batch.pk), source=batch.source
            )
    except BaseException:
        free_staging(batch.pk)
        raise
    return batch, job


def start_upload(
    *,
    project: Project,
    by: User,
    files: Sequence[File[bytes]],
    source: str = "",
    encoding: str = "",
    partial: bool = False,
) -> list[IntakeBatch]:
    """Take in ``files`` as a person chose them: each zip archive is an intake of its own, the photos are one together.

    Refuses as :func:`start_intake` does; the intakes before the one that is refused are under way then.
    """
    archives = [file for file in files if read(sent_name(file), "latin-1").lower().endswith(".zip")]
    photos = [file for file in files if file not in archives]
    started = [
        start_intake(project=project, by=by, kind=IntakeKind.ZIP, zip=archive, encoding=encoding)[0]
        for archive in archives
    ]
    if photos:
        batch, _job = start_intake(
            project=project, by=by, kind=IntakeKind.UPLOAD, source=source, files=photos, partial=partial
        )
        started.append(batch)
    return started


@transaction.atomic
def resume_intake(*, batch: IntakeBatch, by: User) -> Job:
    """Go on with the files that are still pending. Refuses with ``nothing_left`` (409) when there are none."""
    previous = latest_job(batch)
    if previous is not None and previous.is_live:
        return previous
    listed = batch.files.exists()
    if listed and not batch.files.filter(outcome=IntakeOutcome.PENDING).exists():
        raise Refused(
            "nothing_left", _("Every file of this intake has been dealt with. There is nothing to resume.")
        )
    if not listed and (previous is None or previous.state == "succeeded"):
        raise Refused("nothing_left", _("This intake holds no files. Send the photos again."))
    return enqueue(batch, by, previous.args if previous else {"batch": str(batch.pk)})


@transaction.atomic
def cancel_intake(*, batch: IntakeBatch, by: User) -> None:
    """Stop the intake soon. What came in stays in; the rest can be resumed or given up."""
    job = latest_job(batch)
    if job is None or not job.is_live:
        raise Refused("not_running", _("This intake is not running any more, so there is nothing to cancel."))
    jobs.cancel(job=job)
    log_activity(project=batch.project, kind="intake_cancelled", actor=by, batch=str(batch.pk))


@transaction.atomic
def discard_rest(*, batch: IntakeBatch, by: User) -> int:
    """Give up the files that are still pending, and free their staging area; return how many they were."""
    job = latest_job(batch)
    if job is not None and job.is_live:
        raise Refused("still_running", _("The intake is still running. Cancel it first."))
    given_up = batch.files.filter(outcome=IntakeOutcome.PENDING).update(
        outcome=IntakeOutcome.REFUSED, reason="discarded", detail=advice("discarded"), metadata=None
    )
    log_activity(
        project=batch.project, kind="intake_discarded", actor=by, batch=str(batch.pk), files=given_up
    )
    transaction.on_commit(lambda: free_staging(batch.pk))
    return given_up


def free_staging(batch_id: uuid.UUID | str) -> None:
    """Remove what was staged. Where the store is away it stays, until the nightly look."""
    try:
        STAGING.drop(str(batch_id))
    except StoreAway as error:
        logger.warning("what was staged of intake %s stays for now: %s", batch_id, error)


def latest_job(batch: IntakeBatch) -> Job | None:
    return (
        Job.objects.of_project(batch.project_id)
        .filter(kind=JOB_KIND, args__batch=str(batch.pk))
        .order_by("-created_at")
        .first()
    )


def is_on_its_way(project: Project, sha256: str) -> bool:
    """Whether a file with this hash waits for its turn in an intake that has not ended.

    Raises :class:`Refused`: the reason for which the newest file with this hash was refused (422, ``too_large`` 413), or
    ``intake_stopped`` (409) where its intake ended before its turn came.
    """
    file = (
        IntakeFile.objects.filter(sha256=sha256, batch__project=project)
        .select_related("batch")
        .order_by("-pk")
        .first()
    )
    if file is None:
        return False
    if file.outcome == IntakeOutcome.REFUSED:
        raise PhotoRefused(file.reason)
    if file.outcome != IntakeOutcome.PENDING:
        return False
    job = latest_job(file.batch)
    if job is None or not job.is_live:
        raise Refused(
            "intake_stopped",
            _("The intake of this photo ended before its turn came. Send the photo again."),
        )
    return True


def enqueue(batch: IntakeBatch, by: User, args: dict[str, Any]) -> Job:
    """The job that works through the batch."""
    return jobs.enqueue(
        kind=JOB_KIND,
        queue="cpu",
        project_id=batch.project_id,
        args=args,
        requested_by=by,
        dedupe=f"intake:{batch.pk}",
    )


def _stage_files(
    batch: IntakeBatch, files: Sequence[File[bytes]], staging: Path
) -> tuple[list[IntakeFile], list[tuple[str, str]]]:
    """A row a photo, and name and path of each table of metadata."""
    if not files:
        raise Refused.invalid(None, _("No photo was sent. Choose at least one."), code="nothing_sent")
    batch.source = batch.source or _("Upload of %(when)s") % {
        "when": timezone.localtime().strftime("%Y-%m-%d %H:%M")
    }
    staging.mkdir(parents=True)
    sent = [sent_name(file) for file in files]
    reading = reading_of(sent, batch.encoding)
    batch.encoding, batch.encoding_guessed = (reading.encoding, reading.guessed) if reading else ("", False)
    rows: list[IntakeFile] = []
    tables: list[tuple[str, str]] = []
    for number, (file, raw) in enumerate(zip(files, sent, strict=True)):
        name = read(raw, batch.encoding or "ascii")
        path = f"{number:06}"
        if is_table(name) and not leads_out(name):
            _copy(file, staging / path)
            tables.append((kept_path(name), path))
            continue
        row = IntakeFile(
            batch=batch,
            name=kept_path(name) or "photo",
            name_bytes=raw if isinstance(raw, bytes) else None,
            path=path,
        )
        refused = "unsafe_path" if leads_out(name) else ""
        if file.size > settings.INTAKE_MAX_BYTES:
            refused = "too_large"
        if refused:
            row.outcome, row.reason, row.detail = IntakeOutcome.REFUSED, refused, advice(refused)
        else:
            row.sha256 = _copy(file, staging / row.path)
        rows.append(row)
    on_disk.sync_disk(staging)
    return rows, tables


def _stage_zip(batch: IntakeBatch, archive: File[bytes] | None, staging: Path) -> None:
    if archive is None:
        raise Refused.invalid(None, _("No archive was sent. Choose a zip file."), code="nothing_sent")
    bound = settings.INTAKE_MAX_ZIP_BYTES
    if archive.size > bound:
        raise Refused(
            "too_large",
            _("The archive is larger than %(size)s\u00a0GB. Split it and send the parts.")
            % {"size": f"{bound / 2**30:.3g}"},
            status=413,
        )
    name = sent_name(archive)
    reading = reading_of([name])
    path = kept_path(read(name, reading.encoding if reading else "ascii"))
    batch.source = batch.source or path.rpartition("/")[2] or "zip"
    staging.mkdir(parents=True)
    _copy(archive, staging / ARCHIVE)
    on_disk.sync_disk(staging)
    # Reads the archive's last bytes only; what it holds is the job's business.
    if not zipfile.is_zipfile(staging / ARCHIVE):
        raise Refused.invalid(
            None,
            _("The file is no whole zip archive. Pack the photos again and send it again."),
            code="not_a_zip",
        )


def _stage_urls(batch: IntakeBatch, table: File[bytes] | None, staging: Path) -> None:
    if table is None or not table.size:
        raise Refused.invalid(None, _("No table was sent. Choose a CSV file."), code="nothing_sent")
    if table.size > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    name = sent_name(table)
    reading = reading_of([name])
    path = kept_path(read(name, reading.encoding if reading else "ascii"))
    batch.source = batch.source or path.rpartition("/")[2] or URLS
    staging.mkdir(parents=True)
    _copy(table, staging / URLS)
    on_disk.sync_disk(staging)


def open_folder(folder: str | Path | None, roots: Sequence[Path]) -> Path:
    """The folder that a person means, if it is within one of ``roots``. Refuses as :func:`start_intake` does."""
    text = str(folder or "").strip()
    if not text or "\x00" in text:
        raise Refused.invalid(None, _("Name the folder that holds the photos."), code="nothing_sent")
    # A path that names no root is looked for in the roots, so that people may write "march/line-2".
    candidates = [Path(text)] if Path(text).is_absolute() else [root / text for root in roots]
    opened = [
        path
        for candidate in candidates
        if any((path := candidate.resolve()).is_relative_to(root.resolve()) for root in roots)
    ]
    if not opened:
        raise Refused.invalid(
            None,
            _(
                "This folder is not open for intake. Open are: %(roots)s. The server's administrator can open others."
            )
            % {"roots": ", ".join(map(str, roots)) or _("none")},
            code="folder_not_open",
        )
    found = next((path for path in opened if path.is_dir()), None)
    if found is None:
        raise Refused.invalid(
            None, _("There is no such folder. Check how it is written."), code="no_such_folder"
        )
    return found


def sent_name(file: File[bytes]) -> str | bytes:
    """A file's name as it was sent, with the folders in which it lay; bytes where nothing says how they are meant."""
    sent: str | bytes | None = (getattr(file, "content_type_extra", None) or {}).get("path")
    return (file.name or "") if sent is None else sent


def _copy(file: File[bytes], target: Path) -> str:
    """Returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    file.seek(0)
    with target.open("wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()
