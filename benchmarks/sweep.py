"""``python -m benchmarks.sweep``: ground truths a labeler-minute, one photo at a time and by sweeping grids.

Four simulated labelers and a reviewer work through the outermost band of ELPV's photos, as a head trained on
``--training`` of them orders it, twice: photo by photo (claim, submit), and in grids (claim, hand in), whose marked
photos they then label one at a time. All through the real services on an own database: leases, two strict looks a photo,
gold, disputes, voided grids. Only the people and their clock are simulated, and everything said here stands or falls
with these assumptions, all of which are options:

* **Seconds.** One at a time, ``--single-seconds`` a photo (2.0: an assumption). In a grid ``--glance-seconds`` a photo
  (0.6, two fixations of 0.3 s: an assumption), ``--mark-seconds`` a marked photo (1.2) and ``--grid-seconds`` a grid (2.0,
  to read what it asks and to hand it in). ``break_even_glance_seconds`` says how slow a glance may be until a sweep gains
  nothing.
* **Judgement.** A labeler sees a defect with the experts' probability for that photo, as in the other benchmarks.
* **Inattention.** What is odd and could be seen is overlooked with ``--miss-single`` (.025) one at a time and with
  ``--miss-grid`` (.14) in a grid: errors in a search for targets that pop out, at 50 % and at 2 % prevalence (Rich,
  Hidalgo-Sotelo, Kunar, Van Wert and Wolfe, VSS 2007). Where the search is hard, people miss 30 to 40 % of rare targets
  (Kunar, Rich and Wolfe 2010): ``by_inattention`` repeats the sweep with less and with that much. ``--false-mark`` (.01):
  a photo that is not odd is marked, or called defective, by mistake.

Reviewers rule a dispute in ``--ruling-seconds`` (4.0), right nine times in ten; their minutes are told apart.
A ground truth is wrong where it is a class other than the experts' (over 1/2 is defective).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.bench_project import CLASSES, close_connections, set_up_django
from benchmarks.elpv import embed, photos
from benchmarks.running import own_database

if TYPE_CHECKING:
    from labeling.catalog.models import Project
    from labeling.people.models import User
    from labeling.queue.sweeps.selectors import Grid

LABELERS = 4
GOLD_A_CLASS = 40
REVIEWER_RIGHT = 0.9
BANDS = 3
KEYS = ("functional", "defective")
INATTENTION = (0.05, 0.35)


@dataclass(frozen=True)
class People:
    """How simulated people look, judge and tire. Seconds, and probabilities."""

    single_seconds: float
    glance_seconds: float
    mark_seconds: float
    grid_seconds: float
    ruling_seconds: float
    miss_single: float
    miss_grid: float
    false_mark: float


@dataclass
class Tally:
    """What one way of working came to. Seconds are the simulated clock's, of all labelers together."""

    ground_truths: int = 0
    wrong: int = 0
    looks: int = 0
    labeler_seconds: float = 0.0
    reviewer_seconds: float = 0.0
    rulings: int = 0
    gold_asked: int = 0
    gold_missed: int = 0
    grids: int = 0
    glanced: int = 0
    voided: int = 0
    marked: int = 0
    pauses: int = 0
    service_ms: list[float] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        mine, others = vars(self), vars(other)
        return Tally(**{name: mine[name] + others[name] for name in mine})

    def as_json(self) -> dict[str, Any]:
        minutes = self.labeler_seconds / 60
        told: dict[str, Any] = {
            "ground_truths_per_minute": round(self.ground_truths / minutes, 2),
            "error_rate": round(self.wrong / max(self.ground_truths, 1), 4),
            "ground_truths_per_person_minute": round(
                self.ground_truths / (minutes + self.reviewer_seconds / 60), 2
            ),
            "ground_truths": self.ground_truths,
            "wrong": self.wrong,
            "labeler_minutes": round(minutes, 2),
            "reviewer_minutes": round(self.reviewer_seconds / 60, 2),
            "rulings": self.rulings,
            "gold_asked": self.gold_asked,
            "gold_missed": self.gold_missed,
            "pauses": self.pauses,
            "looks": self.looks,
        }
        if self.grids:
            told |= {
                "grids": self.grids,
                "voided_grids": self.voided,
                "marked": self.marked,
                "hand_in_median_ms": round(float(np.median(self.service_ms)), 1),
            }
        return told


