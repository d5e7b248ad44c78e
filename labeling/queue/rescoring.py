"""From stored embeddings to ranked queue rows, for one project or for all of a backbone: score, order, swap in.

The embeddings are read once for all projects whose champions stand on the same backbones; one that is fused with others is
read again for those. While one project's scores and entries are written (the database's
work), the next project's order is found in a thread (numpy's work). For workers only.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from labeling.catalog.models import Project
from labeling.catalog.selectors import current_guideline
from labeling.jobs.progress import Progress
from labeling.learning import selectors as learning
from labeling.learning.compute import ordering
from labeling.learning.compute.scoring import Gathered, Pool, gather, keep_scores, probabilities
from labeling.learning.models import ModelVersion
from labeling.queue.models import Entry, Ranking
from labeling.queue.ranking import clear_out, open_items, swap_in, write_ranking
from labeling.truth.services import reconsider

if TYPE_CHECKING:
    from inference.scoring import Scorer
    from inference.store import Vectors


@dataclass
class Stages:
    """Seconds spent in each stage. ``ordering`` runs beside the others."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] += time.monotonic() - began

    def told(self) -> dict[str, float]:
        return {name: round(value, 2) for name, value in self.seconds.items()}


@dataclass(frozen=True)
class _Member:
    """A project, its champion (if any) with its head, and its place in the order of work."""

    project: Project
    champion: ModelVersion | None
    head: Scorer | None


def rescore(projects: Sequence[Project], progress: Progress) -> dict[str, Any]:
    """Score by the champions what is not scored yet, order the open photos, and swap the order in, project by project.

    Returns {projects: [{project, ranking, photos, unscored, scored}], seconds: {stage: seconds}}.
    """
    stages = Stages()
    groups: dict[tuple[Path, ...], tuple[Vectors, list[_Member]]] = {}
    for project in projects:
        champion = learning.champion(project)
        store, head = ordering.backbone_of(project, champion)
        groups.setdefault(store.folders, (store, []))[1].append(_Member(project, champion, head))
    told: list[dict[str, Any]] = []
    for store, members in groups.values():
        told += _rescore_group(store, members, progress, stages)
    return {"projects": told, "seconds": stages.told()}


def _rescore_group(
    store: Vectors, members: list[_Member], progress: Progress, stages: Stages
) -> list[dict[str, Any]]:
    with stages.of("looking up"):
        gathered = gather(store, [member.project for member in members])
    with stages.of("scoring"):
        scored = probabilities(gathered, [m.head for m in members if m.head is not None], progress)
    by_member = iter(scored)
    told: list[dict[str, Any]] = []
    with ThreadPoolExecutor(1) as thread:
        ahead: _Ahead | None = None
        for member, pool in zip(members, gathered.pools, strict=True):
            proba = next(by_member) if member.head is not None else None
            following = _begin(member, pool, gathered, proba, thread, stages)
            if ahead is not None:
                told.append(_finish(ahead, progress, len(told), len(members), stages))
            ahead = following
        if ahead is not None:
            told.append(_finish(ahead, progress, len(told), len(members), stages))
    return told


@dataclass(frozen=True)
class _Ahead:
    """A project whose order is being found."""

    member: _Member
    pool: Pool
    proba: Any
    seed: int
    read_at: datetime
    judged_by: str
    photos: int
    ordered: Any


def _begin(
    member: _Member, pool: Pool, gathered: Gathered, proba: Any, thread: ThreadPoolExecutor, stages: Stages
) -> _Ahead:
    project = member.project
    with stages.of("reading"):
        read_at = timezone.now()
        judged_by = _judged_by(project)
        items = open_items(project)
        prepared = ordering.prepare(
            gathered=gathered,
            pool=pool,
            champion=member.champion,
            proba=proba,
            item_ids=items,
            strategy=project.strategy,
        )
        seed = project.rankings.count()

    def think() -> ordering.Ordered:
        with stages.of("ordering"):
            return ordering.order(prepared, bands=project.bands, seed=seed)

    mine = proba[pool.images] if proba is not None else None
    return _Ahead(member, pool, mine, seed, read_at, judged_by, len(items), thread.submit(think))


def _finish(ahead: _Ahead, progress: Progress, done: int, total: int, stages: Stages) -> dict[str, Any]:
    project, champion = ahead.member.project, ahead.member.champion
    scored: dict[str, int] = {}
    progress.report(done, total, gettext_noop("Writing scores"))
    if champion is not None:
        with stages.of("writing scores"):
            scored = keep_scores(champion, ahead.pool.item_ids, ahead.proba)
    with stages.of("waiting for the order"):
        ordered: ordering.Ordered = ahead.ordered.result()
    progress.report(done, total, gettext_noop("Writing the order"))
    with stages.of("writing entries"):
        ranking = write_ranking(
            project=project,
            ordered=ordered,
            strategy=project.strategy,
            seed=ahead.seed,
            bands=ordered.bands,
            arrivals=ordered.missing,
            read_at=ahead.read_at,
        )
    with stages.of("taking over"):
        swap_in(ranking=ranking, read_at=ahead.read_at)
    with stages.of("clearing out"):
        clear_out(project)
        _judge_again(ranking, ahead.judged_by)
    progress.report(done + 1, total, gettext_noop("Writing the order"))
    return {
        "project": project.slug,
        "ranking": ranking.number,
        "photos": ahead.photos,
        "unscored": len(ordered.missing),
        "scored": scored,
    }


def _judged_by(project: Project) -> str:
    """All that a consensus of standing answers depends on, beside the answers."""
    now = Project.objects.get(pk=project.pk)
    guideline = current_guideline(project)
    return f"{guideline.number}:{now.rule}:{now.answers_per_image}:{now.agreement_k}"


def _judge_again(ranking: Ranking, judged_by: str) -> None:
    """The rule, the number of answers or the classes may have changed since these answers were given."""
    before = Ranking.objects.filter(project=ranking.project_id, number__lt=ranking.number)
    last = before.exclude(judged_by="").order_by("-number").values_list("judged_by", flat=True).first()
    if last != judged_by:
        begun = Entry.objects.filter(ranking=ranking, taken__gt=0).values_list("item_id", flat=True)
        reconsider(project=ranking.project, item_ids=list(begun))
    # Said last: a worker that is killed before this leaves it to the next ranking.
    Ranking.objects.filter(pk=ranking.pk).update(judged_by=judged_by)
