"""How much of a class the machine decides alone, and of how much one answer that agrees settles: shares of a cohort.

Only for promises that have two such parts. A cohort, its scores and a certificate stay as they are, so it is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection

from labeling.database.planner import without_nested_loops
from labeling.frontier.cohort import OF_COHORT
from labeling.frontier.models import Certificate, PromiseKind

_KEPT_S = 24 * 3600

_PARTS = f"""
SELECT count(*) FILTER (WHERE s.predicted_id = %(class)s AND s.confidence >= %(threshold)s),
       count(*) FILTER (WHERE s.predicted_id = %(class)s AND s.confidence >= %(assisted)s AND s.confidence < %(threshold)s),
       count(*) FILTER (WHERE s.predicted_id = %(class)s), count(*)
{OF_COHORT}
"""


@dataclass(frozen=True)
class Parts:
    """Photos of a plan's cohort: of one predicted class those of the machine's part, those of the ring, and all; of the "
    "pool."""

    alone: int
    ring: int
    photos: int
    pool: int

    @property
    def alone_of_class(self) -> float:
        return self.alone / max(self.photos, 1)

    @property
    def ring_of_class(self) -> float:
        return self.ring / max(self.photos, 1)


def parts_of(certificate: Certificate) -> Parts | None:
    """None where the machine alone is promised."""
    plan = certificate.run.plan
    if plan.promise == PromiseKind.ALONE:
        return None
    key = f"parts-of-certificate:{certificate.pk}"
    known: Parts | None = cache.get(key)
    if known is not None:
        return known
    threshold = certificate.threshold
    given = {
        "plan": plan.pk,
        "model": plan.model_version_id,
        "class": certificate.label_class_id,
        "threshold": threshold,
        "assisted": threshold if certificate.assisted is None else certificate.assisted,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_PARTS, given)
        found = Parts(*cursor.fetchone())
    cache.set(key, found, _KEPT_S)
    return found
