"""Ask people for random photos: of the whole pool, or for what a class's next threshold lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.services import log_activity
from labeling.frontier.models import (
    BandDraw,
    CertificationRun,
    DrawnPhoto,
)
from labeling.frontier.requests import certify_when_wanted
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.sides import LEARNED_A_TWIN
from labeling.people.models import User
from labeling.planner import without_nested_loops
from labeling.queue import priority
from labeling.refusals import Refused

MOST_DRAWN = 5000


#: Of photos between the frontier and the next threshold, against those outside: `docs/log.md`.
INNER_CHANCE = 2.0


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


# Photos of the class inside the region that were not drawn yet, have no part in the version, and are no gold questions.
_COULD_BE_DRAWN = f"""
SELECT s.item_id, cardinality(%(thresholds)s::float8[]) - width_bucket(s.confidence, %(rising)s::float8[]) AS band
FROM learning_score s JOIN catalog_item i ON i.id = s.item_id
WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND s.predicted_id = %(class)s
  AND s.confidence >= %(floor)s AND i.audit_drawn_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id AND t.id = ANY(%(snapshot)s::bigint[]))
  AND NOT {LEARNED_A_TWIN}
"""


# The smallest of exponential clocks that run at the photos' chances: the first is each with a probability in proportion
# to its chance, the second so among the others, and so on (Efraimidis & Spirakis 2006, "Weighted random sampling with a
# reservoir").
_DRAW_FOR_BAND = f"""
SELECT item_id, band FROM ({_COULD_BE_DRAWN}) could
ORDER BY -ln(1.0 - random()) / (%(chances)s::float8[])[band + 1] LIMIT %(count)s
"""


@transaction.atomic
def draw_for_band(*, project: Project, by: User, class_key: str, count: int | None = None) -> int:
    """Ask people for the random labels that a class's next threshold lacks; return how many photos were drawn.

    They come from the region up to that threshold, those beyond the frontier with ``INNER_CHANCE`` times the chance of
    the others, and each is written down with its chance. They count for this threshold and those outside of it. ``count``:
    by default what the newest look said it lacks, at the present rate of errors.

    Raises :class:`Refused` ``invalid``, ``unknown_class`` (422), ``no_look``, ``nothing_lacks`` or ``all_drawn`` (409).
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    model, run = _newest_look(project)
    label_class, walk = _walk_of(project, run, class_key)
    target = next_threshold(walk)
    if target is None:
        raise Refused("nothing_lacks", _("No threshold of this class lacks labels."))
    wanted = _how_many(walk, count)
    region = _region_of(walk, target)
    there, drawn = _draw(project, model, label_class, region, wanted)
    if not drawn:
        raise Refused("all_drawn", _("Every photo of this region has been drawn. Take more photos in."))
    _write_down(project, by, run, label_class, region, there, drawn)
    priority.ask_first(project=project, item_ids=[item for item, _band in drawn])
    log_activity(
        project=project, kind="band_drawn", actor=by, photos=len(drawn), **{"class": label_class.key}
    )
    certify_when_wanted(project=project)
    return len(drawn)


def _newest_look(project: Project) -> tuple[ModelVersion, CertificationRun]:
    model = champion(project)
    run = CertificationRun.objects.filter(project=project).select_related("plan").first()
    if model is None or run is None or run.plan.model_version_id != model.pk:
        raise Refused("no_look", _("Certify first: the look says which labels are lacking."))
    return model, run


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


@dataclass(frozen=True)
class _Region:
    """What is drawn from, up to the threshold ``floor``; ``thresholds`` and ``chances`` are of the class's bands, from the
    outermost inward, 0 beyond the floor.
    """

    thresholds: list[float]
    chances: list[float]
    floor: float


def _region_of(walk: Mapping[str, Any], target: int) -> _Region:
    thresholds = [float(each["threshold"]) for each in walk["steps"]]
    known = len(thresholds) if walk["certified"] is None else walk["certified"] + 1
    chances = [
        (1.0 if band < known else INNER_CHANCE) if band <= target else 0.0 for band in range(len(thresholds))
    ]
    return _Region(thresholds, chances, thresholds[target])


def _draw(
    project: Project, model: ModelVersion, label_class: LabelClass, region: _Region, count: int
) -> tuple[list[int], list[tuple[int, int]]]:
    """Photos a band that could be drawn, and (item id, band) of those that are, in the order of the draw."""
    given: dict[str, Any] = {
        "thresholds": region.thresholds,
        "rising": region.thresholds[::-1],
        "model": model.pk,
        "project": project.pk,
        "class": label_class.pk,
        "floor": region.floor,
        "snapshot": model.snapshot.ground_truth_ids,
        "chances": region.chances,
        "count": count,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(f"SELECT band, count(*) FROM ({_COULD_BE_DRAWN}) could GROUP BY band", given)
        there = dict(cursor.fetchall())
        cursor.execute(_DRAW_FOR_BAND, given)
        drawn = cursor.fetchall()
    return [int(there.get(band, 0)) for band in range(len(region.thresholds))], drawn


def _write_down(
    project: Project,
    by: User,
    run: CertificationRun,
    label_class: LabelClass,
    region: _Region,
    there: list[int],
    drawn: list[tuple[int, int]],
) -> None:
    """Keep the draw, and the chance at which each photo was drawn."""
    mass = [n * chance for n, chance in zip(there, region.chances, strict=True)]
    draw = BandDraw.objects.create(
        project=project,
        plan=run.plan,
        label_class=label_class,
        threshold=region.floor,
        photos=there,
        chances=region.chances,
        drawing=[each / sum(mass) for each in mass],
        by=by,
    )
    DrawnPhoto.objects.bulk_create(
        DrawnPhoto(draw=draw, item_id=item, place=place, chance=region.chances[band] / sum(mass))
        for place, (item, band) in enumerate(drawn)
    )
