"""A stream of photos in a real project, and the people who answer: through the services, or in bulk by the same rule.

Two labelers look at a photo, blind, and answer by the experts' probability; where they differ a reviewer rules, and is
right nine times in ten. What each would say of a photo is settled beforehand, so whoever is asked, and by whichever way, the
photo ends with the same ground truth at the same cost (``tests/frontier/test_stream_of_the_benchmark.py``).

*By hand*: claim, submit, ruling, as over the web. *In bulk*: the answers go through ``labeling.truth.consensus.consensus``,
the rule that the services use, and the rows that they would leave are written at once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.replay.people import REVIEWER_RIGHT

if TYPE_CHECKING:
    from labeling.catalog.models import Project
    from labeling.learning.models import ModelVersion
    from labeling.people.models import User

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
KEYS = ("functional", "defective")


@dataclass(frozen=True)
class Stream:
    """``n`` photos, and what people would say of each. Columns: 0 functional, 1 defective.

    Attributes:
        proba: (n, 2) the model's probabilities.
        truth: (n,) by the experts.
        first, second: (n,) two blind answers.
        ruled: (n,) what the reviewer would rule.
    """

    proba: Floats
    truth: Ints
    first: Ints
    second: Ints
    ruled: Ints

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def predicted(self) -> Ints:
        return np.asarray(self.proba.argmax(axis=1), dtype=np.int64)

    @property
    def margin(self) -> Floats:
        return np.abs(self.proba[:, 1] - self.proba[:, 0])

    @property
    def human_decisions(self) -> Ints:
        """(n,) two answers, and a ruling where they differ."""
        return np.asarray(2 + (self.first != self.second), dtype=np.int64)


def draw_stream(
    rng: np.random.Generator, probability: Floats, half: Ints, proba: Floats, photos: int
) -> Stream:
    """``photos`` draws with replacement from ``half`` (h,), judged by ``proba`` (h, 2); answers are drawn anew each time."""
    at = rng.integers(len(half), size=photos)
    belief = probability[half[at]]
    truth = (belief > 0.5).astype(np.int64)
    first, second = (rng.random((2, photos)) < belief).astype(np.int64)
    ruled = np.where(rng.random(photos) < REVIEWER_RIGHT, truth, 1 - truth)
    return Stream(proba[at], truth, first, second, ruled)


@dataclass(frozen=True)
class Said:
    """An answer, as the rule reads it."""

    kind: str
    label_class_id: int | None


class Site:
    """A project with the stream as its pool, two labelers, a reviewer and an admin.

    ``items`` (n,) are the stream's photos in their order. ``spent`` counts human decisions on them.
    """

    def __init__(
        self, slug: str, stream: Stream, *, seed: int, admin: User, labelers: Sequence[User], reviewer: User
    ) -> None:
        from labeling.catalog.models import LabelClass
        from labeling.catalog.services import create_project, set_role

        self.stream, self.admin, self.labelers, self.reviewer = stream, admin, list(labelers), reviewer
        self.spent = 0
        self.project: Project = create_project(
            slug=slug,
            name=slug,
            question="Is this cell defective?",
            classes=[{"key": key, "name": key.title(), "criteria": key} for key in KEYS],
            by=admin,
            min_view_ms=0,
            gold_rate=0.0,
            audit_rate=0.0,
        )
        for person in labelers:
            set_role(project=self.project, user=person, role="labeler", by=admin)
        set_role(project=self.project, user=reviewer, role="reviewer", by=admin)
        by_key = {each.key: each.pk for each in LabelClass.objects.filter(project=self.project)}
        self.classes = [by_key[key] for key in KEYS]
        self.items = self._take_in([f"{seed}/{k}" for k in range(len(stream))], seed)

    def _take_in(self, names: list[str], seed: int) -> Ints:
        """Rows of photos that were drawn before may be there already: projects share them."""
        from django.db import connection, transaction

        from labeling.queue.places import ARRIVALS
        from labeling.queue.services import append_arrivals

        hashes = [hashlib.sha256(name.encode()).hexdigest() for name in names]
        keys = np.random.default_rng([seed, 29, len(names)]).exponential(size=len(names))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at) "
                "SELECT s, 'PNG', 300, 300, 40000, 32767, '{}', now() FROM unnest(%s::text[]) s ON CONFLICT DO NOTHING",
                [hashes],
            )
            cursor.execute(
                "INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at) "
                "SELECT %s, g.id, 'stream', '', r.key, now() "
                "FROM unnest(%s::text[], %s::float8[]) WITH ORDINALITY r (sha256, key, at) "
                "JOIN catalog_image g USING (sha256) ORDER BY r.at RETURNING id",
                [self.project.pk, hashes, keys.tolist()],
            )
            items = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
            items.sort()
            append_arrivals(project=self.project, item_ids=items[:1].tolist())
            cursor.execute(
                "INSERT INTO queue_entry (ranking_id, item_id, band, position, draw, round, taken, free, late) "
                "SELECT r.id, i.id, %s, (random() * 2147483647)::int, 'rank', 1, 0, %s, true "
                "FROM catalog_item i JOIN queue_ranking r ON r.project_id = i.project_id AND r.current "
                "WHERE i.id = ANY(%s) ON CONFLICT DO NOTHING",
                [ARRIVALS, self.project.answers_per_image, items.tolist()],
            )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE catalog_item, catalog_image, queue_entry")
        return items

    @cached_property
    def place(self) -> dict[int, int]:
        """Item id -> its place in the stream."""
        return {item: k for k, item in enumerate(self.items.tolist())}

    # -- people ----------------------------------------------------------------------------------------------

    def settle_by_hand(self, most: int) -> int:
        """Labelers claim and submit, and the reviewer rules, until nothing that was drawn is open; return the answers.

        Which photos, the queue says: those that were drawn come first. No more than ``most`` answers are given.
        """
        from labeling.queue.services import claim, submit
        from labeling.truth.models import Dispute
        from labeling.truth.services import Answer, rule

        given = 0
        while given < most and self.open_drawn():
            before = given
            for person, says in zip(self.labelers, (self.stream.first, self.stream.second), strict=True):
                for slot in claim(project=self.project, labeler=person, count=1):
                    submit(
                        project=self.project,
                        labeler=person,
                        lease=slot.pk,
                        key=uuid.uuid4(),
                        answer=Answer("class", KEYS[says[self.place[slot.item_id]]]),
                        view_ms=1500,
                    )
                    given += 1
            for dispute in list(Dispute.objects.open().filter(project=self.project)):
                rule(
                    project=self.project,
                    dispute_id=dispute.pk,
                    reviewer=self.reviewer,
                    outcome="class",
                    class_key=KEYS[self.stream.ruled[self.place[dispute.item_id]]],
                )
                self.spent += 1
            if given == before:
                break
        self.spent += given
        return given

    def settle_in_bulk(self, places: Iterable[int]) -> None:
        """The same people, rule and rows for these photos, without a claim each; answers that are there stay.

        ``events.settled`` is not sent: ask for the jobs that it would have asked for.
        """
        from django.db import connection, transaction

        from labeling.catalog.selectors import current_guideline
        from labeling.truth.consensus import consensus
        from labeling.truth.models import Annotation, Dispute, GroundTruth, Origin, Ruling

        wanted = sorted(places)
        if not wanted:
            return
        guideline = current_guideline(self.project)
        resolution = {pk: pk for pk in self.classes}
        ids = [int(self.items[k]) for k in wanted]
        drawn = self._drawn(ids)
        there = set(Annotation.objects.filter(item__in=ids).values_list("item_id", "labeler_id"))
        answers, disputes, agreed, disputed = [], [], [], []
        for k, item in zip(wanted, ids, strict=True):
            said = [
                Said("class", self.classes[column])
                for column in (self.stream.first[k], self.stream.second[k])
            ]
            for person, each in zip(self.labelers, said, strict=True):
                if (item, person.pk) in there:
                    continue
                answers.append(
                    Annotation(
                        project=self.project,
                        item_id=item,
                        labeler=person,
                        key=uuid.uuid4(),
                        kind=each.kind,
                        label_class_id=each.label_class_id,
                        guideline=guideline,
                        draw="audit" if item in drawn else "rank",
                        view_ms=1500,
                    )
                )
            found = consensus(
                said, wanted=self.project.answers_per_image, needed=len(said), resolution=resolution
            )
            if found.state == "agreed":
                agreed.append((item, found.label_class_id))
            else:
                dispute = Dispute(project=self.project, item_id=item, round=1, cause=found.cause)
                disputes.append(dispute)
                disputed.append((dispute, self.classes[self.stream.ruled[k]]))
        truth = {"project": self.project, "kind": "class", "guideline": guideline}
        with transaction.atomic():
            Annotation.objects.bulk_create(answers, batch_size=2000)
            Dispute.objects.bulk_create(disputes, batch_size=2000)
            rulings = Ruling.objects.bulk_create(
                [
                    Ruling(
                        dispute=dispute,
                        reviewer=self.reviewer,
                        outcome="class",
                        label_class_id=class_id,
                        guideline=guideline,
                    )
                    for dispute, class_id in disputed
                ]
            )
            made = [
                GroundTruth(
                    **truth,
                    item_id=item,
                    label_class_id=class_id,
                    origin=Origin.AGREEMENT,
                    draw="audit" if item in drawn else "rank",
                )
                for item, class_id in agreed
            ] + [
                GroundTruth(
                    **truth,
                    item_id=ruling.dispute.item_id,
                    label_class_id=ruling.label_class_id,
                    origin=Origin.RULING,
                    ruling=ruling,
                    draw="audit" if ruling.dispute.item_id in drawn else "rank",
                )
                for ruling in rulings
            ]
            GroundTruth.objects.bulk_create(made, batch_size=2000)
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM queue_entry WHERE item_id = ANY(%s) AND ranking_id IN "
                    "(SELECT id FROM queue_ranking WHERE project_id = %s AND current)",
                    [ids, self.project.pk],
                )
        self.spent += len(answers) + len(disputed)

    def _drawn(self, ids: list[int]) -> set[int]:
        from labeling.catalog.models import Item

        found = Item.objects.filter(pk__in=ids, audit_drawn_at__isnull=False)
        return set(found.values_list("pk", flat=True))

    def open_drawn(self) -> list[int]:
        """Places of photos that were drawn at random and that people have not settled."""
        from django.db.models import Q

        from labeling.catalog.models import Item
        from labeling.truth.models import GroundTruth

        found = Item.objects.filter(
            Q(audit_drawn_at__isnull=False) | Q(drawn_for_band__isnull=False), project=self.project
        ).exclude(pk__in=GroundTruth.objects.filter(project=self.project).values("item"))
        return [self.place[item] for item in found.values_list("pk", flat=True) if item in self.place]

    # -- the model -------------------------------------------------------------------------------------------

    def promote(
        self,
        *,
        ground_truth: Ints,
        out_of_fold: Floats,
        seed: int,
        kind: str,
        backbone: str,
        backbone_hash: str,
    ) -> ModelVersion:
        """The training photos as settled items, a version that learned from them, its scores, and its promotion."""
        from django.db import connection

        from labeling.catalog.selectors import current_guideline
        from labeling.learning.models import Diagnostics, ModelVersion, Snapshot
        from labeling.learning.services import promote
        from labeling.truth.models import GroundTruth, Origin

        guideline = current_guideline(self.project)
        taught = self._take_in([f"{seed}/taught/{k}" for k in range(len(ground_truth))], seed)
        truths = GroundTruth.objects.bulk_create(
            GroundTruth(
                project=self.project,
                item_id=item,
                kind="class",
                label_class_id=self.classes[column],
                origin=Origin.AGREEMENT,
                guideline=guideline,
            )
            for item, column in zip(taught.tolist(), ground_truth.tolist(), strict=True)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM queue_entry WHERE item_id = ANY(%s) AND ranking_id IN "
                "(SELECT id FROM queue_ranking WHERE project_id = %s AND current)",
                [taught.tolist(), self.project.pk],
            )
        ids = [truth.pk for truth in truths]
        snapshot = Snapshot.objects.create(
            project=self.project,
            guideline=guideline,
            ground_truth_ids=ids,
            digest=hashlib.sha256(repr(ids).encode()).hexdigest(),
            counts={},
        )
        interval = {"value": 0.0, "low": 0.0, "high": 1.0}
        model = ModelVersion.objects.create(
            project=self.project,
            number=1,
            snapshot=snapshot,
            backbone=backbone,
            backbone_hash=backbone_hash,
            classes=self.classes,
            artifact="benchmark",
            manifest={"head": kind},
            metrics={
                "cross_validated": {"n": len(ids), "accuracy": interval, "classes": {}},
                "audit": None,
            },
        )
        column = out_of_fold.argmax(axis=1)
        Diagnostics.objects.create(
            model_version=model,
            item_ids=taught.tolist(),
            truths=ground_truth.tolist(),
            predicted=column.tolist(),
            confidence=out_of_fold.max(axis=1).tolist(),
            truth_probability=out_of_fold[np.arange(len(ground_truth)), ground_truth].tolist(),
            findings={},
        )
        self._score(model)
        promote(model_version=model, by=self.admin)
        return model

    def _score(self, model: ModelVersion) -> None:
        from django.db import connection, transaction

        rows = zip(
            self.items.tolist(),
            self.stream.predicted.tolist(),
            self.stream.margin.tolist(),
            self.stream.proba.tolist(),
            strict=True,
        )
        columns = "model_version_id, item_id, predicted_id, confidence, probabilities"
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.copy(f"COPY learning_score ({columns}) FROM STDIN") as copy,
        ):
            for item, predicted, margin, proba in rows:
                copy.write_row((model.pk, item, self.classes[predicted], margin, proba))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE learning_score")

    # -- the frontier ----------------------------------------------------------------------------------------

    def work(self) -> list[Any]:
        """Do the frontier's waiting jobs and those that they cause; orderings would need the photos' bytes and are left."""
        import labeling.frontier.tasks
        import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
        from labeling.jobs import runner
        from labeling.jobs.models import Job, JobState

        done = []
        while job := (
            Job.objects.of_project(self.project.pk)
            .filter(kind__in=["certify", "decide", "watch"], state=JobState.QUEUED)
            .order_by("created_at")
            .first()
        ):
            runner.run(job.pk)
            job.refresh_from_db()
            if job.state != JobState.SUCCEEDED:
                raise SystemExit(f"{job.kind} {job.state}: {job.error}\n{job.trace}")
            done.append(job)
        return done
