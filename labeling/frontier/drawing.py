"""Ask people for random photos: of the whole pool, or for what a class's next threshold lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.services import log_activity
from labeling.database.planner import without_nested_loops
from labeling.frontier.cohort import OF_COHORT
from labeling.frontier.models import BandDraw, CertificationPlan, CertificationRun, DrawnPhoto, PromiseKind
from labeling.frontier.requests import certify_when_wanted
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.queue import priority
from labeling.refusals import Refused
from labeling.truth import services as truth

MOST_DRAWN = 5000


@transaction.atomic
def draw_random(*, project: Project, by: User, count: int) -> int:
    """Ask people for so many photos drawn at random from the pool; return how many there were to draw.

    Raises :class:`Refused` ``invalid`` (422) for a count outside 1 to ``MOST_DRAWN``, ``all_drawn`` (409).
    """
    _refuse_out_of_range(count)
    drawn = priority.draw_for_audit(project=project, count=count)
    if not drawn:
        raise Refused("all_drawn", _("Every photo of the pool has been drawn. Take more photos in."))
    log_activity(project=project, kind="random_drawn", actor=by, photos=drawn)
    certify_when_wanted(project=project)
    return drawn


def next_threshold(walk: Mapping[str, Any]) -> int | None:
    """Place of the threshold that a walk, as a look wrote it down, has to pass next; None where none is left."""
    target = walk["start"] if walk["certified"] is None else walk["certified"] + 1
    return target if target is not None and target < len(walk["steps"]) else None


def labels_lacking(walk: Mapping[str, Any]) -> int | None:
    """Labels that the next threshold lacks at the present rate of errors, or without any; None where no number would do."""
    target = next_threshold(walk)
    if target is None:
        return None
    step = walk["steps"][target]
    more: int | None = step["more_at_present_rate"] or step["more_without_errors"]
    return more


# Of the plan's cohort, in the region, and not drawn yet. What people have settled since is drawn like any other photo.
_DRAW = f"""
SELECT c.item_id, count(*) OVER () AS photos {OF_COHORT}
WHERE s.predicted_id = %(class)s AND s.confidence >= %(floor)s AND i.audit_drawn_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
ORDER BY random() LIMIT %(count)s
"""


@transaction.atomic
def draw_for_band(*, project: Project, by: User, class_key: str, count: int | None = None) -> int:
    """Ask people for the random labels that a class's next threshold lacks; return how many photos were drawn.

    They are drawn evenly from the region up to that threshold, of the cohort of the newest look's plan, and count for this
    threshold and those outside of it. ``count``: by default what the look said it lacks, at the present rate of errors.

    Raises :class:`Refused` ``invalid``, ``unknown_class`` (422), ``no_look``, ``nothing_lacks``, ``whole_pool`` or
    ``all_drawn`` (409).
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    run = _newest_look(project)
    if run.plan.promise != PromiseKind.ALONE:
        message = _(
            "With a second reader or a delivered set no threshold is passed by itself, so no region lacks labels. Draw from "
            "the whole pool."
        )
        raise Refused("whole_pool", message)
    label_class, walk = _walk_of(project, run, class_key)
    target = next_threshold(walk)
    if target is None:
        raise Refused("nothing_lacks", _("No threshold of this class lacks labels."))
    wanted = _how_many(walk, count)
    floor = float(walk["steps"][target]["threshold"])
    there, drawn = _draw(run.plan, label_class, floor, wanted)
    if not drawn:
        raise Refused("all_drawn", _("Every photo of this region has been drawn. Take more photos in."))
    draw = BandDraw.objects.create(
        project=project, plan=run.plan, label_class=label_class, threshold=floor, photos=there, by=by
    )
    DrawnPhoto.objects.bulk_create(
        DrawnPhoto(draw=draw, item_id=item, place=place) for place, item in enumerate(drawn)
    )
    truth.withdraw_assisted(project=project, item_ids=drawn)  # one answer is no word that could count
    priority.ask_as_drawn(project=project, item_ids=drawn)
    priority.ask_first(project=project, item_ids=drawn)
    log_activity(
        project=project, kind="band_drawn", actor=by, photos=len(drawn), **{"class": label_class.key}
    )
    certify_when_wanted(project=project)
    return len(drawn)


def _newest_look(project: Project) -> CertificationRun:
    model = champion(project)
    run = CertificationRun.objects.filter(project=project).select_related("plan").first()
    if model is None or run is None or run.plan.model_version_id != model.pk:
        raise Refused("no_look", _("Certify first: the look says which labels are lacking."))
    return run


def _walk_of(project: Project, run: CertificationRun, class_key: str) -> tuple[LabelClass, Mapping[str, Any]]:
    label_class = project.label_classes.filter(key=class_key).first()
    walk = run.walks.get(str(label_class.pk)) if label_class is not None else None
    if label_class is None or walk is None:
        raise Refused.invalid(
            "class",
            _("There is no class “%(key)s” that this version predicts.") % {"key": class_key},
            short=_("unknown"),
            code="unknown_class",
        )
    return label_class, walk


def _how_many(walk: Mapping[str, Any], count: int | None) -> int:
    """``count``, or what the walk's next threshold lacks."""
    wanted = labels_lacking(walk) if count is None else count
    if wanted is None:
        raise Refused(
            "nothing_lacks",
            _("At the errors seen so far no number of labels would prove this threshold."),
        )
    _refuse_out_of_range(wanted)
    return wanted


def _refuse_out_of_range(count: int) -> None:
    if not 1 <= count <= MOST_DRAWN:
        raise Refused.invalid(
            "count",
            _("Draw between 1 and %(most)d photos at once.") % {"most": MOST_DRAWN},
            short=_("out of range"),
        )


def _draw(
    plan: CertificationPlan, label_class: LabelClass, floor: float, count: int
) -> tuple[int, list[int]]:
    """How many photos could be drawn, and the ids of those that are, in the order of the draw."""
    given = {
        "plan": plan.pk,
        "model": plan.model_version_id,
        "class": label_class.pk,
        "floor": floor,
        "count": count,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_DRAW, given)
        rows = cursor.fetchall()
    return (rows[0][1] if rows else 0), [row[0] for row in rows]
