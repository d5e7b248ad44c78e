"""The whole loop by simulated people, over HTTP only: label, review, retrain, promote, re-rank.

A labeler answers by the experts' probability of the photo; where the experts were unsure (1/3, 2/3) they hold it
now and then. ``noisy`` labelers also slip on one answer in ten. A reviewer rules what is disputed and is right nine
times in ten. Accuracy is the champion's on photos that nobody was shown, against the experts (over 1/2 is
defective).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.client import ApiError, Person
from benchmarks.running import answers, hilltop, own_database
from labeling.catalog.elpv import clear_cells, elpv_cells, elpv_folder

DEMO_PASSWORD = "look-closely"
GOLD_A_CLASS = 15
FIRST_MODEL_A_CLASS = 5
HOLD_SHARE = 0.25
SLIP = {"expert": 0.0, "noisy": 0.1}
REVIEWER_RIGHT = 0.9
PREPARING = {"intake", "embed", "rank"}


@dataclass
class Run:
    """What one seed came to."""

    ground_truths: int = 0
    human_decisions: int = 0
    wrong: int = 0
    accuracy: float = 0.0
    unseen: int = 0
    curve: list[tuple[int, int, float]] = field(default_factory=list)


class Simulation:
    """Two labelers, a reviewer and an admin in a fresh project."""

    def __init__(self, url: str, options: argparse.Namespace, seed: int) -> None:
        self.options = options
        self.seed = seed
        self.dice = random.Random(seed)
        self.probability = {
            hashlib.sha256(cell.path.read_bytes()).hexdigest(): cell.probability for cell in elpv_cells()
        }
        self.admin = Person(url, "admin1", options.password)
        self.reviewer = Person(url, "reviewer1", options.password)
        self.labelers = [Person(url, name, options.password) for name in ("labeler1", "labeler2")]
        self.slug = f"loop-{options.strategy}-{seed}-{uuid.uuid4().hex[:6]}"
        self.shown: set[str] = set()
        self.decisions = 0

    def prepare(self) -> None:
        """Make the project, take the photos in, and wait until it has an order."""
        self.admin.post(
            "projects",
            {
                "slug": self.slug,
                "name": f"Simulated: {self.options.strategy}, seed {self.seed}",
                "question": "Is this cell defective?",
                "classes": [
                    {"key": "functional", "name": "Functional", "criteria": "The whole cell glows."},
                    {"key": "defective", "name": "Defective", "criteria": "Some of the cell gives no power."},
                ],
                "strategy": self.options.strategy,
                "min_view_ms": 0,
                "boundary_after": self.options.boundary_after,
            },
        )
        for person in self.labelers:
            self.admin.put(f"projects/{self.slug}/members/{person.username}", {"role": "labeler"})
        self.admin.put(f"projects/{self.slug}/members/{self.reviewer.username}", {"role": "reviewer"})
        started = self.admin.post(f"projects/{self.slug}/intake", {"folder": str(elpv_folder())})
        self.admin.wait_for(self.slug, started["job"])
        for key in ("functional", "defective"):
            for cell in clear_cells(count=GOLD_A_CLASS, defective=key == "defective"):
                sha256 = hashlib.sha256(cell.path.read_bytes()).hexdigest()
                self.admin.post(f"projects/{self.slug}/gold", {"sha256": sha256, "class": key})
        self.admin.wait_until_settled(self.slug, PREPARING)

    def run(self) -> Run:
        run = Run()
        next_training = self.options.retrain_every
        idle = 0
        while run.ground_truths < self.options.labels:
            answered = sum(self._answer_one(labeler) for labeler in self.labelers)
            ruled = self._rule()
            idle = 0 if answered or ruled else idle + 1
            if idle > 50:
                raise SystemExit(f"nothing left to label at {run.ground_truths} ground truths ({self.slug})")
            if idle:
                time.sleep(0.2)
            run.ground_truths = self._ground_truths()
            if run.ground_truths >= min(next_training, self.options.labels):
                next_training = run.ground_truths + self.options.retrain_every
                accuracy = self._retrain()
                if accuracy is not None:
                    run.accuracy, run.unseen = accuracy
                    run.curve.append((run.ground_truths, self.decisions, run.accuracy))
                    print(
                        f"  {run.ground_truths:>5} ground truths {self.decisions:>6} human decisions "
                        f"  accuracy {run.accuracy:.3f}  {_bar(run.accuracy)}",
                        flush=True,
                    )
        run.human_decisions = self.decisions
        run.wrong = self._wrong()
        return run

    def _answer_one(self, labeler: Person) -> int:
        claimed = labeler.post(f"projects/{self.slug}/claims", {"count": 1})
        if claimed["state"] == "paused":
            print(f"  {labeler.username} is paused by gold answers; the admin lets them go on", flush=True)
            self.admin.post(f"projects/{self.slug}/labelers/{labeler.username}/resume")
            return 1
        for task in claimed["tasks"][:1]:
            sha256 = task["photo"]["sha256"]
            self.shown.add(sha256)
            labeler.post(
                f"projects/{self.slug}/annotations",
                {
                    "key": str(uuid.UUID(int=self.dice.getrandbits(128), version=4)),
                    "lease": task["lease"],
                    "shown_at": datetime.now(UTC).isoformat(),
                    "view_ms": 1500,
                    **self._judge(self.probability[sha256]),
                },
            )
            self.decisions += 1
            return 1
        return 0

    def _judge(self, probability: float) -> dict[str, str]:
        unsure = 0.0 < probability < 1.0
        if unsure and self.dice.random() < HOLD_SHARE:
            return {"kind": "hold", "reason": "between"}
        defective = self.dice.random() < probability
        if self.dice.random() < SLIP[self.options.labelers]:
            defective = not defective
        return {"kind": "class", "class": "defective" if defective else "functional"}

    def _rule(self) -> int:
        ruled = 0
        for dispute in list(self.reviewer.pages(f"projects/{self.slug}/disputes")):
            defective = self.probability[dispute["photo"]["sha256"]] > 0.5
            if self.dice.random() >= REVIEWER_RIGHT:
                defective = not defective
            try:
                self.reviewer.post(
                    f"projects/{self.slug}/disputes/{dispute['id']}/ruling",
                    {"outcome": "class", "class": "defective" if defective else "functional"},
                )
            except ApiError as error:
                if error.status != 409:  # it dissolved meanwhile
                    raise
                continue
            self.decisions += 1
            ruled += 1
        return ruled

    def _truths(self) -> Iterator[dict[str, Any]]:
        for truth in self.admin.pages(f"projects/{self.slug}/ground-truths", current="true"):
            if truth["kind"] == "class" and truth["origin"] != "gold":
                yield truth

    def _ground_truths(self) -> int:
        return sum(self.admin.get(f"projects/{self.slug}/progress")["classes"].values())

    def _wrong(self) -> int:
        return sum(
            (truth["class"] == "defective") != (self.probability[truth["sha256"]] > 0.5)
            for truth in self._truths()
        )

    def _retrain(self) -> tuple[float, int] | None:
        """Train, promote, wait for the new order; return the accuracy on unseen photos, and how many they are.

        Nothing is trained before both classes have five ground truths: till then the typical photos teach more.
        """
        counts = Counter(truth["class"] for truth in self._truths())
        if len(counts) < 2 or min(counts.values()) < FIRST_MODEL_A_CLASS:
            return None
        try:
            job = self.admin.post(f"projects/{self.slug}/train", {"seed": self.seed})
        except ApiError as error:
            if error.code == "one_class":
                print("  only one class so far: no training yet", flush=True)
                return None
            raise
        self.admin.wait_for(self.slug, job)
        newest = max(self.admin.pages(f"projects/{self.slug}/models"), key=lambda model: int(model["number"]))
        if not newest["champion"]:
            self.admin.post(
                f"projects/{self.slug}/models/{newest['number']}/promote", {"reason": "simulated"}
            )
        self.admin.wait_until_settled(self.slug, PREPARING)
        right = [
            (score["predicted"] == "defective") == (self.probability[score["sha256"]] > 0.5)
            for score in self.admin.pages(f"projects/{self.slug}/scores")
            if not score["labeled"] and not score["gold"] and score["sha256"] not in self.shown
        ]
        return (statistics.fmean(right), len(right)) if right else None


def _bar(accuracy: float) -> str:
    """From .5 to 1, in forty steps."""
    return "█" * max(0, round((accuracy - 0.5) * 80))


@contextlib.contextmanager
def _target(url: str) -> Iterator[str]:
    if url == "auto":
        url = f"http://127.0.0.1:{os.environ.get('HILLTOP_PORT') or 8000}"
        url = url if answers(url) else ""
    if url:
        print(f"Simulated people work at {url}", flush=True)
        yield url
        return
    print("No Hilltop runs here: starting an own one …", flush=True)
    with own_database(), hilltop("demo") as target:
        admin = Person(target.url, "admin1", DEMO_PASSWORD)
        admin.wait_until_settled("cells", PREPARING)
        yield target.url


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run every seed; return the JSON object of BENCHMARKS."""
    runs = []
    began = time.monotonic()
    with _target(options.url) as url:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            simulation = Simulation(url, options, seed)
            print(f"seed {seed}: preparing project {simulation.slug}", flush=True)
            simulation.prepare()
            runs.append(simulation.run())
    # Seeds get their first model at different times: a point is a mean over those that have one by then.
    steps: dict[int, list[tuple[int, int, float]]] = {}
    for run in runs:
        for point in run.curve:
            steps.setdefault(point[0], []).append(point)
    return {
        "ground_truths": round(statistics.fmean(run.ground_truths for run in runs), 1),
        "human_decisions": round(statistics.fmean(run.human_decisions for run in runs), 1),
        "wrong_ground_truths": round(statistics.fmean(run.wrong for run in runs), 2),
        "accuracy": round(statistics.fmean(run.accuracy for run in runs), 4),
        "accuracy_by_seed": [round(run.accuracy, 4) for run in runs],
        "wrong_by_seed": [run.wrong for run in runs],
        "curve": [
            [round(statistics.fmean(values), 4) for values in zip(*points, strict=True)]
            for _ground_truths, points in sorted(steps.items())
        ],
        "curves_by_seed": [run.curve for run in runs],
        "n": [run.unseen for run in runs],
        "seeds": options.seeds,
        "strategy": options.strategy,
        "labelers": options.labelers,
        "retrain_every": options.retrain_every,
        "seconds": round(time.monotonic() - began, 1),
        "how": "simulated people over HTTP on ELPV; accuracy on photos that nobody was shown; means over seeds",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strategy", default="inward")
    parser.add_argument(
        "--labels", type=int, default=100, help="ground truths to reach (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--labelers", choices=sorted(SLIP), default="expert")
    parser.add_argument("--retrain-every", type=int, default=10, help="ground truths between trainings")
    parser.add_argument("--boundary-after", type=int, default=60)
    parser.add_argument(
        "--url", default="", help="a running demo; “auto”: the local one if it answers; else an own one"
    )
    parser.add_argument("--password", default=DEMO_PASSWORD, help="of the demo's accounts")
    parser.add_argument("--quick", action="store_true", help="one seed, 20 ground truths")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.labels = 1, 20
    print(json.dumps(measure(options), ensure_ascii=False))


if __name__ == "__main__":
    main()
