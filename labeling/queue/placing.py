"""Where the champion puts photos: on which ladder, and in which band of the current order.

A *ladder* holds the photos predicted as one class, from the surest (band 0) to the boundary. The order says at which margin
each band begins; the champion's scores say where a photo lies, whether it still waits or is settled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from labeling.catalog.meaning import meaning_since
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution, versions_of
from labeling.database.kept_counts import totals
from labeling.database.planner import without_nested_loops
from labeling.database.read_once import read_once
from labeling.learning.models import ModelVersion
from labeling.learning.sides import ITS_VERSION_LEARNED_A_TWIN
from labeling.queue.models import Placement, Ranking
from labeling.truth.models import Origin
from labeling.truth.random_labels import kept_while_unchanged
from labeling.truth.tallies import truths

#: As the database places photos: its band limits went through 32 bits, and one at the very limit stays in.
EPSILON = 1e-6
#: Steps of the density ridge within one band.
STEPS = 8


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


def place_settled(ranking: Ranking, *, until: datetime) -> None:
    """Count the ground truths in the bands of an order that is not yet current, as they were then: so early that all of that
    time are committed."""
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format("at < %(at)s"), {"ranking": ranking.pk, "project": ranking.project_id, "at": until}
        )


def place_newest(ranking: Ranking, *, since: datetime) -> None:
    """What came and went from then on, while nobody can settle a photo of the project: few, and found by indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format("at >= %(at)s"), {"ranking": ranking.pk, "project": ranking.project_id, "at": since}
        )


def place_scored(ranking: Ranking, item_ids: Sequence[int]) -> None:
    """What was settled of photos that have a score since a moment ago, while nobody can settle a photo of the project."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format("item_id = ANY(%(items)s)"),
            {"ranking": ranking.pk, "project": ranking.project_id, "items": list(item_ids)},
        )


_COUNT = """
INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
SELECT project_id, 'placed', NULL, key, sum(n), 0, false FROM queue_placed
WHERE ranking_id = %(ranking)s AND project_id = %(project)s AND {}
GROUP BY project_id, key HAVING sum(n) <> 0
"""


def mend(ranking: Ranking | None = None) -> int:
    """Count anew the ground truths in the bands of the current orders, or of one; return how many counts were wrong."""
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute("SELECT queue_placed_mend(%s)", [ranking.pk if ranking else None])
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladders of an order, as classes count today.

    Attributes:
        lows: ladder (label class id) -> lowest margin of each band, outermost first; the innermost begins at 0.
        ridge: ladder -> photos a step, ``STEPS`` a band, from the outermost inward: all that were scored for the order.
        counts_as: class id, as it was predicted or named -> the class that it counts for today, if any.
    """

    lows: Mapping[int, list[float]]
    ridge: Mapping[int, list[int]]
    counts_as: Mapping[int, int | None]

    def of(self, class_id: int) -> int | None:
        """The ladder of what is predicted as, or was put on the ladder of, this class."""
        ladder = self.counts_as.get(class_id)
        return ladder if ladder in self.lows else None


@read_once
def ladders_of(ranking: Ranking) -> Ladders:
    placements = list(Placement.objects.filter(ranking=ranking))
    counts_as = class_resolution(ranking.project)
    lows = {
        each.ladder_id: each.lows
        for each in placements
        if each.predicted_id == each.ladder_id == counts_as.get(each.ladder_id)
    }
    found = Ladders(lows, {ladder: [0] * len(each) * STEPS for ladder, each in lows.items()}, counts_as)
    for each in placements:
        if (ladder := found.of(each.ladder_id)) is not None:
            found.ridge[ladder][:] = map(sum, zip(found.ridge[ladder], each.ridge, strict=True))
    return found


def bands_of(project: Project, version_id: int) -> Callable[[int, float], int | None]:
    """(predicted class, margin) -> the band, from 0, that a photo lies in by the order of today; nothing where that order is
    by another version, or has no ladder for the class."""
    placements = Placement.objects.filter(
        ranking__project=project, ranking__current=True, ranking__model_version=version_id
    )
    edges = dict(placements.values_list("predicted_id", "edges"))

    def band(predicted: int, margin: float) -> int | None:
        mine = edges.get(predicted)
        return None if mine is None else len(mine) - bisect_right(mine, margin)

    return band


