"""Where the champion puts photos: on which ladder, and in which band of the current order.

A *ladder* holds the photos predicted as one class, from the surest (band 0) to the boundary. The order says at which margin
each band begins; the champion's scores say where a photo lies, whether it still waits or is settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db import connection

from labeling.catalog.meaning import meaning_since
from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.selectors import active_definitions, class_resolution
from labeling.learning.models import ModelVersion
from labeling.learning.sides import LEARNED_A_TWIN
from labeling.queue.models import Ranking
from labeling.read_once import read_once
from labeling.truth.models import Origin
from labeling.truth.tallies import truths

#: Scores are kept as they were computed, band limits went through 32 bits: a photo at the very limit stays in.
EPSILON = 1e-6


@read_once
def current_ranking(project: Project) -> Ranking | None:
    """With its model version, but for the long columns that say how that came about."""
    current = Ranking.objects.filter(project=project, current=True).select_related("model_version")
    found = current.defer(
        *(f"model_version__{name}" for name in ("metrics", "manifest", "comparison"))
    ).first()
    if found is not None:
        found.project = project  # as whoever goes on from here asks for it
    return found


def limits_of(ranking: Ranking, definitions: Sequence[ClassDefinition], count: int) -> dict[int, list[float]]:
    """Label class id -> lowest margin of each of ``count`` bands, outermost first; the innermost begins at 0.

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


def members_of(
    resolution: Mapping[int, int | None], limits: Mapping[int, list[float]]
) -> dict[int, list[int]]:
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
            outer + (inner - outer) * step / steps - EPSILON
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
SELECT pairs.ladder_id, width_bucket(s.confidence, t.edges) AS step, count(*){more}
FROM learning_score s
JOIN pairs ON pairs.predicted_id = s.predicted_id
JOIN t ON t.ladder_id = pairs.ladder_id
{join}
WHERE s.model_version_id = %(model)s {where}
GROUP BY pairs.ladder_id, step
"""
_SETTLED_JOIN = """
JOIN truth_groundtruth g ON g.item_id = s.item_id
"""
_SETTLED_WHERE = """
AND g.project_id = %(project)s AND g.kind <> 'withdrawn' AND g.origin <> 'gold'
AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = g.id)
"""


def photos_by_step(
    model: ModelVersion,
    limits: Mapping[int, list[float]],
    members: Mapping[int, list[int]],
    steps: int,
) -> dict[tuple[int, int], int]:
    """(ladder, step from the outermost) -> photos scored there; ``steps`` a band."""
    rows = _rows(model, limits, members, steps, _STEP_SQL.format(more="", join="", where=""), {})
    return {place: n for place, (n,) in rows.items()}


_MEANT_JOIN = (
    _SETTLED_JOIN
    + """
