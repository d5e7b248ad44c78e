"""How fast the queue moves inward: by ground truths and by agreement in the current band; and when it comes back.

With ``bands`` bands and ``boundary_after`` = B, band k is due when k / bands of B ground truths exist: each
band gets the same share of B, the last share already at the boundary. It opens only if, since the last
opening, enough of the photos that people finished were settled by blind agreement (``band_agreement``), and, where the
project asks for it, if Krippendorff's alpha of their answers is high enough (``band_alpha``; an undefined one holds up
nothing): where people do not agree yet, going inward would only bring harder photos. Three bands and B = 60 are the
measured defaults (docs/log.md, 2026-11-24).

Bands are slices of a model's order, so they begin with the first one: before it nothing moves, and its order opens the
outermost band, whose ground truths are those that it puts there.

A band that has settled opens again when another champion or another guideline takes away what it held: fewer ground truths
in it or further out than it needs (docs/decisions/0013-when-a-band-opens-again.md). Then only what is missing is asked,
and the queue goes on from where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import prefetch_related_objects

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.database.read_once import read_once
from labeling.people.models import User
from labeling.queue.models import BandOpening, Ranking
from labeling.queue.places import ASKED_FIRST
from labeling.queue.placing import TruthsByBand, current_ranking, truths_by_band
from labeling.truth.alpha import alpha_since
from labeling.truth.models import GroundTruth, Origin
from labeling.truth.tallies import finished

#: Another champion moves settled photos about: on ELPV the outer band kept 15 to 36 of the 20 that it needs at every
#: training. Only one that lost half of them has really lost its ground.
STILL_HOLDS = 0.5


@dataclass(frozen=True)
class BandProgress:
    """Where the current band stands. ``agreement`` is ``None`` before the first finished photo.

    ``opening`` is the id of the row that opened it, ``since`` its time; ``back_to`` is the band from which the queue was
    called back to this one, if it was.
    """

    band: int
    settled: int
    needed: int
    ground_truths: int
    agreed: int
    disputed: int
    opening: int | None = None
    since: datetime | None = None
    back_to: int | None = None

    @property
    def agreement(self) -> float | None:
        finished = self.agreed + self.disputed
        return self.agreed / finished if finished else None

    @property
    def reached(self) -> int:
        """The innermost band that the queue has been at."""
        return max(self.band, self.back_to or 0)


def current_band(project: Project) -> int:
    return _band(project, _opening(project))


def reached(project: Project) -> int:
    """The innermost band that the queue has been at."""
    opening = _opening(project)
    return max(_band(project, opening), _back_to(project, opening) or 0)


@read_once
def _openings(project: Project) -> list[BandOpening]:
    """All of them, oldest first: a few for each champion and guideline. As text, as every claim asks."""
    every = "SELECT * FROM queue_bandopening WHERE project_id = %s ORDER BY id"
    return list(BandOpening.objects.raw(every, [project.pk]))


def _opening(project: Project) -> BandOpening | None:
    return next(reversed(_openings(project)), None)


def _band(project: Project, opening: BandOpening | None) -> int:
    return min(opening.band, project.bands - 1) if opening else 0


def _before(opening: BandOpening | None) -> tuple[int, int]:
    """Ground truths before the opening, and the id after which those since begin."""
    figures = opening.figures if opening else {}
    return int(figures.get("ground_truths", 0)), int(figures.get("last_truth", 0))


def needed_for(project: Project, band: int) -> int:
    """Ground truths in all at which ``band`` is due."""
    return -(-band * project.boundary_after // project.bands)


def number_of(project: Project, band: int) -> int:
    """Ground truths that are ``band``'s own share of the way inward."""
    return needed_for(project, band + 1) - needed_for(project, band)


def _needed(project: Project, band: int, opening: BandOpening | None, before: int) -> int:
    """Ground truths since the opening that the band needs. 0 at the boundary, unless it was called back there."""
    if opening is not None and "missing" in opening.figures:
        return int(opening.figures["missing"])
    return max(needed_for(project, band + 1) - before, 0) if band + 1 < project.bands else 0


def has_bands(project: Project) -> bool:
    """Whether a model's order is there, which alone has extremes and a boundary."""
    return _bands_in_order(project) > 1


def _bands_in_order(project: Project) -> int:
    """1 before the first model, and by a strategy whose order is not paced."""
    ranking = current_ranking(project)
    return min(project.bands, (ranking and ranking.bands) or 1)


def band_progress(project: Project) -> BandProgress:
    """What came since the last opening, by counts that are kept."""
    opening = _opening(project)
    band = _band(project, opening)
    before, last = _before(opening)
    since = opening.created_at if opening else None
    newer, disputed = finished(project, last, since)
    settled = newer.total()
    return BandProgress(
        band=band,
        settled=settled,
        needed=_needed(project, band, opening, before),
        ground_truths=before + settled,
        # Photos of a ring whose first answer differed are all among those that two people finished: without the others their
        # share would be of what is hard.
        agreed=newer[Origin.AGREEMENT] + newer[Origin.ASSISTED],
        disputed=disputed,
        opening=opening.pk if opening else None,
        since=since,
        back_to=_back_to(project, opening),
    )


