"""The frontier picture: where on each ladder people have settled, where they work, and what is still closed.

A *ladder* holds the photos that the champion predicts as one class, from the surest (band 0) to the boundary.
The queue says which photos wait and which band is open; the champion's scores say where settled photos belong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import ClassDefinition, Item, Project
from labeling.catalog.selectors import active_definitions, class_resolution, photo_urls
from labeling.learning import selectors as learning
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import Readiness, readiness
from labeling.queue.models import Entry, Ranking
from labeling.queue.selectors import current_ranking, progress
from labeling.truth import selectors as truth
from labeling.truth.estimates import Proportion
from labeling.truth.selectors import BandAgreement

#: Steps of the density ridge within one band.
STEPS = 8
#: The ridge reads every score of the champion, so it is not read again for each listener of the live stream.
RIDGE_KEPT_S = 30
RIDGE_HEIGHT = 100.0
#: Scores are kept as they were computed, band limits went through 32 bits: a photo at the very limit stays in.
_EPSILON = 1e-6
PHOTOS_PER_BAND = 6


class BandState(StrEnum):
    SETTLED = "settled"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Band:
    """One slice of a ladder. ``number`` 0 is the outermost; ``low`` to ``high`` is the margin of its photos.

    ``waiting``: photos in it that still want answers. ``settled``: photos that people settled and that the
    champion now puts here. ``agreement``: of photos shown from the band of this number, on either ladder.
    """

    key: str
    name: str
    number: int
    state: BandState
    waiting: int
    begun: int
    settled: int
    low: float
    high: float
    agreement: Proportion | None
    needs: str
    boundary: bool

    @property
    def total(self) -> int:
        return self.waiting + self.settled

    @property
    def done_percent(self) -> str:
        """Share settled, 0 to 100, written as SVG wants it in any language."""
        return f"{100 * self.settled / self.total:.1f}" if self.total else "0"


@dataclass(frozen=True)
class Ladder:
    """A class's ladder, outermost band first. ``ridge``: photos a step, from the outermost step inward."""

    key: str
    name: str
    position: int
    bands: list[Band]
    ridge: list[int]

    @property
    def photos(self) -> int:
        return sum(self.ridge)


@dataclass(frozen=True)
class Line:
    """What is drawn as one line: two ladders that meet at the boundary, or one alone that ends there."""

    left: Ladder
    right: Ladder | None
    bands: list[Band]
    path: str
    steps: int
    title: str


@dataclass(frozen=True)
class Picture:
    """``lines`` is empty before there is a champion and an order by it; then ``empty`` says why and what is next."""

    lines: list[Line]
    empty: str
    model: int | None
    current_band: int
    bands: int
    progress: dict[str, Any]
    agreement: dict[str, Any]
    ready: Readiness | None
    waiting_unranked: int = 0
    settled_unplaced: int = 0

    @property
    def open_band(self) -> Band | None:
        """The band that the picture explains until a person points at another one."""
        bands = [band for line in self.lines for band in line.bands]
        return next((b for b in bands if b.state is BandState.OPEN), bands[0] if bands else None)


def picture(project: Project) -> Picture:
    """The frontier as it stands. Reads the pool's counts and scores; the ridge may be half a minute old."""
    at = progress(project)
    agreed = truth.agreement(project)
    ranking = current_ranking(project)
    model = learning.champion(project)
    definitions = active_definitions(project)
    by_band: dict[int, BandAgreement] = {b.band: b for b in agreed["bands"] if b.band is not None}
    unranked = sum(row["waiting"] for row in at["ladders"] if row["ladder"] is None)

    if model is None or ranking is None or ranking.model_version_id != model.pk or not ranking.summary:
        ready = readiness(project) if model is None else None
        return Picture(
            lines=[],
            empty=_why_empty(at, ranking, model, ready),
            model=model.number if model else None,
            current_band=at["current_band"],
            bands=at["bands"],
            progress=at,
            agreement=agreed,
            ready=ready,
            waiting_unranked=unranked,
        )

    count = max(ranking.bands, 1)
    limits = _limits(ranking, definitions, count)
    members = _members(class_resolution(project), limits)
    settled, unplaced = _settled(project, model, limits, members)
    ridges = _ridges(model, limits, members)
    waiting = {(row["ladder"], row["band"]): row for row in at["ladders"]}
    ladders = [
        Ladder(
            key=definition.label_class.key,
            name=definition.name,
            position=position,
            bands=[
                _band(
                    definition,
                    number,
                    count,
                    at,
                    waiting.get((definition.label_class.key, number), {}),
                    settled.get((definition.label_class_id, number), 0),
                    limits[definition.label_class_id],
                    by_band.get(number),
                )
                for number in range(count)
            ],
            ridge=ridges.get(definition.label_class_id, [0] * (count * STEPS)),
        )
        for position, definition in enumerate(definitions)
        if definition.label_class_id in limits
    ]
    return Picture(
        lines=_lines(ladders),
        empty="",
        model=model.number,
        current_band=at["current_band"],
        bands=count,
        progress=at,
        agreement=agreed,
        ready=None,
        waiting_unranked=unranked,
        settled_unplaced=unplaced,
    )


