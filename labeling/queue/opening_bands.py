"""Bands that an admin overrides, and bands that open again because they lost what they held."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue import pace, placing
from labeling.queue.models import BandOpening
from labeling.refusals import Refused
from labeling.text.notes import kept_whole


@transaction.atomic
def open_next_band(*, project: Project, by: User, reason: str) -> int:
    """Move the queue on from its band, as an admin overrides the pace (the reason is kept); return the band now current.

    Raises :class:`Refused` ``invalid`` (422) without a reason, ``no_bands`` (409) before a model's order, ``at_boundary``
    (409) at the innermost band.
    """
    words = _said(reason, _("Say why this band should open before it has settled."))
    if not pace.has_bands(project):
        raise Refused("no_bands", _("There are no bands yet: they begin with the first model's order."))
    if pace.current_band(project) + 1 >= project.bands:
        raise Refused("at_boundary", _("The boundary band is open already; there is no band further in."))
    return pace.go_on(project, BandOpening.Cause.ADMIN, by=by, reason=words)


@transaction.atomic
def reopen_band(*, project: Project, band: int, by: User, reason: str) -> int:
    """Call the queue back to ``band`` (0 is the outermost), as an admin overrides the pace; return how much it asks for.

    It asks for as many ground truths as the band lacks, but at least for its own share of the pace; then the queue goes on
    from where it was.

    Raises :class:`Refused` ``invalid`` (422) without a reason or for no such band, ``not_passed`` (409) for a band that the
    queue has not passed.
    """
    words = _said(reason, _("Say why this band should be open again."))
    if not 0 <= band < project.bands:
        raise Refused.invalid("band", _("There is no such band."), short=_("out of range"))
    at = pace.band_progress(project)
    if band >= at.band:
        raise Refused(
            "not_passed", _("The queue has not gone on from this band, so it cannot be called back to it.")
        )
    lack = pace.needed_for(project, band + 1) - placing.truths_by_band(project).outward(band)
    missing = max(lack, pace.number_of(project, band), 1)
    pace.open_band(
        project,
        band,
        BandOpening.Cause.ADMIN,
        by=by,
        reason=words,
        at=at,
        figures={"missing": missing, "back_to": at.reached},
    )
    return missing


def _said(reason: str, message: str) -> str:
    if not reason.strip():
        raise Refused.invalid("reason", message, short=_("missing"))
    return kept_whole(reason, field="reason")


@transaction.atomic
def look_at_bands_again(*, project: Project, cause: str) -> None:
    """Another champion's order or another guideline: a band that lost what it held opens again."""
    pace.look_again(project, cause)