def _back_to(project: Project, opening: BandOpening | None) -> int | None:
    if opening is None or "back_to" not in opening.figures:
        return None
    return min(int(opening.figures["back_to"]), project.bands - 1)


def agreement_allows(project: Project, at: BandProgress | None = None) -> bool:
    agreement = (at or band_progress(project)).agreement
    return agreement is None or agreement >= project.band_agreement


def alpha_allows(project: Project, at: BandProgress | None = None) -> bool:
    """Whether the band's blind answers reach the alpha that the project asks for; an undefined alpha does."""
    if project.band_alpha <= 0:
        return True
    alpha = alpha_since(project, (at or band_progress(project)).since).alpha
    return alpha is None or alpha >= project.band_alpha


def gates_allow(project: Project, at: BandProgress | None = None) -> bool:
    at = at or band_progress(project)
    return agreement_allows(project, at) and alpha_allows(project, at)


def move_inward(project: Project) -> None:
    """Open the next band if it is due and people agree in this one. While it is not, as many rows are read as it needs."""
    opening = _opening(project)
    band = _band(project, opening)
    if band + 1 >= project.bands:
        return
    before, last = _before(opening)
    newer = GroundTruth.objects.current().filter(project=project, kind="class", pk__gt=last)
    needed = _needed(project, band, opening, before)
    if newer.exclude(origin=Origin.GOLD)[:needed].count() < needed or band + 1 >= _bands_in_order(project):
        return
    at = band_progress(project)
    if at.settled >= at.needed and gates_allow(project, at):
        go_on(project, BandOpening.Cause.PACE, at=at)


def opened_again_by_guideline(project: Project) -> BandOpening | None:
    """The opening that the queue stands at, where a changed guideline called it back."""
    opening = _opening(project)
    again = (
        opening is not None and opening.cause == BandOpening.Cause.GUIDELINE and "missing" in opening.figures
    )
    return opening if again else None


# -- opening ---------------------------------------------------------------------------------------------------


def go_on(
    project: Project, cause: str, *, by: User | None = None, reason: str = "", at: BandProgress | None = None
) -> int:
    """Leave the current band for the one that follows; return the band now current.

    From a band that was open again the queue goes on to the next one that lacks something, else to where it had been.
    """
    at = at or band_progress(project)
    if at.back_to is None or at.back_to <= at.band:
        return open_band(project, at.band + 1, cause, by=by, reason=reason, at=at)
    was = BandOpening.objects.filter(pk=at.opening or 0).values_list("cause", flat=True).first()
    more = [each for each in lacking_bands(project, was or "", reached=at.back_to) if each.band > at.band]
    if more:
        figures = {"missing": more[0].missing, "back_to": at.back_to}
        return open_band(project, more[0].band, was or cause, by=by, reason=reason, at=at, figures=figures)
    return open_band(project, at.back_to, cause, by=by, reason=reason, at=at)


def open_band(
    project: Project,
    band: int,
    cause: str,
    *,
    by: User | None = None,
    reason: str = "",
    at: BandProgress | None = None,
    figures: Mapping[str, Any] | None = None,
) -> int:
    """Append the opening (once, whoever comes first) and tell the admins; return the band now current.

    ``at`` is what the decision rests on: if another opening came since, that one stands.
    """
    locks.hold(Lock.PACE, project.pk)
    newest = _opening(project)
    now = _band(project, newest)
    if at is None:
        at = band_progress(project)
    if at.opening != (newest.pk if newest else None):
        return now
    if band <= now and figures is None:
        return now
    last = GroundTruth.objects.filter(project=project).order_by("-pk").values_list("pk", flat=True).first()
    said: dict[str, Any] = {
        "ground_truths": at.ground_truths,
        "settled": at.settled,
        "agreement": at.agreement,
        "alpha": alpha_since(project, at.since).alpha,
        "last_truth": last or 0,
        **(figures or {}),
    }
    BandOpening.objects.create(project=project, band=band, cause=cause, by=by, reason=reason, figures=said)
    _take_along(project, now, band)
    told = {"again": True, "missing": said["missing"]} if "missing" in said else {}
    if "first" in said:
        told = {"first": True}
    elif band == now:
        told = {"anew": True, "ground_truths": said["ground_truths"]}
    log_activity(project=project, kind="band_opened", actor=by, band=band, cause=cause, reason=reason, **told)
    return band


def _take_along(project: Project, old: int, new: int) -> None:
    """What was to come before all others still does. Photos that a claim is taking at this moment stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queue_entry e SET band = LEAST(%s, r.bands - 1) FROM queue_ranking r
            WHERE r.project_id = %s AND r.current AND e.ranking_id = r.id AND e.item_id IN (
                SELECT f.item_id FROM queue_entry f
                WHERE f.ranking_id = r.id AND f.band = LEAST(%s, r.bands - 1) AND f.position <= %s AND f.taken = 0
                FOR UPDATE SKIP LOCKED)
            """,
            [new, project.pk, old, ASKED_FIRST],
        )


