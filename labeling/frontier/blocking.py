"""What keeps a class from being certified further inward: one true sentence, and how many labels to ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.frontier.drawing import MOST_DRAWN
from labeling.frontier.models import CertificationPlan, DrawnPhoto
from labeling.truth.models import GroundTruth


@dataclass(frozen=True)
class Blocked:
    """``ask``: random labels of the region to ask people for; ``None`` where asking for more does not help now."""

    says: str
    ask: int | None = None


def blocked(step: Mapping[str, Any], *, asked: int) -> Blocked:
    """Of the next threshold inward, as a look wrote it down. ``asked``: photos that were asked for since and wait."""
    errors, n, photos = step["errors"], step["n"], step.get("photos")
    least, likely = step["more_without_errors"], step["more_at_present_rate"]
    if least is None and errors:
        return Blocked(
            _(
                "The next step inward is wrong too often to pass: %(errors)d of %(n)d random labels. A better model or "
                "a lower target may."
            )
            % {"errors": errors, "n": n}
        )
    if least is None:
        left = "" if photos is None else f" ({photos})"
        return Blocked(
            _(
                "The region of the next step has too few photos%(left)s to prove the target, even if none is wrong. Add "
                "photos, or lower the target."
            )
            % {"left": left}
        )
    if asked >= least:
        return Blocked(
            ngettext(
                "%(n)d random label of the next step's region is asked for and waits for people.",
                "%(n)d random labels of the next step's region are asked for and wait for people.",
                asked,
            )
            % {"n": asked}
        )
    if errors and likely is None:
        return Blocked(
            _(
                "At the error rate so far (%(errors)d of %(n)d random labels) no number of labels proves the next step "
                "inward: a better model or a lower target may."
            )
            % {"errors": errors, "n": n}
        )
    needed = ngettext(
        "The next step inward needs %(n)d more random label of its region, if none is wrong",
        "The next step inward needs %(n)d more random labels of its region, if none is wrong",
        least,
    ) % {"n": least}
    # Without an error, nobody knows a rate yet.
    if errors and likely is not None and likely > least:
        told, wanted = needed + "; " + _("about %(n)d at the present rate.") % {"n": likely}, likely
    else:
        told, wanted = needed + ".", least
    return Blocked(told, min(wanted - asked, MOST_DRAWN))


def asked_for(plan: CertificationPlan) -> dict[int, int]:
    """Class id -> photos that were drawn for its region under this plan, and that people have not settled."""
    settled = GroundTruth.objects.current().filter(item=OuterRef("item"))
    waiting = DrawnPhoto.objects.filter(draw__plan=plan).exclude(Exists(settled)).order_by()
    counts = waiting.values_list("draw__label_class").annotate(n=Count("pk"))
    return dict(counts)