# From the photos that were drawn, which are as many as people were asked for: each is looked up by indexes (a subquery with
# an offset is no join, which the planner could turn into a scan of all ground truths).
_AUDITED = f"""
SELECT s.predicted_id, cardinality(p.edges) - width_bucket(s.confidence, p.edges), g.label_class_id, count(*)
FROM (SELECT id, project_id, twins_of FROM catalog_item
      WHERE project_id = %(project)s AND audit_drawn_at IS NOT NULL OFFSET 0) i
CROSS JOIN LATERAL (
    SELECT t.id, t.label_class_id FROM truth_groundtruth t
    WHERE t.item_id = i.id AND t.kind <> 'withdrawn' AND t.origin NOT IN ('gold', 'assisted') AND t.draw <> 'sweep'
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id) OFFSET 0) g
CROSS JOIN LATERAL (
    SELECT predicted_id, confidence FROM learning_score
    WHERE model_version_id = %(model)s AND item_id = i.id OFFSET 0) s
JOIN queue_placement p ON p.ranking_id = %(ranking)s AND p.predicted_id = s.predicted_id
JOIN learning_modelversion m ON m.id = %(model)s
WHERE g.id NOT IN (SELECT unnest(ground_truth_ids) FROM learning_snapshot WHERE id = %(snapshot)s)
  AND NOT {ITS_VERSION_LEARNED_A_TWIN}
GROUP BY 1, 2, 3
"""  # noqa: S608


def audited_by_band(
    ranking: Ranking, model: ModelVersion, ladders: Ladders
) -> dict[tuple[int, int], tuple[int, int]]:
    """(ladder, band) -> (photos drawn at random and settled, those of them that are not as predicted).

    What the version learned from is left out: of that it is right by heart.
    """
    given = {
        "project": ranking.project_id,
        "ranking": ranking.pk,
        "model": model.pk,
        "snapshot": model.snapshot_id,
    }

    def counted() -> list[tuple[int, int, int | None, int]]:
        with connection.cursor() as cursor:
            cursor.execute(_AUDITED, given)
            return list(cursor.fetchall())

    found: dict[tuple[int, int], tuple[int, int]] = {}
    for predicted, band, settled_as, n in kept_while_unchanged("audited", ranking.project, given, counted):
        if (ladder := ladders.of(predicted)) is None:
            continue
        photos, wrong = found.get((ladder, band), (0, 0))
        right = settled_as is not None and ladders.counts_as.get(settled_as) == ladder
        found[ladder, band] = (photos + n, wrong + (0 if right else n))
    return found


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
    """Where the project's ground truths lie now, by counts that are kept."""
    meaning = meaning_since(project)
    asked = {each.pk: each.number for each in versions_of(project)}
    ranking = current_ranking(project)
    everything, counted = _counted(project, asked, meaning)
    if ranking is None or ranking.model_version is None or not ranking.summary:
        return TruthsByBand({}, {}, counted, everything - counted, placed=False)
    ladders = ladders_of(ranking)
    settled, placed, same = Counter[tuple[int, int]](), Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for each in totals(project)["placed"]:
        of_ranking, predicted, band, class_id, guideline_id = each.key
        ladder = ladders.of(int(predicted))
        if ladder is None or of_ranking != str(ranking.pk):
            continue
        settled[ladder, int(band)] += each.n
        if class_id:
            placed[ladder, int(band)] += each.n
            if asked[int(guideline_id)] >= meaning.get(int(class_id), NEVER):
                same[ladder, int(band)] += each.n
    elsewhere = counted - same.total()
    return TruthsByBand(
        placed, same, elsewhere, everything - placed.total() - elsewhere, placed=True, settled=settled
    )


#: No guideline has this number: a class that is asked no more counts under none.
NEVER = 2**31


def _counted(project: Project, asked: Mapping[int, int], meaning: Mapping[int, int]) -> tuple[int, int]:
    """Ground truths of classes that people settled, and those of them that still mean what is asked today.

    ``asked``: guideline id -> its number.
    """
    found = [each for each in truths(project) if each.class_id is not None and each.origin != Origin.GOLD]
    same = (each.n for each in found if asked[each.guideline_id] >= meaning.get(each.class_id or 0, NEVER))
    return sum(each.n for each in found), sum(same)
