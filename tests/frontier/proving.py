"""A pool scored by a champion, random labels drawn by the audit, and the jobs that prove, decide and watch."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from labeling.catalog.models import Item, LabelClass
from labeling.catalog.selectors import current_guideline
from labeling.frontier import changing_policy
from labeling.frontier.changing_policy import set_policy
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion, Score, Snapshot
from labeling.learning.services import promote
from labeling.queue.models import Entry
from labeling.queue.services import append_arrivals, claim
from labeling.truth import events
from labeling.truth.models import Annotation, Draw, GroundTruth, Origin
from tests.factories import make_items, make_member, make_project
from tests.kept import made_once

KEYS = ("functional", "defective")


class Pool:
    """``photos`` of two classes, half each; the champion is sure of them in turn, margins spread over (0, 1)."""

    def __init__(self, photos: int = 400, *, seed: int = 0, **settings: Any) -> None:
        self.dice = random.Random(seed)
        self.project = make_project(**settings)
        self.admin = self.project.created_by
        self.labelers = [make_member(self.project) for _ in range(2)]
        self.classes = {each.key: each for each in LabelClass.objects.filter(project=self.project)}
        self.items = make_items(self.project, photos, seed=seed)
        self.predicted = {item.pk: KEYS[index % 2] for index, item in enumerate(self.items)}
        self.margin = {item.pk: (index // 2 + 0.5) / (photos / 2) for index, item in enumerate(self.items)}
        append_arrivals(project=self.project, item_ids=[item.pk for item in self.items])
        self.model = self.train([])

    def train(self, truths: list[GroundTruth], *, backbone: str = "none") -> ModelVersion:
        """A version that learned from ``truths``, scores for all photos, and its promotion."""
        number = ModelVersion.objects.filter(project=self.project).count() + 1
        snapshot = Snapshot.objects.create(
            project=self.project,
            guideline=current_guideline(self.project),
            ground_truth_ids=[truth.pk for truth in truths],
            digest=f"{number}" * 64,
            counts={},
        )
        interval = {"value": 0.8, "low": 0.7, "high": 0.9}
        model = ModelVersion.objects.create(
            project=self.project,
            number=number,
            snapshot=snapshot,
            backbone=backbone,
            backbone_hash="0" * 64,
            classes=[self.classes[key].pk for key in KEYS],
            artifact="none",
            manifest={},
            metrics={"cross_validated": {"n": 4, "accuracy": interval, "classes": {}}, "audit": None},
        )
        Score.objects.bulk_create([self._score(item, model) for item in self.items])
        promote(model_version=model, by=self.admin)
        return model

    def _score(self, item: Item, model: ModelVersion) -> Score:
        margin, key = self.margin[item.pk], self.predicted[item.pk]
        top = (1 + margin) / 2
        return Score(
            model_version=model,
            item=item,
            predicted=self.classes[key],
            confidence=margin,
            probabilities=[top, 1 - top] if key == KEYS[0] else [1 - top, top],
        )

    def new_photos(self, count: int, *, key: str = "functional", margin: float = 0.99) -> list[Item]:
        items = make_items(self.project, count, seed=self.dice.randrange(10**6))
        self.items += items
        for item in items:
            self.predicted[item.pk], self.margin[item.pk] = key, margin
        Score.objects.bulk_create([self._score(item, self.model) for item in items])
        append_arrivals(project=self.project, item_ids=[item.pk for item in items])
        return items

    def draw(self, count: int) -> list[Item]:
        """The next photos of the audit walk, drawn now; a plan that is asked for is written before."""
        self.work()
        items = list(
            Item.objects.filter(project=self.project, audit_drawn_at__isnull=True).order_by("random_key")[
                :count
            ]
        )
        moment = timezone.now()
        for place, item in enumerate(items):
            item.audit_drawn_at = moment + timedelta(microseconds=place)
        Item.objects.bulk_update(items, ["audit_drawn_at"])
        return items

    def settle(self, item: Item, key: str | None = None, *, kind: str = "class") -> GroundTruth:
        """As if people had settled it; by default as the champion predicts."""
        drawn = Item.objects.get(pk=item.pk).audit_drawn_at is not None
        before = GroundTruth.objects.filter(item=item, superseded_by__isnull=True).first()
        truth = GroundTruth.objects.create(
            project=self.project,
            item=item,
            kind=kind,
            label_class=self.classes[key or self.predicted[item.pk]] if kind == "class" else None,
            origin=Origin.AGREEMENT,
            draw=Draw.AUDIT if drawn else Draw.RANK,
            guideline=current_guideline(self.project),
            supersedes=before,
        )
        events.settled.send(sender=Annotation, project=self.project, item_ids=[item.pk])
        return truth

    def settle_all(self, said: Iterable[tuple[Item, str | None]]) -> list[GroundTruth]:
        """The same of many photos that had no ground truth: nobody is asked any more, and others hear of the last."""
        keys = {item.pk: key for item, key in said}
        drawn = set(
            Item.objects.filter(pk__in=keys, audit_drawn_at__isnull=False).values_list("pk", flat=True)
        )
        assert not GroundTruth.objects.filter(item__in=keys).exists()
        guideline = current_guideline(self.project)
        truths = GroundTruth.objects.bulk_create(
            GroundTruth(
                project=self.project,
                item_id=pk,
                kind="class",
                label_class=self.classes[key or self.predicted[pk]],
                origin=Origin.AGREEMENT,
                draw=Draw.AUDIT if pk in drawn else Draw.RANK,
                guideline=guideline,
            )
            for pk, key in keys.items()
        )
        Entry.objects.filter(ranking__project=self.project, item__in=keys).delete()
        events.settled.send(sender=Annotation, project=self.project, item_ids=[truths[-1].item_id])
        return truths

    def wrong_below(self, margin: float, items: Iterable[Item]) -> list[tuple[Item, str | None]]:
        """What people say of ``items`` when the champion is wrong of all that it is less sure of."""
        other = {KEYS[0]: KEYS[1], KEYS[1]: KEYS[0]}
        return [
            (item, other[self.predicted[item.pk]] if self.margin[item.pk] < margin else None)
            for item in items
        ]

    def policy(self, **changes: Any) -> None:
        """A test may also do without the audit, to know for each photo who decides it; a project may not."""
        with patch.object(changing_policy, "LEAST_AUDITED", 0.0):
            set_policy(project=self.project, by=self.admin, reason="a test", **changes)

    def work(self) -> list[Job]:
        """Do the frontier's waiting jobs, those that they cause too; orderings need a real backbone and are left."""
        done = []
        while job := (
            Job.objects.of_project(self.project.pk)
            .filter(kind__in=["certify", "decide", "watch"], state=JobState.QUEUED)
            .order_by("created_at")
            .first()
        ):
            runner.run(job.pk)
            job.refresh_from_db()
            assert job.state == JobState.SUCCEEDED, f"{job.error}\n{job.trace}"
            done.append(job)
        return done

    def offered(self) -> set[int]:
        """Photos that labelers who ask for everything get: the queue lends all that it has, a photo to one of them."""
        given: set[int] = set()
        while slots := claim(project=self.project, labeler=make_member(self.project), count=20):
            given |= {slot.item_id for slot in slots}
            Entry.objects.filter(ranking__project=self.project, item__in=given).update(free=0)
        return given

    def waiting(self) -> set[int]:
        return set(Entry.objects.filter(ranking__project=self.project).values_list("item_id", flat=True))


make_pool = made_once(Pool)


@made_once
def certified_pool(*, backbone: str = "", **settings: Any) -> Pool:
    """A pool whose sure photos are certified at 90 %: the champion is wrong of the least sure fifth only.

    ``backbone``: of the champion, where it matters."""
    pool = make_pool(**settings)
    if backbone:
        pool.model = pool.train([], backbone=backbone)
    pool.policy(precision=0.9, planned_labels=180)
    pool.settle_all(pool.wrong_below(0.2, pool.draw(200)))
    pool.work()
    return pool