# -- opening again ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lack:
    """A band that no longer holds what it needs, and how many ground truths it is short of."""

    band: int
    missing: int


def lacking_bands(
    project: Project, cause: str, *, reached: int, now: TruthsByBand | None = None
) -> list[Lack]:
    """Bands outside ``reached`` that would open again because of ``cause`` (model or guideline), outermost first."""
    now = now or truths_by_band(project)
    found = []
    settled = _settled_by_pace(project) if cause == BandOpening.Cause.MODEL else set(range(reached))
    for band in range(reached):
        wanted = needed_for(project, band + 1)
        has = now.outward(band)
        if cause == BandOpening.Cause.MODEL:
            missing = wanted - has if band in settled and has < STILL_HOLDS * wanted else 0
        elif cause == BandOpening.Cause.GUIDELINE and now.lost(band):
            share = -(-wanted // max(len(now.ladders), 1))
            missing = max(wanted - has, now.missing_of_ladders(band, share))
        else:
            missing = 0
        if missing > 0:
            found.append(Lack(band, missing))
    return found


def _settled_by_pace(project: Project) -> set[int]:
    """Bands that the queue last left because they had settled; what an admin passed over is not called back."""
    return {band for band, each in departures(project).items() if each.settled}


@dataclass(frozen=True)
class Departure:
    """How the queue last went on from a band: because it had settled, or by another cause (``opening`` says which)."""

    opening: BandOpening
    settled: bool


def departures(project: Project) -> dict[int, Departure]:
    """Band -> how the queue last went on from it; bands that it never left are missing."""
    found: dict[int, Departure] = {}
    before: BandOpening | None = None
    openings = _openings(project)
    prefetch_related_objects(openings, "by")
    for opening in openings:
        band = before.band if before else 0
        # From a band that was open again the queue goes back: what lies between was left earlier, and otherwise.
        again = before is not None and "missing" in before.figures
        left = range(band, min(opening.band, band + 1) if again else opening.band)
        settled = opening.cause not in (BandOpening.Cause.ADMIN, BandOpening.Cause.EXHAUSTED)
        found |= dict.fromkeys(left, Departure(opening, settled))
        before = opening
    return found


def look_again(project: Project, cause: str) -> int | None:
    """After another champion's order, or another guideline: open the outermost band again that lacks something.

    Returns the band, or ``None`` where the queue stays. A changed guideline may also take from the current band what it
    had: then it counts anew, from what still means the same. The first model's order begins the bands, at the outermost.
    """
    if not has_bands(project):
        return None
    at = band_progress(project)
    now = truths_by_band(project)
    if cause == BandOpening.Cause.MODEL and _is_first_order(project):
        return _begin(project, at, now)
    more = lacking_bands(project, cause, reached=at.reached, now=now)
    if more and more[0].band < at.band:
        figures = {"missing": more[0].missing, "back_to": at.reached, "ground_truths": _still(at, now, cause)}
        return open_band(project, more[0].band, cause, at=at, figures=figures)
    due = needed_for(project, at.band + 1) if at.band + 1 < project.bands else 0
    if (
        cause == BandOpening.Cause.GUIDELINE
        and now.total < min(due, at.ground_truths)
        and at.back_to is None
        and now.lost(project.bands)
    ):
        return open_band(project, at.band, cause, at=at, figures={"ground_truths": now.total})
    return None


def _begin(project: Project, at: BandProgress, now: TruthsByBand) -> int | None:
    """What people settled before is counted where the model puts it; the outermost band wants one of its own at least."""
    if at.ground_truths == 0 or project.bands == 1:
        return None
    there = min(now.outward(0), at.ground_truths)
    missing = max(needed_for(project, 1) - there, 1)
    figures = {"first": True, "missing": missing, "ground_truths": there}
    return open_band(project, 0, BandOpening.Cause.MODEL, at=at, figures=figures)


def _is_first_order(project: Project) -> bool:
    by_models = Ranking.objects.filter(project=project, model_version__isnull=False)
    return by_models.filter(current=True).exists() and not by_models.filter(current=False).exists()


def ranked_by_another_model(project: Project) -> bool:
    """Whether the current order is by another model version than the one before it."""
    current = current_ranking(project)
    if current is None or current.model_version_id is None:
        return False
    earlier = Ranking.objects.filter(project=project, number__lt=current.number).order_by("-number")
    return earlier.values_list("model_version", flat=True).first() != current.model_version_id


def _still(at: BandProgress, now: TruthsByBand, cause: str) -> int:
    """Ground truths that the pace counts from here on: what another guideline made void is not among them."""
    return min(at.ground_truths, now.total) if cause == BandOpening.Cause.GUIDELINE else at.ground_truths