def band_photos(project: Project, key: str, number: int) -> list[tuple[Item, str]]:
    """The next photos of a band that nobody has begun, with their thumbnails; for admins and reviewers."""
    entries = (
        Entry.objects.filter(
            ranking__project=project, ranking__current=True, band=number, taken=0, ladder__key=key
        )
        .select_related("item__image")
        .order_by("position")[:PHOTOS_PER_BAND]
    )
    return [(entry.item, photo_urls(entry.item.image)["thumb"]) for entry in entries]


# --- parts ------------------------------------------------------------------------------------------------------


def _why_empty(
    at: Mapping[str, Any], ranking: Ranking | None, model: ModelVersion | None, ready: Readiness | None
) -> str:
    if at["pool"] == 0:
        return _("No photos yet. Take some in, and the queue begins.")
    if model is not None:
        return _("The pool is being put in order by the new model. The picture appears by itself.")
    said = (
        _("No model yet: photos come in order of typicality, the most typical of each kind first.")
        if ranking is not None
        else _("The photos are being prepared for the queue.")
    )
    if ready is not None and ready.can_train:
        return f"{said} " + _("There are enough ground truths to train a first one.")
    return f"{said} " + _("The first model needs at least two ground truths in each of two classes.")


def _limits(ranking: Ranking, definitions: Sequence[ClassDefinition], count: int) -> dict[int, list[float]]:
    """Label class id -> lowest margin of each band, outermost first; the innermost begins at 0.

    A band that was empty when the order was made takes no room: it begins where the one outside it begins.
    """
    limits: dict[int, list[float]] = {}
    for definition in definitions:
        said = ranking.summary.get(str(definition.label_class_id))
        if not said:
            continue
        lows: list[float] = []
        for number in range(count):
            low = float(said[str(number)][0]) if str(number) in said else (lows[-1] if lows else 1.0)
            lows.append(min(low, lows[-1]) if lows else low)
        lows[-1] = 0.0
        limits[definition.label_class_id] = lows
    return limits


def _members(resolution: Mapping[int, int | None], limits: Mapping[int, list[float]]) -> dict[int, list[int]]:
    """Ladder -> the classes whose predictions count for it today: itself and what was merged into it."""
    members: dict[int, list[int]] = {ladder: [] for ladder in limits}
    for old, counts_as in resolution.items():
        if counts_as in members:
            members[counts_as].append(old)
    return members


def _thresholds(limits: Mapping[int, list[float]], steps: int) -> tuple[list[int], list[float]]:
    """Ladder ids, and for each the rising thresholds that part its bands into ``steps`` each, end to end."""
    ladders: list[int] = []
    flat: list[float] = []
    for ladder, lows in limits.items():
        ladders.append(ladder)
        edges = [1.0, *lows]
        inward = [
            outer + (inner - outer) * step / steps - _EPSILON
            for outer, inner in pairwise(edges)
            for step in range(1, steps + 1)
        ]
        flat += sorted(inward[:-1])
    return ladders, flat


# ``pairs`` says which predicted class counts for which ladder; ``t`` holds each ladder's thresholds as an array.
_STEP_SQL = """
WITH pairs AS (
    SELECT * FROM unnest(%(predicted)s::bigint[], %(ladder)s::bigint[]) AS p (predicted_id, ladder_id)
), t AS (
    SELECT ladder_id, array_agg(edge ORDER BY edge) AS edges
    FROM unnest(%(ladders)s::bigint[], %(edges)s::float8[]) AS e (ladder_id, edge) GROUP BY ladder_id
)
SELECT pairs.ladder_id, width_bucket(s.confidence, t.edges) AS step, count(*)
FROM learning_score s
JOIN pairs ON pairs.predicted_id = s.predicted_id
JOIN t ON t.ladder_id = pairs.ladder_id
{join}
WHERE s.model_version_id = %(model)s {where}
GROUP BY pairs.ladder_id, step
"""
_SETTLED_JOIN = """
JOIN truth_groundtruth g ON g.item_id = s.item_id
LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = g.id
"""
_SETTLED_WHERE = """
AND g.project_id = %(project)s AND newer.id IS NULL AND g.kind <> 'withdrawn' AND g.origin <> 'gold'
"""


def _steps(
    model: ModelVersion,
    limits: Mapping[int, list[float]],
    members: Mapping[int, list[int]],
    steps: int,
    *,
    settled_of: Project | None = None,
) -> dict[tuple[int, int], int]:
    """(ladder, step from the outermost) -> photos scored there; only settled ones with ``settled_of``."""
    ladders, edges = _thresholds(limits, steps)
    each = len(edges) // max(len(ladders), 1)
    if not each:  # one band of one step: everything is in it, and width_bucket needs an edge
        edges, each = [-1.0] * len(ladders), 1
    query = _STEP_SQL.format(
        join=_SETTLED_JOIN if settled_of else "", where=_SETTLED_WHERE if settled_of else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "predicted": [old for ladder in ladders for old in members[ladder]],
                "ladder": [ladder for ladder in ladders for _old in members[ladder]],
                "ladders": [ladder for ladder in ladders for _n in range(each)],
                "edges": edges,
                "model": model.pk,
                "project": settled_of.pk if settled_of else None,
            },
        )
        # width_bucket counts thresholds from below; the outermost step is the last
        return {(ladder, each - bucket): n for ladder, bucket, n in cursor.fetchall()}


