"""By what the points of the map are coloured. What may not be told of a photo gives it no colour (``told``)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes, class_resolution, sources
from labeling.frontier.told import IS_TOLD, STATUS, TOLD, Status
from labeling.learning.selectors import champion
from labeling.queue.models import Placement
from labeling.truth.templatetags.shares import decimals

#: Colours that can be told apart (Okabe-Ito without its grey); what comes after them shares the last one.
COLOURS = 7
#: Of a photo that has none.
NONE = 255
STEPS = 5


class By(TextChoices):
    CLASS = "class", gettext_lazy("Class")
    ANSWER = "status", gettext_lazy("Status")
    SCORE = "score", gettext_lazy("Margin of the score")
    BAND = "band", gettext_lazy("Band")
    SOURCE = "source", gettext_lazy("Source")
    TIME = "time", gettext_lazy("Time of intake")


@dataclass(frozen=True)
class Colouring:
    """``columns`` and ``joined``: SQL over ``catalog_item i``, with the parameters of ``telling`` and ``given``. ``value``:
    a row of the columns -> number of its name in ``legend``, or :data:`NONE`, which the legend calls ``rest``."""

    legend: list[str]
    rest: str
    columns: str
    joined: str
    value: Callable[..., int]
    given: dict[str, Any]


_CHAMPION = """
LEFT JOIN LATERAL (
    SELECT predicted_id, confidence FROM learning_score
    WHERE model_version_id = %(model)s AND item_id = i.id LIMIT 1) s ON true"""


def colouring(project: Project, by: By) -> Colouring:
    return _MADE[by](project)


def _by_class(project: Project) -> Colouring:
    classes = [row.label_class_id for row in active_classes(project)]
    today = {old: classes.index(new) for old, new in class_resolution(project).items() if new in classes}
    return Colouring(
        _within([row.name for row in active_classes(project)]),
        _("Not told, or none"),
        "CASE WHEN told.settled THEN t.label_class_id ELSE told.decided END",
        TOLD,
        lambda label_class: _capped(today.get(label_class, NONE)),
        {},
    )


def _by_status(project: Project) -> Colouring:
    values = list(Status.values)
    return Colouring(list(map(str, Status.labels)), "", STATUS, TOLD, values.index, {})


def _by_score(project: Project) -> Colouring:
    edges = [step / STEPS for step in range(1, STEPS)]
    names = [f"{decimals(low)}–{decimals(low + 1 / STEPS)}" for low in [0.0, *edges]]
    return _of_scores(project, names, lambda _predicted, margin: bisect_right(edges, margin))


def _by_band(project: Project) -> Colouring:
    """Bands as the order in force has them: what people settled has left it, and is put where it would be."""
    placed = Placement.objects.filter(ranking__project=project, ranking__current=True)
    lows = dict(placed.values_list("predicted", "lows"))

    def band(predicted: int, margin: float) -> int:
        return next((number for number, low in enumerate(lows.get(predicted, [])) if margin >= low), NONE)

    most = max(map(len, lows.values()), default=0)
    names = [_("Band %(n)d") % {"n": number + 1} for number in range(most)]
    return _of_scores(project, names, lambda predicted, margin: _capped(band(predicted, margin)))


def _of_scores(project: Project, names: list[str], value: Callable[[int, float], int]) -> Colouring:
    version = champion(project)
    told = f"CASE WHEN {IS_TOLD} THEN"
    return Colouring(
        _within(names),
        _("Not told, or no score"),
        f"{told} s.predicted_id END, {told} s.confidence END",
        TOLD + _CHAMPION,
        lambda predicted, margin: NONE if margin is None else value(predicted, margin),
        {"model": version.pk if version else None},
    )


def _by_source(project: Project) -> Colouring:
    number = {name: place for place, name in enumerate(sources(project))}
    return Colouring(
        _within(list(number)), _("Another source"), "i.source", "", lambda s: _capped(number.get(s, NONE)), {}
    )


def _by_time(project: Project) -> Colouring:
    items = Item.objects.filter(project=project).order_by("pk").values_list("added_at", flat=True)
    first = items.first() or timezone.now()
    last = max(first, items.last() or first)
    step = (last - first) / STEPS

    def since(moment: datetime) -> int:
        return min(STEPS - 1, max(0, int((moment - first) / step))) if step else 0

    begins = [timezone.localtime(first + step * number) for number in range(STEPS if step else 1)]
    names = [_("from %(moment)s") % {"moment": date_format(each, "DATETIME_FORMAT")} for each in begins]
    return Colouring(names, "", "i.added_at", "", since, {})


def _within(names: list[str]) -> list[str]:
    """The names that have a colour of their own, and one for all others."""
    return names if len(names) <= COLOURS else [*names[: COLOURS - 1], _("Others")]


def _capped(number: int) -> int:
    return number if number == NONE else min(number, COLOURS - 1)


_MADE: dict[By, Callable[[Project], Colouring]] = {
    By.CLASS: _by_class,
    By.ANSWER: _by_status,
    By.SCORE: _by_score,
    By.BAND: _by_band,
    By.SOURCE: _by_source,
    By.TIME: _by_time,
}