class Work:
    """A project with ELPV's photos in a champion's order, and the people who settle its outermost band."""

    def __init__(self, name: str, order: Order, people: People, seed: int) -> None:
        from labeling.catalog.services import create_project, set_role
        from labeling.people.models import User

        self.people = people
        self.dice = random.Random(seed)
        self.tally = Tally()
        admin, _created = User.objects.get_or_create(username="admin", is_superuser=True)
        self.project: Project = create_project(
            slug=name,
            name=name,
            question="Is this cell defective?",
            classes=CLASSES,
            by=admin,
            bands=BANDS,
            boundary_after=1_000_000,
            audit_rate=0.0,
            sweep_allowed=True,
            min_view_ms=0,
        )
        self.admin = admin
        self.labelers: list[User] = []
        for number in range(LABELERS):
            user, _created = User.objects.get_or_create(username=f"labeler{number}")
            set_role(project=self.project, user=user, role="labeler", by=admin)
            self.labelers.append(user)
        self.probability = order.take_in(self.project, admin)

    # -- judging ----------------------------------------------------------------------------------------------

    def _judge(self, item_id: int, miss: float) -> str:
        """Functional unless a defect is seen, and noticed."""
        defective = self.dice.random() < self.probability[item_id]
        slip = miss if defective else self.people.false_mark
        if self.dice.random() < slip:
            defective = not defective
        return KEYS[defective]

    def _stands_out(self, item_id: int, shown_as: str) -> bool:
        """Whether a photo of a grid is noticed as not being what the grid says."""
        odd = KEYS[self.dice.random() < self.probability[item_id]] != shown_as
        slip = self.people.miss_grid if odd else self.people.false_mark
        return odd if self.dice.random() >= slip else not odd

    # -- one at a time ----------------------------------------------------------------------------------------

    def single(self, labeler: User, *, only_apart: bool = False) -> bool:
        """One photo; with ``only_apart`` only if it is one that was marked in a grid."""
        from labeling.queue.models import SweepPhoto
        from labeling.queue.services import claim, release, submit
        from labeling.truth.services import Answer

        slots = claim(project=self.project, labeler=labeler, count=1, dice=self.dice)
        if not slots:
            return self._resume(labeler)
        slot = slots[0]
        apart = SweepPhoto.objects.filter(item=slot.item_id, apart=True).exists()
        if only_apart and not apart and slot.draw != "gold":
            release(project=self.project, labeler=labeler, lease=slot.pk)
            return False
        said = self._judge(slot.item_id, self.people.miss_single)
        submit(
            project=self.project,
            labeler=labeler,
            lease=slot.pk,
            key=uuid.uuid4(),
            answer=Answer(kind="class", class_key=said),
            view_ms=int(1000 * self.people.single_seconds),
        )
        self.tally.looks += 1
        self.tally.labeler_seconds += self.people.single_seconds
        if slot.draw == "gold":
            self.tally.gold_asked += 1
            self.tally.gold_missed += said != KEYS[self.probability[slot.item_id] > 0.5]
        return True

    # -- in grids ---------------------------------------------------------------------------------------------

    def grid(self, labeler: User, prefer: str) -> bool:
        from labeling.queue.sweeps.services import Mark, claim_sweep, hand_in

        found: Grid | None = claim_sweep(project=self.project, labeler=labeler, prefer=prefer, dice=self.dice)
        if found is None:
            return self._resume(labeler)
        shown_as = found.sweep.label_class.key
        marks = {photo.pk: Mark() for photo in found.photos if self._stands_out(photo.item_id, shown_as)}
        seconds = (
            self.people.grid_seconds
            + self.people.glance_seconds * len(found.photos)
            + self.people.mark_seconds * len(marks)
        )
        began = time.perf_counter()
        done = hand_in(
            project=self.project,
            labeler=labeler,
            sweep_id=found.sweep.pk,
            key=uuid.uuid4(),
            marks=marks,
            view_ms=int(1000 * seconds),
        )
        self.tally.service_ms.append(1000 * (time.perf_counter() - began))
        self.tally.grids += 1
        self.tally.glanced += len(found.photos)
        self.tally.voided += not done.hand_in.counts
        self.tally.marked += len(marks)
        self.tally.gold_asked += sum(photo.known_id is not None for photo in found.photos)
        self.tally.gold_missed += len(done.missed)
        self.tally.looks += len(found.photos)
        self.tally.labeler_seconds += seconds
        return True

    # -- both -------------------------------------------------------------------------------------------------

    def _resume(self, labeler: User) -> bool:
        """Let a paused labeler go on, as an admin would; say whether they were paused."""
        from labeling.truth.current import pause_of
        from labeling.truth.services import lift_pause

        if pause_of(self.project, labeler) is None:
            return False
        lift_pause(project=self.project, labeler=labeler, by=self.admin)
        self.tally.pauses += 1
        return True

    def rule(self) -> None:
        from labeling.truth.models import Dispute
        from labeling.truth.services import rule

        for dispute in Dispute.objects.open().filter(project=self.project).order_by("created_at"):
            right = self.dice.random() < REVIEWER_RIGHT
            defective = (self.probability[dispute.item_id] > 0.5) == right
            rule(
                project=self.project,
                dispute_id=dispute.pk,
                reviewer=self.admin,
                outcome="class",
                class_key=KEYS[defective],
            )
            self.tally.rulings += 1
            self.tally.reviewer_seconds += self.people.ruling_seconds

    def count(self) -> int:
        from labeling.truth.models import GroundTruth

        truths = GroundTruth.objects.trainable().filter(project=self.project).select_related("label_class")
        self.tally.ground_truths = self.tally.wrong = 0
        for truth in truths:
            assert truth.label_class is not None
            self.tally.ground_truths += 1
            self.tally.wrong += truth.label_class.key != KEYS[self.probability[truth.item_id] > 0.5]
        return self.tally.ground_truths

    def one_at_a_time(self, wanted: int) -> Tally:
        while self.count() < wanted:
            answered = [self.single(labeler) for labeler in self.labelers for _n in range(10)]
            if not any(answered):
                break
            self.rule()
        return self.tally

    def sweep(self, wanted: int) -> Tally:
        """Everybody takes a grid, then the photos that were marked, one at a time, until none of them is left."""
        turn = 0
        while self.count() < wanted:
            # Classes take turns, as they do in the queue that goes photo by photo.
            swept = [self.grid(labeler, KEYS[turn % 2]) for labeler in self.labelers]
            turn += 1
            for labeler in self.labelers:
                while self.single(labeler, only_apart=True):
                    pass
            self.rule()
            if not any(swept):
                break
        return self.tally


