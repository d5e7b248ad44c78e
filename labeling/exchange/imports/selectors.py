"""Imports, read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.exchange.imports.reasons import told
from labeling.exchange.imports.services import latest_job
from labeling.exchange.models import Import, ImportRow, Outcome, Use
from labeling.jobs.models import Job, JobState


def imports_of(project: Project) -> QuerySet[Import]:
    """Newest first."""
    return (
        Import.objects.filter(project=project).select_related("project", "created_by").order_by("-created_at")
    )


def import_of(project: Project, import_id: UUID) -> Import:
    """Raises :class:`Http404`."""
    found = imports_of(project).filter(pk=import_id).first()
    if found is None:
        raise Http404(_("There is no such import in this project."))
    return found


@dataclass(frozen=True)
class Report:
    """How an import stands. ``counts``: outcome -> rows, of all outcomes there are; ``job``: its latest.

    ``unmapped``: labels of which nobody has said what they mean here.
    """

    of: Import
    job: Job | None
    counts: dict[str, int]

    @property
    def is_live(self) -> bool:
        return self.job is not None and self.job.is_live

    @property
    def stopped(self) -> bool:
        """Its last step did not come to its end."""
        return self.job is not None and self.job.state in (JobState.FAILED, JobState.CANCELLED)

    @property
    def unmapped(self) -> list[str]:
        labels = {} if self.of.use == Use.TEXT else self.of.found.get("labels", {})
        return [label for label in labels if label not in self.of.classes]


def report(of: Import) -> Report:
    counts = {outcome: of.counts.get(outcome, 0) for outcome in Outcome.values}
    return Report(of, latest_job(of), counts)


def rows_of(of: Import, outcome: str | None = None) -> QuerySet[ImportRow]:
    """In the order of the file."""
    rows = of.rows.order_by("id")
    return rows.filter(outcome=outcome) if outcome else rows


def why(row: ImportRow) -> str:
    """Why it cannot come in, and what to do; empty where it can."""
    return told(row.reason, row.about) if row.outcome == Outcome.REFUSED else ""
