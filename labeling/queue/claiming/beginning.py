"""What a claim starts from: whether the person is paused, the guideline in force, the order and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import guideline
from labeling.database.locks import SHARED_SQL, Lock
from labeling.database.rows import rows
from labeling.people.models import User
from labeling.queue.models import Ranking


@dataclass(frozen=True, slots=True)
class Order:
    """What a claim starts from: the current ranking, the band the queue has reached, whether a lease ran out."""

    ranking: Ranking | None
    band: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Start:
    """What a claim asks first: whether this person is paused, and the guideline in force."""

    paused: bool
    guideline: Guideline


def start(project: Project, labeler: User) -> Start:
    """Keep a finished ranking from being swapped in until the caller commits."""
    ((paused, guideline_id, _nothing),) = rows(
        f"""
        SELECT EXISTS (SELECT 1 FROM truth_pause WHERE project_id = %s AND labeler_id = %s AND lifted_at IS NULL),
               (SELECT g.id FROM catalog_guideline g WHERE g.project_id = %s ORDER BY g.number DESC LIMIT 1),
               {SHARED_SQL}
        """,
        [project.pk, labeler.pk, project.pk, Lock.RANKING.value, project.pk],
    )
    return Start(paused, guideline(guideline_id))


def begin(project: Project, labeler: User) -> bool:
    """:func:`start`, for who asks only whether this person is paused."""
    return start(project, labeler).paused


def order_of(project: Project, labeler: User) -> Order:
    """After :func:`start`, in a statement of its own: it sees what was swapped in while that one waited."""
    ((ranking_id, number, strategy, bands, model, band, expired),) = rows(
        """
        SELECT r.id, r.number, r.strategy, r.bands, r.model_version_id,
               (SELECT o.band FROM queue_bandopening o WHERE o.project_id = %s ORDER BY o.id DESC LIMIT 1),
               EXISTS (SELECT 1 FROM queue_slot s
                       WHERE s.project_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL
                         AND s.number IS NOT NULL AND s.expires_at < now() AND s.holder_id <> %s)
        FROM (SELECT 1) once LEFT JOIN queue_ranking r ON r.project_id = %s AND r.current
        """,
        [project.pk, project.pk, labeler.pk, project.pk],
    )
    ranking = None
    if ranking_id is not None:
        ranking = Ranking(
            pk=ranking_id,
            project=project,
            number=number,
            strategy=strategy,
            bands=bands,
            model_version_id=model,
            current=True,
        )
    return Order(ranking, min(band or 0, project.bands - 1), expired)
