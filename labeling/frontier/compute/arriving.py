"""Photos that came in since the last look, held against the pool that the plan was written for, before any is decided."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from inference.drift import Photos, compare, level_of
from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.database.planner import without_nested_loops
from labeling.frontier.arrivals import LEAST, arrivals_now
from labeling.frontier.certificates import in_force
from labeling.frontier.models import ArrivalCheck, CertificationPlan
from labeling.learning.compute.stores import vectors_of
from labeling.learning.sides import LEARNED_A_TWIN

#: Photos of the pool that arrivals are held against, and arrivals of a look, at most. A small look takes in what was found
#: usual before, up to ``WINDOW`` photos: so a change that comes a few photos at a time is noticed too.
REFERENCE, MOST, WINDOW = 2000, 2000, 200
#: Chance that a usual batch is ever left to people, over all looks of a plan.
ALPHA = 0.05

_COLUMNS = """
SELECT i.id, g.sha256, s.predicted_id, s.probabilities
FROM catalog_item i JOIN catalog_image g ON g.id = i.image_id
JOIN learning_score s ON s.item_id = i.id AND s.model_version_id = %(model)s
WHERE i.project_id = %(project)s
"""
# Of what the version learned from it is surer than of anything that arrives.
_POOL = f"""{_COLUMNS} AND i.id <= %(pool_to)s
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id AND t.id = ANY(%(snapshot)s::bigint[]))
  AND NOT {LEARNED_A_TWIN}
ORDER BY hashint8extended(i.id, 1) LIMIT %(limit)s
"""  # noqa: S608
_ARRIVED = f"{_COLUMNS} AND i.id > %(after)s ORDER BY i.id"
_USUAL_BEFORE = f"""{_COLUMNS} AND i.id > %(pool_to)s AND EXISTS (
    SELECT 1 FROM frontier_arrivalcheck k WHERE k.plan_id = %(plan)s AND k.usual AND i.id BETWEEN k.first AND k.last)
ORDER BY i.id DESC LIMIT %(limit)s
"""  # noqa: S608


def check_arrivals(project: Project) -> ArrivalCheck | None:
    """Look at what arrived since the last look; None where that is too little, or nothing certified may speak of it."""
    certificates = in_force(project)
    if not certificates or certificates[0].model_version.learned_elsewhere:
        return None
    plan = certificates[0].run.plan
    now = arrivals_now(certificates[0], project)
    arrived = _photos(plan, _ARRIVED, after=now["checked_to"])
    if len(arrived) < LEAST:
        return None
    pool = _photos(plan, _POOL, pool_to=now["pool_to"], limit=REFERENCE)
    last = ArrivalCheck.objects.filter(plan=plan).first()
    before = []
    if len(arrived) < WINDOW and (last is None or last.usual):
        before = _photos(plan, _USUAL_BEFORE, pool_to=now["pool_to"], limit=WINDOW - len(arrived))
    chosen = np.random.default_rng(arrived[0][0]).permutation(len(arrived))[:MOST]
    window = [arrived[at] for at in sorted(chosen.tolist())] + before
    look = ArrivalCheck.objects.filter(plan=plan).count() + 1
    report = compare(
        _as_photos(plan, pool), _as_photos(plan, window), level=level_of(look, ALPHA, "ever"), seed=look
    )
    return _write_down(project, plan, arrived, report.as_json())


def _photos(plan: CertificationPlan, sql: str, **given: Any) -> list[tuple[Any, ...]]:
    model = plan.model_version
    parameters: dict[str, Any] = {
        "model": model.pk,
        "project": plan.project_id,
        "snapshot": model.snapshot.ground_truth_ids,
        "plan": plan.pk,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(sql, parameters | given)
        return list(cursor.fetchall())


def _as_photos(plan: CertificationPlan, rows: list[tuple[Any, ...]]) -> Photos:
    return Photos(
        embeddings=_embeddings(plan, [sha256 for _id, sha256, _predicted, _proba in rows]),
        scores=np.array([proba for *_rest, proba in rows], dtype=np.float64),
        classes=[str(predicted) for _id, _sha, predicted, _proba in rows],
    )


def _embeddings(plan: CertificationPlan, hashes: list[str]) -> npt.NDArray[np.float32] | None:
    """(n, d), or None where the store lacks some: scores and classes are compared all the same."""
    model = plan.model_version
    if not model.manifest.get("dim") or not hashes:
        return None
    store = vectors_of(model)
    return None if store.missing(hashes) else store.rows(hashes)


@transaction.atomic
def _write_down(
    project: Project, plan: CertificationPlan, arrived: list[tuple[Any, ...]], report: dict[str, Any]
) -> ArrivalCheck:
    surest = report["findings"][0] if report["findings"] else {"name": "", "adjusted": 1.0}
    figures = {"test": surest["name"], "p_value": surest["adjusted"], "level": report["level"]}
    check = ArrivalCheck.objects.create(
        plan=plan,
        first=arrived[0][0],
        last=arrived[-1][0],
        photos=len(arrived),
        usual=not report["alarm"],
        figures=figures,
    )
    if not check.usual:
        log_activity(project=project, kind="arrivals_unusual", photos=check.photos, **figures)
    return check
