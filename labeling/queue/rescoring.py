"""From stored embeddings to ranked queue rows, for one project or for all of a backbone: score, order, swap in.

The embeddings are read once for all projects whose champions stand on the same backbones; one that is fused with others is
read again for those. While scores and entries are written (the database's work), two projects' at a time, the next project's
order is found in a thread (numpy's work). For workers only.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from labeling.catalog.models import Project
from labeling.catalog.selectors import current_guideline
from labeling.jobs.progress import Progress
from labeling.learning import selectors as learning
from labeling.learning.compute import ordering
from labeling.learning.compute.beside import Begin, several
from labeling.learning.compute.scoring import (
    Gathered,
    Pool,
    drop_other_scores,
    gather,
    items_of,
    margins,
    picked,
    probabilities,
    write_scores,
)
from labeling.learning.compute.stores import open_store
from labeling.learning.models import ModelVersion
from labeling.queue.models import Entry, Ranking
from labeling.queue.ranking import MadeOf, clear_out, open_items, swap_in, write_ranking
from labeling.truth.services import reconsider

if TYPE_CHECKING:
    from inference.scoring import Scorer
    from inference.store import Vectors


#: Projects whose rows are read or written at the same time, by a connection each. One server process fills one core, and
#: waits for the disk in between.
AT_ONCE = 2


@dataclass
class Stages:
    """Seconds spent in each stage, of all projects together: of several they run beside each other."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
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

    Returns {projects: [{project, ranking, photos, unscored, scored}], seconds: {stage: seconds}}; of a project whose photos
    words may order, ``words``: how they compared with its labels.
    """
    stages = Stages()
    groups: dict[tuple[Path, ...], tuple[Vectors, list[_Member]]] = {}
    told: list[dict[str, Any]] = []
    with several(min(AT_ONCE, len(projects))) as begin:
        # Meanwhile stores are opened, which asks no database: the first time here, all that is in them is summed up.
        looks = {project: begin(partial(items_of, project)) for project in projects}
        with stages.of("opening"):
            open_once = cache(open_store)
            for project in projects:
                champion = learning.champion(project)
                store, head = ordering.backbone_of(project, champion, open_once)
                groups.setdefault(store.folders, (store, []))[1].append(_Member(project, champion, head))
        for store, members in groups.values():
            with stages.of("looking up"):
                gathered = gather(
                    store,
                    [member.project for member in members],
                    items=lambda project: looks.pop(project)(),
                    begin=begin,
                )
            told += _rescore_group(gathered, members, begin, progress, stages)
    return {"projects": told, "seconds": stages.told()}


def _rescore_group(
    gathered: Gathered, members: list[_Member], begin: Begin, progress: Progress, stages: Stages
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    with stages.of("scoring"):
        scored = probabilities(gathered, [m.head for m in members if m.head is not None], progress)
    with ThreadPoolExecutor(1) as thread:
        by_member = iter(scored)
        under_way: deque[Callable[[], dict[str, Any]]] = deque()

        def finish_one() -> None:
            progress.report(len(told), len(members), gettext_noop("Writing scores"))
            told.append(under_way.popleft()())
            progress.report(len(told), len(members), gettext_noop("Writing the order"))

        for member, pool in zip(members, gathered.pools, strict=True):
            proba = next(by_member) if member.head is not None else None
            ahead = _begin(member, pool, gathered, proba, thread, stages)
            under_way.append(begin(partial(_write, ahead, stages)))
            if len(under_way) > AT_ONCE:
                finish_one()
        while under_way:
            finish_one()
    with stages.of("clearing out"):
        for member in members:
            if member.champion is not None:
                drop_other_scores(member.champion)
            clear_out(member.project)
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
    made_of: MadeOf
    ordered: Any


def _begin(
    member: _Member, pool: Pool, gathered: Gathered, proba: Any, thread: ThreadPoolExecutor, stages: Stages
) -> _Ahead:
    project = member.project
    with stages.of("reading"):
        read_at = timezone.now()
        judged_by = _judged_by(project)
        items = open_items(project, pool.item_ids)
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

    mine = picked(proba, pool.images) if proba is not None else None
    made_of = MadeOf.pool(pool.item_ids, gathered.places.found[pool.images])
    return _Ahead(member, pool, mine, seed, read_at, judged_by, len(items), made_of, thread.submit(think))


def _write(ahead: _Ahead, stages: Stages) -> dict[str, Any]:
    """Scores and order of one project, each as a whole, and the order swapped in. What they replace is dropped later."""
    project, champion = ahead.member.project, ahead.member.champion
    scored: dict[str, int] = {}
    if champion is not None:
        with stages.of("writing scores"):
            scored = write_scores(champion, ahead.pool.item_ids, ahead.proba)
    with stages.of("waiting for the order"):
        ordered: ordering.Ordered = ahead.ordered.result()
    with stages.of("writing entries"):
        ranking = write_ranking(
            project=project,
            ordered=ordered,
            strategy=project.strategy,
            seed=ahead.seed,
            bands=ordered.bands,
            arrivals=ordered.missing,
            margins=margins(champion, ahead.proba) if champion is not None else {},
            read_at=ahead.read_at,
            made_of=ahead.made_of,
        )
    with stages.of("taking over"):
        swap_in(ranking=ranking, read_at=ahead.read_at)
        _judge_again(ranking, ahead.judged_by)
    return {
        "project": project.slug,
        "ranking": ranking.number,
        "photos": ahead.photos,
        "unscored": len(ordered.missing),
        "scored": scored,
        **({"words": ordered.words} if ordered.words else {}),
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