class Order:
    """ELPV's photos as a head orders them that has learned from some of them. Made once, taken in by each project."""

    def __init__(self, seed: int, training: int) -> None:
        from inference import backbones
        from inference.heads import LogisticHead

        keys, _files, self.expert = photos()
        self.keys = np.array(keys)
        vectors = embed(backbones.load("efficientnet_lite0"))
        dice = np.random.default_rng([seed, 61])
        shuffled = dice.permutation(len(keys))
        clear = [
            [at for at in shuffled.tolist() if self.expert[at] == wanted][:GOLD_A_CLASS]
            for wanted in (0.0, 1.0)
        ]
        self.gold = dict(zip(KEYS, clear, strict=True))
        rest = np.array([at for at in shuffled.tolist() if at not in {*clear[0], *clear[1]}])
        taught, self.pool = rest[:training], rest[training:]
        head = LogisticHead(seed=seed).fit(vectors[taught], (self.expert[taught] > 0.5).astype(int))
        self.proba = head.predict_proba(vectors[self.pool])
        self.vectors = vectors
        self.seed = seed

    def take_in(self, project: Project, admin: User) -> dict[int, float]:
        """Rows of photos, gold and an order in the project; return the experts' probability by item id."""
        from django.utils import timezone

        from inference.strategies import get
        from inference.strategies.base import Pool
        from labeling.catalog.models import Image, Item
        from labeling.catalog.selectors import current_guideline
        from labeling.learning.compute.ordering import Prepared, order
        from labeling.learning.compute.scoring import margins
        from labeling.learning.models import ModelVersion, Promotion, Snapshot
        from labeling.queue.ranking import swap_in, write_ranking
        from labeling.truth.services import add_gold

        began = timezone.now()
        Image.objects.bulk_create(
            [Image(sha256=key, format="PNG", width=300, height=300, size=1) for key in self.keys],
            ignore_conflicts=True,
        )
        images = dict(Image.objects.filter(sha256__in=self.keys.tolist()).values_list("sha256", "pk"))
        dice = random.Random(self.seed)
        wanted = [*self.pool.tolist(), *(at for some in self.gold.values() for at in some)]
        items = Item.objects.bulk_create(
            [
                Item(project=project, image_id=images[self.keys[at]], random_key=dice.expovariate(1.0))
                for at in wanted
            ]
        )
        by_photo = dict(zip(wanted, items, strict=True))
        for key, some in self.gold.items():
            for at in some:
                add_gold(project=project, item=by_photo[at], class_key=key, by=admin)
        classes = dict(project.label_classes.values_list("key", "pk"))
        version = ModelVersion.objects.create(
            project=project,
            number=1,
            snapshot=Snapshot.objects.create(
                project=project,
                guideline=current_guideline(project),
                ground_truth_ids=[],
                digest="0" * 64,
                counts={},
            ),
            backbone="efficientnet_lite0",
            backbone_hash="0" * 64,
            classes=[classes[key] for key in KEYS],
            artifact="measured",
            manifest={},
            metrics={},
        )
        Promotion.objects.create(project=project, model_version=version, by=admin)
        none = self.vectors[:0]
        pool = Pool(
            np.array([by_photo[at].pk for at in self.pool.tolist()], dtype=np.int64),
            self.vectors[self.pool],
            self.proba,
            none,
            np.empty(0, dtype=np.int64),
        )
        ordered = order(
            Prepared(get("inward"), pool, [classes[key] for key in KEYS], version.pk, []),
            bands=BANDS,
            seed=self.seed,
        )
        ranking = write_ranking(
            project=project,
            ordered=ordered,
            strategy="inward",
            seed=self.seed,
            bands=ordered.bands,
            arrivals=[],
            margins=margins(version, self.proba.astype(np.float32)),
            read_at=began,
        )
        swap_in(ranking=ranking, read_at=began)
        return {item.pk: float(self.expert[at]) for at, item in by_photo.items()}


