"""One job of an import: read, look, apply or undo. The job's ``step`` says which."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any

from django.db.models import Count

from labeling.catalog.activity import log_activity
from labeling.exchange.imports.applying import apply
from labeling.exchange.imports.checking import check
from labeling.exchange.imports.classes import propose
from labeling.exchange.imports.looks import look_at
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Unreadable
from labeling.exchange.imports.reading import read, recognise
from labeling.exchange.imports.undoing import undo
from labeling.exchange.models import Import, ImportState, Outcome, Use
from labeling.jobs.progress import JobError, Progress
from labeling.people.models import User
from labeling.store.folders import STAGING


def work(progress: Progress) -> dict[str, Any]:
    """Returns how many rows have which outcome."""
    of = Import.objects.select_related("project", "created_by").filter(pk=progress.args["import"]).first()
    if of is None:
        raise JobError("This import is gone. Send the file again.")
    try:
        _do(of, progress)
    finally:  # also where somebody stopped it: what came in until then is told
        of.counts = dict(of.rows.order_by().values_list("outcome").annotate(n=Count("id")))
        of.save(update_fields=["counts"])
    return dict(of.counts)


def _do(of: Import, progress: Progress) -> None:
    by = progress.job.requested_by or of.created_by
    match progress.args["step"]:
        case "read":
            try:
                _read(of, progress)
            except Unreadable as error:
                raise JobError(str(error)) from None
            _check(of, progress)
        case "check":
            _check(of, progress)
        case "apply":
            apply(of, progress)
            _now(of, ImportState.APPLIED)
            _log(of, "import_applied", by, Outcome.DONE)
        case "undo":
            undo(of, by, progress)
            _now(of, ImportState.UNDONE)
            _log(of, "import_undone", by, Outcome.UNDONE)


def _read(of: Import, progress: Progress) -> None:
    with suppress(FileNotFoundError):  # whoever opens it says what is missing
        STAGING.get(str(of.pk))
    with closing(Package(STAGING.root / str(of.pk), of.file_name)) as package:
        of.format = of.format or recognise(package)
        of.found = read(of, package, progress)
    proposed = propose(of.project, of.found["labels"])
    of.classes = proposed | {
        label: means for label, means in of.classes.items() if label in of.found["labels"]
    }
    of.save(update_fields=["format", "columns", "found", "classes"])


def _check(of: Import, progress: Progress) -> None:
    check(of, progress)
    unsaid = (
        []
        if of.use == Use.TEXT
        else [label for label in of.found.get("labels", {}) if label not in of.classes]
    )
    of.found["looks"] = look_at(of, unsaid)
    of.save(update_fields=["found"])
    _now(of, ImportState.READY)


def _now(of: Import, state: str) -> None:
    of.state = state
    of.save(update_fields=["state"])


def _log(of: Import, kind: str, by: User, outcome: str) -> None:
    log_activity(
        project=of.project,
        kind=kind,
        actor=by,
        file=of.file_name,
        source=of.source,
        labels=of.rows.filter(outcome=outcome).count(),
        use=of.use,
    )
