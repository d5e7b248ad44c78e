"""The worker's part of the queue: re-score, re-order and take over."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.jobs.handlers import handles
from labeling.jobs.runner import Progress
from labeling.learning import selectors as learning
from labeling.learning.compute.scoring import score_items
from labeling.learning.models import Score
from labeling.learning.ordering import order_items
from labeling.queue.ranking import clear_out, open_items, take_over, write_ranking
from labeling.truth.services import reconsider

STEPS = 4


@handles("rank")
def rank(progress: Progress) -> dict[str, Any]:
    """Score the pool by the champion if that is still to be done, order the open photos, and take over."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    champion = learning.champion(project)
    scored: dict[str, int] = {}
    if champion is not None and not _scored_by(champion.pk, project):
        progress.report(0, STEPS, "scoring the pool")
        scored = score_items(
            project=project,
            model_version=champion,
            item_ids=list(project.items.order_by("id").values_list("pk", flat=True)),
            progress=progress,
        )
    progress.report(1, STEPS, "ordering")
    read_at = timezone.now()
    items = open_items(project)
    seed = project.rankings.count()
    ordered = order_items(
        project=project, item_ids=items, strategy=project.strategy, bands=project.bands, seed=seed
    )
    progress.report(2, STEPS, "writing the order")
    ranking = write_ranking(
        project=project,
        ordered=ordered,
        strategy=project.strategy,
        seed=seed,
        bands=project.bands if ordered.model_version_id else 1,
        arrivals=ordered.missing,
    )
    progress.report(3, STEPS, "taking over")
    take_over(ranking=ranking, read_at=read_at)
    # The rule, the number of answers or the classes may have changed since these answers were given.
    begun = ranking.entries.filter(taken__gt=0).values_list("item_id", flat=True)
    reconsider(project=project, item_ids=list(begun))
    clear_out(project)
    progress.report(STEPS, STEPS, "done")
    return {
        "ranking": ranking.number,
        "photos": len(items),
        "unscored": len(ordered.missing),
        "scored": scored,
    }


def _scored_by(model_version_id: int, project: Project) -> bool:
    """Whether every photo of the project has this model's score."""
    return Score.objects.filter(model_version_id=model_version_id).count() >= project.items.count()
