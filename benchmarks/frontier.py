"""How much do people save at a proven precision? A stream of photos, all decided, by the machine or by people.

``python -m benchmarks.frontier [--seeds 10] [--training 1000] [--quick]``

Each seed halves ELPV. One half teaches (``benchmarks.frontier_model``): its photos fit the domain backbone, and
``--training`` of them, strictly labeled, the head. The stream is 50,000 draws with replacement from the other half; its
labels certify and audit, and never train. For each stated precision a project of its own, on a temporary PostgreSQL:

1. The stream is the pool; the model is the champion. The admin wishes a precision and plans random labels (``PLANS``).
2. People settle what the frontier draws for them, and a look certifies. As long as a look says that the next
   threshold of a class lacks few labels for what it would win, exactly those are asked for (``draw_for_band``).
3. The policy goes *on*: the machine decides what lies inside, and a random share of that goes to people, blind; the watch
   may suspend a certificate, and then people get its photos back.
4. Everything that the machine did not decide, people settle.

*Human decisions* are answers and rulings: those that taught, that certified, that audited, and the rest of the stream.
*Efficiency* is what people alone would spend on the same stream under the same rules, over that. *Realised precision* is
the share of standing automatic decisions that the experts confirm (over 1/2 is defective); people, who err, see less.

What is real and what is short: certificates, decisions, audits and suspensions are Hilltop's services and jobs. Of the
certifying photos ``--by-hand`` go through claim, submit and ruling; the other certifying and audit labels are written in
bulk by the same rule (``benchmarks.frontier_stream``), as 50,000 photos by hand would take a day; photos that people settle
outside the frontier, and the work of people alone, are counted by that rule without rows.

Beside each precision's ``machine`` stand ``assisted``, ``delivered`` and ``baselines`` (``benchmarks.frontier_promises``),
which are counted in memory by the rules that the services use, without rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import frontier_promises
from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.frontier_model import Learned, learn
from benchmarks.frontier_stream import KEYS, Site, Stream
from benchmarks.running import own_database

LEVELS = (0.90, 0.95, 0.98)


@dataclass(frozen=True)
class Plan:
    """What an admin would set for a wished precision: random labels that may be spent, and the share to audit."""

    labels: int
    audit_share: float = 0.01


#: Chosen on other seeds than those measured (`docs/log.md`).
PLANS = {0.90: Plan(3000), 0.95: Plan(8000), 0.98: Plan(6000)}
MOST_DRAWN = 5000
#: What a row says of the machine alone, the rows beside it of other promises.
AS_EVER = (
    "images_per_human_decision",
    "efficiency",
    "realised_precision",
    "seeds_below",
    "automatic_share",
    "human_decisions",
)
#: The next threshold is asked for where it lacks at most this share of the photos that it would win.
WORTH = 0.3
ROUNDS = 6


def one_level(
    stream: Stream,
    learned: Learned,
    level: float,
    plan: Plan,
    *,
    seed: int,
    people: Sequence[Any],
    by_hand: int,
) -> dict[str, Any]:
    """One project from the first draw to the last photo."""
    from labeling.frontier.auditing import open_audits
    from labeling.frontier.changing_policy import set_policy
    from labeling.frontier.models import AutomaticDecision, Certificate
    from labeling.frontier.services import draw_random, request_certification, request_watching
    from labeling.truth.models import GroundTruth

    began = time.perf_counter()
    admin, first, second, reviewer = people
    site = Site(
        f"stated-{round(level * 100)}",
        stream,
        seed=seed,
        admin=admin,
        labelers=[first, second],
        reviewer=reviewer,
    )
    project = site.project
    site.promote(
        ground_truth=learned.ground_truth,
        out_of_fold=learned.out_of_fold,
        seed=seed,
        kind=learned.kind,
        backbone=learned.backbone,
        backbone_hash=learned.backbone_hash,
    )
    set_policy(
        project=project,
        by=admin,
        precision=level,
        planned_labels=plan.labels,
        audit_share=plan.audit_share,
        reason="benchmark",
    )
    request_certification(project=project, by=admin)
    site.work()  # the plan is made before the first label
    # A little more than planned: the exact look comes when each class has its part of the plan.
    wanted = plan.labels + round(3 * plan.labels**0.5)
    draw_random(project=project, by=admin, count=by_hand)
    site.settle_by_hand(3 * by_hand)
    for start in range(by_hand, wanted, MOST_DRAWN):
        draw_random(project=project, by=admin, count=min(MOST_DRAWN, wanted - start))
    site.settle_in_bulk(site.open_drawn())
    request_certification(project=project, by=admin)
    site.work()
    asked = _ask_for_what_is_lacking(site)
    certifying = site.spent
    set_policy(project=project, by=admin, mode="on", reason="benchmark")
    site.work()
    # The machine waits for its auditors, so it decides and they answer in turn.
    while waiting := [item for items in open_audits(project).values() for item in items]:
        site.settle_in_bulk(site.place[item] for item in waiting)
        request_watching(project=project)
        site.work()

    settled = {
        site.place[item]
        for item in GroundTruth.objects.filter(project=project).values_list("item_id", flat=True)
        if item in site.place
    }
    standing = AutomaticDecision.objects.standing().filter(project=project)
    alone = np.array(
        sorted({site.place[item] for item in standing.values_list("item_id", flat=True)} - settled),
        dtype=np.int64,
    )
    left = np.setdiff1d(np.arange(len(stream)), np.concatenate([alone, sorted(settled)]).astype(np.int64))
    rest = int(stream.human_decisions[left].sum())
    decisions = learned.training_decisions + site.spent + rest
    right = stream.predicted[alone] == stream.truth[alone]
    certificates = {
        each.label_class.key: {
            "coverage": round(each.coverage, 3),
            "n": each.n,
            "errors": each.errors,
            "bound": round(each.bound, 4),
        }
        for each in Certificate.objects.in_force().filter(project=project).select_related("label_class")
    }
    return {
        "automatic_share": len(alone) / len(stream),
        "realised_precision": float(right.mean()) if len(alone) else None,
        "human_decisions": decisions,
        "efficiency": int(stream.human_decisions.sum()) / decisions,
        "spent": {
            "training": learned.training_decisions,
            "certifying": certifying,
            "audit": site.spent - certifying,
            "outside": rest,
        },
        "certificates": certificates,
        "asked_for_by_band": asked,
        "suspended": Certificate.objects.filter(project=project, ends__kind="suspended").count(),
        "seconds": round(time.perf_counter() - began, 1),
    }


def _ask_for_what_is_lacking(site: Site) -> int:
    """Rounds of exactly the labels that the next thresholds lack, where those are worth their price; return how many."""
    from labeling.frontier.models import CertificationRun
    from labeling.frontier.services import draw_for_band, request_certification

    asked, tried = 0, set()
    for _ in range(ROUNDS):
        newest = CertificationRun.objects.filter(project=site.project).first()
        assert newest is not None
        drawn = 0
        for column, class_id in enumerate(site.classes):
            walk = newest.walks[str(class_id)]
            if walk["certified"] is None or walk["certified"] + 1 >= len(walk["steps"]):
                continue
            here, there = walk["steps"][walk["certified"]], walk["steps"][walk["certified"] + 1]
            won = (there["share"] - here["share"]) * int((site.stream.predicted == column).sum())
            lacks = there["more_at_present_rate"]
            key = (class_id, there["threshold"])
            if lacks is None or lacks > WORTH * won or key in tried:
                continue
            tried.add(key)
            drawn += draw_for_band(
                project=site.project, by=site.admin, class_key=KEYS[column], count=min(lacks, MOST_DRAWN)
            )
        if not drawn:
            break
        asked += drawn
        site.settle_in_bulk(site.open_drawn())
        request_certification(project=site.project, by=site.admin)
        site.work()
    return asked


def one_seed(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """All stated precisions on one stream, on a database of its own."""
    began = time.perf_counter()
    learned = learn(seed, training=options.training, on_domain=options.domain, backbone=options.backbone)
    taught_s = time.perf_counter() - began
    stream = frontier_promises.the_stream(seed, learned, options.photos)
    levels: dict[str, Any] = {}
    promised = frontier_promises.promises(stream, learned, seed, LEVELS)
    with own_database():
        set_up_django()
        from labeling.people.models import User

        admin = User.objects.create_superuser("admin", password=None)
        people = [admin] + [
            User.objects.create_user(name, password=None) for name in ("first", "second", "reviewer")
        ]
        for level in LEVELS:
            plan = PLANS[level]
            labels = min(plan.labels, options.photos // 10) if options.quick else plan.labels
            levels[f"{level:.2f}"] = one_level(
                stream,
                learned,
                level,
                Plan(options.labels or labels, plan.audit_share),
                seed=seed,
                people=people,
                by_hand=options.by_hand,
            )
        close_connections()
    return {
        "seed": seed,
        "levels": levels,
        "promised": promised,
        "accuracy": float((stream.predicted == stream.truth).mean()),
        "head": learned.kind,
        "taught_s": round(taught_s, 1),
        "seconds": round(time.perf_counter() - began, 1),
    }


def summarise(found: Sequence[dict[str, Any]], photos_a_seed: int) -> dict[str, Any]:
    """Means over seeds; the lists are in the order of the seeds."""
    out = frontier_promises.summarise([each["promised"] for each in found], LEVELS, photos_a_seed)
    for level in LEVELS:
        name = f"{level:.2f}"
        runs = [each["levels"][name] for each in found]
        realised = [run["realised_precision"] for run in runs]
        known = [value for value in realised if value is not None]
        decisions = float(np.mean([run["human_decisions"] for run in runs]))
        efficiency = [run["efficiency"] for run in runs]
        out[name] |= {
            "images_per_human_decision": round(photos_a_seed / decisions, 4),
            "efficiency": round(float(np.mean(efficiency)), 3),
            "realised_precision": round(float(np.mean(known)), 4) if known else None,
            "seeds_below": sum(value < level for value in known),
            "automatic_share": round(float(np.mean([run["automatic_share"] for run in runs])), 4),
            "human_decisions": round(decisions, 1),
            "efficiency_by_seed": [round(value, 3) for value in efficiency],
            "realised_precision_by_seed": [None if v is None else round(v, 4) for v in realised],
            "spent": {
                key: round(float(np.mean([run["spent"][key] for run in runs])), 1) for key in runs[0]["spent"]
            },
            "asked_for_by_band": round(float(np.mean([run["asked_for_by_band"] for run in runs])), 1),
            "suspended": sum(run["suspended"] for run in runs),
            "certificates_by_seed": [run["certificates"] for run in runs],
        }
        out[name]["machine"] = {key: out[name][key] for key in AS_EVER}
    return out


def _in_its_own_process(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.frontier", "--only", str(seed)]
    command += ["--training", str(options.training), "--photos", str(options.photos)]
    command += ["--by-hand", str(options.by_hand), "--labels", str(options.labels)]
    command += ["--backbone", options.backbone]
    command += ["--domain" if options.domain else "--no-domain"] + ["--quick"] * options.quick
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    said = "  ".join(
        f"{name}: x{run['efficiency']:.2f}, {run['automatic_share']:.0%} automatic"
        for name, run in found["levels"].items()
    )
    print(f"seed {seed} ({found['seconds']:.0f} s): {said}", flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs the seeds, some at once, and prints the JSON as the last line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.frontier",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="seeds count up from here")
    parser.add_argument("--training", type=int, default=1000, help="ground truths that teach")
    parser.add_argument("--photos", type=int, default=50_000, help="in the stream")
    parser.add_argument("--labels", type=int, default=0, help="planned random labels (default: by precision)")
    parser.add_argument("--by-hand", type=int, default=100, help="certifying photos by claim and submit")
    parser.add_argument(
        "--domain",
        action=argparse.BooleanOptionalAction,
        help="fit the backbone to the teaching half (default: yes, but not with --quick)",
    )
    parser.add_argument(
        "--backbone", default="efficientnet_lite0", help="a name, several with commas, or: fused"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="seeds at once")
    parser.add_argument("--quick", action="store_true", help="one seed, 10,000 photos")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.photos, options.by_hand = 1, 10_000, min(options.by_hand, 20)
    if options.domain is None:
        options.domain = not options.quick
    if options.only is not None:
        alone = one_seed(options.only, options)
        print(json.dumps(alone))
        return alone
    began = time.perf_counter()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with ThreadPoolExecutor(max_workers=max(1, options.processes)) as pool:
        found = list(pool.map(lambda seed: _in_its_own_process(seed, options), seeds))
    result = {
        **summarise(found, options.photos),
        "n": options.photos,
        "seeds": options.seeds,
        "first_seed": options.first_seed,
        "training": options.training,
        "backbone": options.backbone,
        "domain": options.domain,
        "accuracy": round(float(np.mean([each["accuracy"] for each in found])), 4),
        "heads": [each["head"] for each in found],
        "by_hand": options.by_hand,
        "seconds": round(time.perf_counter() - began, 1),
        "device": f"cpu, {options.processes} seeds at once",
        "how": "a project a stated precision on the real services; certifying labels beyond by_hand, and audits, in bulk by "
        "the same rule; photos outside the frontier and all-human work counted by that rule; means over seeds",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