JOIN catalog_guideline asked ON asked.id = g.guideline_id
LEFT JOIN unnest(%(classes)s::bigint[], %(since)s::int[]) AS m (class_id, since) ON m.class_id = g.label_class_id
"""
)
_OF_A_CLASS = """, count(*) FILTER (WHERE g.label_class_id = ANY(%(ever)s::bigint[])),
count(*) FILTER (WHERE asked.number >= m.since)"""


def _settled_by_band(
    project: Project, model: ModelVersion, limits: Mapping[int, list[float]], meaning: Mapping[int, int]
) -> dict[tuple[int, int], tuple[int, ...]]:
    """(ladder, band) -> photos that people settled; of these, as a class; and of these, as one that still means the same.

    ``meaning``: class id -> number of the guideline since which it means what it means today.
    """
    ever = class_resolution(project)
    return _rows(
        model,
        limits,
        members_of(ever, limits),
        1,
        _STEP_SQL.format(more=_OF_A_CLASS, join=_MEANT_JOIN, where=_SETTLED_WHERE),
        {
            "project": project.pk,
            "ever": list(ever),
            "classes": list(meaning),
            "since": list(meaning.values()),
        },
    )


_WRONG = """, count(*) FILTER (WHERE g.kind <> 'class' OR NOT EXISTS (
    SELECT 1 FROM pairs mine WHERE mine.predicted_id = g.label_class_id AND mine.ladder_id = pairs.ladder_id))"""
_AUDITED_JOIN = (
    _SETTLED_JOIN
    + "JOIN catalog_item i ON i.id = s.item_id AND i.audit_drawn_at IS NOT NULL AND g.origin <> 'assisted'"
)


def audited_by_band(
    project: Project,
    model: ModelVersion,
    limits: Mapping[int, list[float]],
    members: Mapping[int, list[int]],
) -> dict[tuple[int, int], tuple[int, int]]:
    """(ladder, band) -> (photos drawn at random and settled, those of them that are not as predicted).

    What the version learned from is left out: of that it is right by heart.
    """
    rows = _rows(
        model,
        limits,
        members,
        1,
        _STEP_SQL.format(
            more=_WRONG,
            join=_AUDITED_JOIN,
            where=_SETTLED_WHERE + f"AND NOT g.id = ANY(%(snapshot)s::bigint[]) AND NOT {LEARNED_A_TWIN}",
        ),
        {"project": project.pk, "snapshot": model.snapshot.ground_truth_ids},
    )
    return {place: (n, wrong) for place, (n, wrong) in rows.items()}


def _rows(
    model: ModelVersion,
    limits: Mapping[int, list[float]],
    members: Mapping[int, list[int]],
    steps: int,
    query: str,
    parameters: Mapping[str, Any],
) -> dict[tuple[int, int], tuple[int, ...]]:
    """(ladder, step from the outermost) -> the counts that ``query`` makes there."""
    ladders, edges = _thresholds(limits, steps)
    each = len(edges) // max(len(ladders), 1)
    if not each:  # one band of one step: everything is in it, and width_bucket needs an edge
        edges, each = [-1.0] * len(ladders), 1
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "predicted": [old for ladder in ladders for old in members[ladder]],
                "ladder": [ladder for ladder in ladders for _old in members[ladder]],
                "ladders": [ladder for ladder in ladders for _n in range(each)],
                "edges": edges,
                "model": model.pk,
                **parameters,
            },
        )
        # width_bucket counts thresholds from below; the outermost step is the last
        return {(ladder, each - bucket): tuple(counts) for ladder, bucket, *counts in cursor.fetchall()}


@dataclass(frozen=True)
class TruthsByBand:
    """Ground truths of classes, by where the champion puts them.

    Attributes:
        all: (ladder, band) -> all of them that the champion has scored.
        counted: (ladder, band) -> those that still mean what the guideline of today asks.
        elsewhere: counted ones that have no place: no score yet, or no champion to place them.
        lost_elsewhere: those without a place that do not count.
        placed: whether there is a champion whose order says where bands begin.
        settled: (ladder, band) -> photos that people settled in whatever way.
    """

    all: Mapping[tuple[int, int], int]
    counted: Mapping[tuple[int, int], int]
    elsewhere: int
    lost_elsewhere: int
    placed: bool
    settled: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.elsewhere + sum(self.counted.values())

    @property
    def ladders(self) -> list[int]:
        return sorted({ladder for ladder, _band in self.all})

    def outward(self, band: int) -> int:
        """How many counted ones lie in this band or further out, those without a place included."""
        return self.elsewhere + sum(n for (_ladder, b), n in self.counted.items() if b <= band)

    def lost(self, band: int) -> int:
        """How many in this band or further out no longer count, as the guideline asks something else today."""
        had = sum(n for (_ladder, b), n in self.all.items() if b <= band)
        return self.lost_elsewhere + had - (self.outward(band) - self.elsewhere)

    def missing_of_ladders(self, band: int, share: int) -> int:
        """How many are missing on ladders that had ``share`` of them so far out, before their meaning changed."""
        missing = 0
        for ladder in self.ladders:
            had = sum(n for (each, b), n in self.all.items() if each == ladder and b <= band)
            has = sum(n for (each, b), n in self.counted.items() if each == ladder and b <= band)
            if had >= share > has:
                missing += share - has
        return missing


def truths_by_band(project: Project) -> TruthsByBand:
    """Where the project's ground truths lie now. Reads them all: for pages, and for a new champion or guideline."""
    meaning = meaning_since(project)
    ranking = current_ranking(project)
    everything, counted = _counted(project, meaning)
    if ranking is None or ranking.model_version is None or not ranking.summary:
        return TruthsByBand({}, {}, counted, everything - counted, placed=False)
    limits = limits_of(ranking, active_definitions(project), max(ranking.bands, 1))
    found = _settled_by_band(project, ranking.model_version, limits, meaning)
    placed = {place: n for place, (_all, n, _same) in found.items() if n}
    same = {place: n for place, (_all, _n, n) in found.items() if n}
    elsewhere = counted - sum(same.values())
    return TruthsByBand(
        placed,
        same,
        elsewhere,
        everything - sum(placed.values()) - elsewhere,
        placed=True,
        settled={place: n for place, (n, *_rest) in found.items()},
    )


#: No guideline has this number: a class that is asked no more counts under none.
NEVER = 2**31


def _counted(project: Project, meaning: Mapping[int, int]) -> tuple[int, int]:
    """Ground truths of classes that people settled, and those of them that still mean what is asked today."""
    asked = dict(project.guidelines.values_list("pk", "number"))
    found = [each for each in truths(project) if each.class_id is not None and each.origin != Origin.GOLD]
    same = (each.n for each in found if asked[each.guideline_id] >= meaning.get(each.class_id or 0, NEVER))
    return sum(each.n for each in found), sum(same)
