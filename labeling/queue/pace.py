"""How fast the queue moves inward: by ground truths, and by agreement in the current band.

With ``bands`` bands and ``boundary_after`` = B, band k is due when k / bands of B ground truths exist: each
band gets the same share of B, the last share already at the boundary. It opens only if, since the last
opening, enough of the photos that people finished were settled by blind agreement (``band_agreement``): where
people do not agree yet, going inward would only bring harder photos. Three bands and B = 100 are the measured
defaults (docs/log.md, 2026-11-24).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.people.models import User
from labeling.queue.models import BandOpening
from labeling.truth.models import Dispute, DisputeCause, GroundTruth, Origin


@dataclass(frozen=True)
class Standing:
    """Where the current band stands. ``agreement`` is ``None`` before the first finished photo."""

    band: int
    settled: int
    needed: int
    ground_truths: int
    agreed: int
    disputed: int

    @property
    def agreement(self) -> float | None:
        finished = self.agreed + self.disputed
        return self.agreed / finished if finished else None


def current_band(project: Project) -> int:
    opening = BandOpening.objects.filter(project=project).order_by("-id").first()
    return min(opening.band, project.bands - 1) if opening else 0


def needed_for(project: Project, band: int) -> int:
    """Ground truths in all at which ``band`` is due."""
    return -(-band * project.boundary_after // project.bands)


def standing(project: Project) -> Standing:
    """Count only what came since the last opening, so that the cost does not grow with what is settled."""
    opening = BandOpening.objects.filter(project=project).order_by("-id").first()
    truths = GroundTruth.objects.current().filter(project=project, kind="class").exclude(origin=Origin.GOLD)
    disputes = Dispute.objects.filter(
        project=project, cause__in=[DisputeCause.DISAGREEMENT, DisputeCause.HOLD]
    )
    before, band = 0, 0
    if opening is not None:
        band = min(opening.band, project.bands - 1)
        before = int(opening.figures.get("ground_truths", 0))
        truths = truths.filter(pk__gt=int(opening.figures.get("last_truth", 0)))
        disputes = disputes.filter(created_at__gte=opening.created_at)
    settled = truths.count()
    return Standing(
        band=band,
        settled=settled,
        needed=max(needed_for(project, band + 1) - before, 0) if band + 1 < project.bands else 0,
        ground_truths=before + settled,
        agreed=truths.filter(origin=Origin.AGREEMENT).count(),
        disputed=disputes.filter(~Q(ruling__outcome="withdrawn")).count(),
    )


def agreement_allows(project: Project, at: Standing | None = None) -> bool:
    agreement = (at or standing(project)).agreement
    return agreement is None or agreement >= project.band_agreement


def move_inward(project: Project) -> None:
    """Open the next band if it is due and people agree in this one."""
    if current_band(project) + 1 >= project.bands:
        return
    at = standing(project)
    if at.settled >= at.needed and agreement_allows(project, at):
        open_band(project, at.band + 1, BandOpening.Cause.PACE, at=at)


def open_band(
    project: Project,
    band: int,
    cause: str,
    *,
    by: User | None = None,
    reason: str = "",
    at: Standing | None = None,
) -> int:
    """Append the opening (once, whoever comes first) and tell the admins; return the band now current."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hilltop.pace'), %s)", [project.pk])
    if current_band(project) >= band:
        return current_band(project)
    at = at or standing(project)
    last = GroundTruth.objects.filter(project=project).order_by("-pk").values_list("pk", flat=True).first()
    figures = {
        "ground_truths": at.ground_truths,
        "settled": at.settled,
        "agreement": at.agreement,
        "last_truth": last or 0,
    }
    BandOpening.objects.create(project=project, band=band, cause=cause, by=by, reason=reason, figures=figures)
    log_activity(project=project, kind="band_opened", actor=by, band=band, cause=cause, reason=reason)
    return band
