"""A project that has lived for weeks: answers, rulings, versions, certificates and decisions, each at its own time.

Rows are written as the services would leave them, but all at once and at made-up moments: for plots and for timing.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
from django.utils import timezone

from inference.forecast import CurvePoint, forecast
from inference.metrics import evaluate
from labeling.catalog.models import Item, LabelClass
from labeling.catalog.selectors import current_guideline
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CertificateEnd,
    CertificationPlan,
    CertificationRun,
    FrontierPolicy,
)
from labeling.learning.models import Diagnostics, ModelVersion, Promotion, Score, Snapshot
from labeling.monitors.models import MonitorReading
from labeling.queue.models import BandOpening, Entry, Ranking
from labeling.truth.models import Annotation, Dispute, Draw, GroundTruth, Origin, Ruling
from tests.factories import make_items, make_member, make_project, place_order
from tests.kept import made_once
from tests.monitors.examples import FIGURES

KEYS = ("functional", "defective")
BANDS = 4
NOTHING_COUNTED = dict.fromkeys(
    ("drawn", "used", "before", "trained", "older", "unscored", "undecided", "open", "behind"), 0
)


@contextmanager
def at(moment: datetime, *, tick: timedelta = timedelta(0)) -> Iterator[None]:
    """Rows made within are made at ``moment``; each look at the clock is ``tick`` later than the one before."""
    clock = itertools.count()
    with patch("django.utils.timezone.now", lambda: moment + tick * next(clock)):
        yield


class Living:
    """``days`` of work that end now, ``photos`` settled by people a day."""

    def __init__(self, days: int = 80, photos: int = 6, *, seed: int = 3, **settings: Any) -> None:
        self.dice = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.days = days
        self.first = timezone.now().replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=days)
        with at(self.first):
            self.project = make_project(bands=BANDS, **settings)
        self.admin = self.project.created_by
        self.labelers = [make_member(self.project) for _ in range(3)]
        self.reviewer = make_member(self.project, "reviewer")
        self.classes = {each.key: each for each in LabelClass.objects.filter(project=self.project)}
        self.guideline = current_guideline(self.project)
        self.items = iter(self.take_in(days * photos * 2 + 400))
        self.settled: list[tuple[Item, str]] = []
        self.model: ModelVersion | None = None
        self.certificates: dict[str, Certificate] = {}
        self.deciding = False
        for day in range(days):
            self.live(day, photos)

    def take_in(self, count: int) -> list[Item]:
        return make_items(self.project, count)

    def key(self, item: Item) -> str:
        """What the photo is, as people will settle it."""
        return self.dice.choices(KEYS, (0.7, 0.3))[0]

    def live(self, day: int, photos: int) -> None:
        morning = self.first + timedelta(days=day)
        if morning.weekday() < 5:
            with at(morning, tick=timedelta(seconds=7)):
                self.label(round(photos * self.dice.uniform(0.5, 1.5)), ease=day / self.days)
        story = {
            0.12: lambda: self.train(promote=True),
            0.2: lambda: self.open_band(1),
            0.33: lambda: self.train(promote=True),
            0.4: lambda: self.open_band(2),
            0.5: lambda: self.certify(functional=0.25),
            0.55: self.switch_on,
            0.66: lambda: self.train(promote=True),
            0.72: lambda: self.certify(functional=0.45, defective=0.3),
            0.78: lambda: self.open_band(3),
            0.88: lambda: self.suspend("defective"),
            0.94: lambda: self.train(promote=False),
        }
        with at(morning + timedelta(hours=7), tick=timedelta(microseconds=500)):
            for share, act in story.items():
                if int(share * self.days) == day:
                    act()
            if self.model is not None and morning.weekday() == 0:
                self.look_for_drift(day)
            if self.deciding and self.certificates:
                self.decide(round(photos * self.dice.uniform(0.6, 2.2)))

    def label(self, count: int, *, ease: float) -> None:
        answers, truths, disputed = [], [], []
        for item in itertools.islice(self.items, count):
            key = self.key(item)
            differ = self.dice.random() < 0.24 - 0.15 * ease
            people = self.dice.sample(self.labelers, 2)
            said = [key, KEYS[key == KEYS[0]] if differ else key]
            answers += [self.answer(item, person, word) for person, word in zip(people, said, strict=True)]
            if differ:
                disputed.append((item, key))
            else:
                truths.append(self.truth(item, key, Origin.AGREEMENT))
            self.settled.append((item, key))
        Annotation.objects.bulk_create(answers)
        GroundTruth.objects.bulk_create(truths)
        disputes = Dispute.objects.bulk_create(
            [
                Dispute(project=self.project, item=item, round=1, cause="disagreement")
                for item, _key in disputed
            ]
        )
        rulings = Ruling.objects.bulk_create(
            [
                Ruling(
                    dispute=dispute,
                    reviewer=self.reviewer,
                    outcome="class",
                    label_class=self.classes[key],
                    guideline=self.guideline,
                )
                for dispute, (_item, key) in zip(disputes, disputed, strict=True)
            ]
        )
        GroundTruth.objects.bulk_create(
            [
                self.truth(item, key, Origin.RULING, ruling=ruling)
                for ruling, (item, key) in zip(rulings, disputed, strict=True)
            ]
        )

    def answer(self, item: Item, person: Any, key: str) -> Annotation:
        return Annotation(
            project=self.project,
            item=item,
            labeler=person,
            key=uuid.uuid4(),
            kind="class",
            label_class=self.classes[key],
            guideline=self.guideline,
            draw=Draw.RANK,
            context={"band": 0},
            view_ms=round(1000 * min(self.dice.lognormvariate(1.4, 0.6), 200)),
        )

    def truth(self, item: Item, key: str, origin: str, **fields: Any) -> GroundTruth:
        return GroundTruth(
            project=self.project,
            item=item,
            kind="class",
            label_class=self.classes[key],
            origin=origin,
            guideline=self.guideline,
            **fields,
        )

    def train(self, *, promote: bool) -> None:
        number = ModelVersion.objects.filter(project=self.project).count() + 1
        n = min(len(self.settled), 4000)
        truths = np.array([KEYS.index(key) for _item, key in self.settled[:n]])
        sure = self.noise.normal(0.8 + 0.22 * number, 1.1, n) * np.where(truths == 1, 1, -1)
        top = 1 / (1 + np.exp(-1.6 * sure))
        probabilities = np.column_stack([1 - top, top])
        snapshot = Snapshot.objects.create(
            project=self.project,
            guideline=self.guideline,
            ground_truth_ids=[],
            digest=f"{number:064}",
            counts={key: int((truths == index).sum()) for index, key in enumerate(KEYS)},
        )
        cross = evaluate(probabilities, truths, list(KEYS))
        model = ModelVersion.objects.create(
            project=self.project,
            number=number,
            snapshot=snapshot,
            backbone="none",
            backbone_hash="0" * 64,
            classes=[self.classes[key].pk for key in KEYS],
            artifact="none",
            manifest={},
            metrics={"order": list(KEYS), "cross_validated": cross, "audit": None},
        )
        self.diagnose(model, truths, probabilities)
        if promote:
            self.promote(model)

    def diagnose(self, model: ModelVersion, truths: Any, probabilities: Any) -> None:
        labels = len(truths)
        sizes = np.unique(np.geomspace(max(labels // 8, 8), labels, 6).astype(int))
        right = float((probabilities.argmax(1) == truths).mean())
        points = [
            CurvePoint(
                n=int(n), accuracy=float(right - 1.2 * (n**-0.5 - labels**-0.5)), spread=0.004, judged=labels
            )
            for n in sizes
        ]
        said = probabilities.argmax(1)
        Diagnostics.objects.create(
            model_version=model,
            item_ids=[item.pk for item, _key in self.settled[:labels]],
            truths=truths.tolist(),
            predicted=said.tolist(),
            confidence=probabilities.max(1).tolist(),
            truth_probability=probabilities[np.arange(labels), truths].tolist(),
            findings={"forecast": forecast(points, labels=labels), "curve": [], "slices": []},
        )

    def promote(self, model: ModelVersion) -> None:
        self.model = model
        Promotion.objects.create(project=self.project, model_version=model, by=self.admin)
        self.end("void", "model")
        Ranking.objects.filter(project=self.project, current=True).update(current=False)
        number = Ranking.objects.filter(project=self.project).count() + 1
        summary = {
            str(self.classes[key].pk): {
                str(band): [1 - (band + 1) / BANDS, 1 - band / BANDS, 100 - 10 * band]
                for band in range(BANDS)
            }
            for key in KEYS
        }
        order = Ranking.objects.create(
            project=self.project,
            number=number,
            strategy="inward",
            bands=BANDS,
            model_version=model,
            current=True,
            summary=summary,
        )
        place_order(order)

    def open_band(self, band: int) -> None:
        BandOpening.objects.create(project=self.project, band=band, cause="pace", figures={})

    def switch_on(self) -> None:
        FrontierPolicy.objects.create(
            project=self.project, precision=0.95, mode="on", by=self.admin, reason="Shadow agreed"
        )
        self.deciding = True

    def certify(self, **coverage: float) -> None:
        assert self.model is not None
        plan = CertificationPlan.objects.create(
            project=self.project,
            sample=str(self.model.number),
            use=f"{self.model.number}-{len(self.certificates)}",
            model_version=self.model,
            guideline=self.guideline,
            precision=0.95,
            delta=0.05,
            budget=0.05,
            undecided_are_errors=True,
            ladders={},
            planned={str(self.classes[key].pk): share for key, share in zip(KEYS, (700, 300), strict=True)},
        )
        run = CertificationRun.objects.create(
            plan=plan, project=self.project, item_ids=[], digest="0" * 64, counts=NOTHING_COUNTED, walks={}
        )
        for key, share in coverage.items():
            self.certificates[key] = Certificate.objects.create(
                project=self.project,
                run=run,
                model_version=self.model,
                guideline=self.guideline,
                label_class=self.classes[key],
                threshold=1 - share,
                coverage=share,
                precision=0.95,
                delta=0.05,
                n=120,
                errors=1,
                bound=0.953,
                method="exact",
                digest="0" * 64,
            )

    def look_for_drift(self, day: int) -> None:
        for kind in ("embeddings", "scores"):
            p_value = self.dice.random() * (1e-3 if 0.7 < day / self.days < 0.8 else 1)
            MonitorReading.objects.create(
                project=self.project,
                monitor=kind,
                state="alert" if p_value < 0.005 else "ok",
                value=0.5,
                p_value=p_value,
                threshold=0.005,
                figures=FIGURES[kind][1][0]["figures"],
                evidence=f"{kind} {day}",
                model_version=self.model,
            )

    def end(self, kind: str, reason: str, keys: tuple[str, ...] = KEYS) -> None:
        for key in keys:
            if certificate := self.certificates.pop(key, None):
                CertificateEnd.objects.create(certificate=certificate, kind=kind, reason=reason)

    def suspend(self, key: str) -> None:
        self.end("suspended", "audit", (key,))

    def decide(self, count: int) -> None:
        assert self.model is not None
        certificates = list(self.certificates.values())
        AutomaticDecision.objects.bulk_create(
            [
                AutomaticDecision(
                    project=self.project,
                    item=item,
                    certificate=certificate,
                    model_version=self.model,
                    label_class=certificate.label_class,
                    confidence=0.9,
                    probabilities=[0.95, 0.05],
                    mode="on",
                    audit=False,
                )
                for item, certificate in zip(
                    itertools.islice(self.items, count), itertools.cycle(certificates), strict=False
                )
            ]
        )

    def score_the_rest(self, count: int = 200) -> None:
        """What the frontier picture counts: scores of the champion, and an order of photos that wait."""
        assert self.model is not None
        ranking = Ranking.objects.get(project=self.project, current=True)
        scores, entries = [], []
        waiting = list(itertools.islice(self.items, count))
        for place, item in enumerate([*waiting, *(item for item, _key in self.settled)]):
            margin = min(0.999, self.dice.betavariate(2.2, 1.1))
            key = self.dice.choices(KEYS, (0.65, 0.35))[0]
            band = min(int((1 - margin) * BANDS), BANDS - 1)
            top = (1 + margin) / 2
            scores.append(
                Score(
                    model_version=self.model,
                    item=item,
                    predicted=self.classes[key],
                    confidence=margin,
                    probabilities=[top, 1 - top] if key == KEYS[0] else [1 - top, top],
                )
            )
            if place >= len(waiting):
                continue
            entries.append(
                Entry(
                    ranking=ranking,
                    item=item,
                    ladder=self.classes[key],
                    band=band,
                    position=place,
                    confidence=margin,
                    free=2,
                )
            )
        Score.objects.bulk_create(scores)
        Entry.objects.bulk_create(entries)


make_living = made_once(Living)