@contextmanager
def _told(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"  {what}: {time.monotonic() - began:.1f} s", flush=True)


def _break_even(single: Tally, swept: Tally, people: People) -> float:
    """Seconds a photo in a grid at which a sweep makes as many ground truths a labeler-minute as one at a time."""
    beside = swept.labeler_seconds - people.glance_seconds * swept.glanced
    allowed = swept.ground_truths * single.labeler_seconds / single.ground_truths
    return (allowed - beside) / swept.glanced


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--labels", type=int, default=400, help="ground truths to reach, each way")
    parser.add_argument(
        "--training", type=int, default=200, help="photos that the order's head has learned from"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--single-seconds", type=float, default=2.0)
    parser.add_argument("--glance-seconds", type=float, default=0.6)
    parser.add_argument("--mark-seconds", type=float, default=1.2)
    parser.add_argument("--grid-seconds", type=float, default=2.0)
    parser.add_argument("--ruling-seconds", type=float, default=4.0)
    parser.add_argument("--miss-single", type=float, default=0.025)
    parser.add_argument("--miss-grid", type=float, default=0.14)
    parser.add_argument("--false-mark", type=float, default=0.01)
    parser.add_argument(
        "--quick", action="store_true", help="one seed, 100 ground truths each way, one other inattention"
    )
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.labels, chosen.seeds = min(chosen.labels, 100), 1
    names = People.__dataclass_fields__
    people = People(**{name: getattr(chosen, name) for name in names})
    began = time.monotonic()
    misses = (chosen.miss_grid, *(INATTENTION[1:] if chosen.quick else INATTENTION))
    single, swept = Tally(), {miss: Tally() for miss in misses}
    with own_database():
        set_up_django()
        for seed in range(chosen.seed, chosen.seed + chosen.seeds):
            order = Order(seed, chosen.training)
            with _told(f"seed {seed}, one at a time"):
                single += Work(f"single-{seed}", order, people, seed).one_at_a_time(chosen.labels)
            for number, miss in enumerate(misses):
                with _told(f"seed {seed}, sweep, {miss:.0%} overlooked"):
                    these = People(**(asdict(people) | {"miss_grid": miss}))
                    swept[miss] += Work(f"sweep-{seed}-{number}", order, these, seed).sweep(chosen.labels)
        close_connections()
    main_sweep = swept[chosen.miss_grid]
    result = {
        "benchmark": "sweep",
        "one_at_a_time": single.as_json(),
        "sweep": main_sweep.as_json(),
        "times_faster": round(
            (main_sweep.ground_truths / main_sweep.labeler_seconds)
            / (single.ground_truths / single.labeler_seconds),
            2,
        ),
        "break_even_glance_seconds": round(_break_even(single, main_sweep, people), 2),
        "by_inattention": {str(miss): tally.as_json() for miss, tally in swept.items()},
        "assumed": asdict(people),
        "n": single.ground_truths + main_sweep.ground_truths,
        "labelers": LABELERS,
        "training": chosen.training,
        "seed": chosen.seed,
        "seeds": chosen.seeds,
        "seconds": round(time.monotonic() - began, 1),
        "device": f"{platform.machine()}, {os.cpu_count()} cores",
        "how": "simulated people and clock, real services and photos (ELPV); two strict looks a photo, outermost band",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