def _settled(
    project: Project,
    model: ModelVersion,
    limits: Mapping[int, list[float]],
    members: Mapping[int, list[int]],
) -> tuple[dict[tuple[int, int], int], int]:
    """(ladder, band) -> photos that people settled; and how many settled ones the champion has not placed."""
    placed = _steps(model, limits, members, 1, settled_of=project)
    at = truth.settled_count(project)
    return placed, max(at - sum(placed.values()), 0)


def _ridges(
    model: ModelVersion, limits: Mapping[int, list[float]], members: Mapping[int, list[int]]
) -> dict[int, list[int]]:
    """Ladder -> photos a step, outermost first."""
    key = f"frontier.ridge.{model.pk}.{hash(tuple((k, *v) for k, v in limits.items()))}"
    known: dict[int, list[int]] | None = cache.get(key)
    if known is not None:
        return known
    counts = _steps(model, limits, members, STEPS)
    ridges = {
        ladder: [counts.get((ladder, step), 0) for step in range(len(lows) * STEPS)]
        for ladder, lows in limits.items()
    }
    cache.set(key, ridges, RIDGE_KEPT_S)
    return ridges


def _band(
    definition: ClassDefinition,
    number: int,
    count: int,
    at: Mapping[str, Any],
    waiting: Mapping[str, Any],
    settled: int,
    lows: list[float],
    agreed: BandAgreement | None,
) -> Band:
    current = at["current_band"]
    state = (
        BandState.SETTLED if number < current else BandState.OPEN if number == current else BandState.CLOSED
    )
    return Band(
        key=definition.label_class.key,
        name=definition.name,
        number=number,
        state=state,
        waiting=waiting.get("waiting", 0),
        begun=waiting.get("begun", 0),
        settled=settled,
        low=lows[number],
        high=lows[number - 1] if number else 1.0,
        agreement=agreed.unanimous if agreed else None,
        needs=band_needs(at) if state is BandState.OPEN else _closed_needs(number, current, state),
        boundary=number == count - 1,
    )


def band_needs(at: Mapping[str, Any]) -> str:
    """What the open band still needs before the next one opens, in words."""
    if at["current_band"] + 1 >= at["bands"]:
        return _("This is the boundary: the queue stays here, with photos that differ from each other.")
    missing = max(at["needed_in_band"] - at["settled_in_band"], 0)
    parts = []
    if missing:
        parts.append(
            ngettext("%(n)d more ground truth", "%(n)d more ground truths", missing) % {"n": missing}
        )
    if at["agreement"] is not None and at["agreement"] < at["agreement_needed"]:
        parts.append(
            _("agreement of %(needed).0f %% (now %(now).0f %%)")
            % {"needed": 100 * at["agreement_needed"], "now": 100 * at["agreement"]}
        )
    if not parts:
        return _("Nothing more: the next band opens with the next answer.")
    return _("The next band opens with %(what)s.") % {"what": _(" and ").join(parts)}


def _closed_needs(number: int, current: int, state: BandState) -> str:
    if state is BandState.SETTLED:
        return _("The queue has moved on from here. What still waits is asked later.")
    if number == current + 1:
        return _("Opens next, when the open band is settled.")
    return _("Opens after the bands outside it.")


def _lines(ladders: list[Ladder]) -> list[Line]:
    if len(ladders) == 2:
        left, right = ladders
        return [
            Line(
                left=left,
                right=right,
                bands=[*left.bands, *reversed(right.bands)],
                path=ridge_path([*left.ridge, *reversed(right.ridge)]),
                steps=len(left.ridge) + len(right.ridge),
                title=_("From surely %(a)s through the boundary to surely %(b)s")
                % {"a": left.name, "b": right.name},
            )
        ]
    return [
        Line(
            left=ladder,
            right=None,
            bands=ladder.bands,
            path=ridge_path(ladder.ridge),
            steps=len(ladder.ridge),
            title=_("From surely %(a)s to the boundary") % {"a": ladder.name},
        )
        for ladder in ladders
    ]


def ridge_path(counts: Sequence[int]) -> str:
    """An SVG path of steps over ``counts``, ``len(counts)`` wide and ``RIDGE_HEIGHT`` high, the floor at the bottom."""
    highest = max(counts, default=0)
    if not highest:
        return ""
    parts = [f"M0 {RIDGE_HEIGHT:g}"]
    for index, n in enumerate(counts):
        y = RIDGE_HEIGHT * (1 - n / highest)
        parts.append(f"L{index} {y:.1f}L{index + 1} {y:.1f}")
    return "".join([*parts, f"L{len(counts)} {RIDGE_HEIGHT:g}Z"])
