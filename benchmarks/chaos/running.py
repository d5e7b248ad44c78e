"""One run: people at work, faults one after the other, and what the checker says when all is quiet again."""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos import exports, setting
from benchmarks.chaos.checker import Findings, check
from benchmarks.chaos.faults import NO_OUTAGE, Fault, cannot, order
from benchmarks.chaos.house import House, house
from benchmarks.chaos.ledger import Intake, Ledger
from benchmarks.chaos.line import Line
from benchmarks.chaos.people import PROJECTS, STRICT, Crowd, wait_until
from benchmarks.chaos.pictures import Pictures, multipart
from benchmarks.chaos.roster import roster

#: Within this time Hilltop must be well again behind each fault, jobs included.
PATIENCE_S = 240.0
GOLD_A_CLASS = 6
#: What is to be proven in the end: less than anybody would promise, of as many random labels as people give in a minute.
POLICY = {"precision": 0.75, "delta": 0.2, "planned_labels": 60, "mode": "on", "reason": "to see it decide"}
#: Photos a project that nobody has seen, and how many of them are drawn at random.
UNSEEN, DRAWN = 400, 60
#: Jobs by which new photos come to their place in the order.
SCORING = frozenset({"intake", "embed", "rank"})


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds`` of faults, or each of ``faults`` once where these are named; ``photos`` a project to begin with.

    ``certify``: behind the faults a certificate is to be reached, which promotions end as often as they come.
    """

    seconds: float = 600.0
    seed: int = 0
    share: float = 1.0
    photos: int = 300
    faults: tuple[str, ...] = ()
    pause_s: float = 5.0
    pace: float = 1.0
    certify: bool = True


@dataclass
class Run:
    plan: Plan
    ledger: Ledger = field(default_factory=Ledger)
    counts: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    jobs_again: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stuck: list[str] = field(default_factory=list)


def go(
    plan: Plan, say: Callable[[str], None] = print, fill: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """The JSON object of BENCHMARKS. ``fill(url)`` may bring the tables into the empty database, faster than migrations."""
    people = roster(plan.share)
    tokens: dict[str, str] = {}

    def prepare(url: str, var: str) -> None:
        if fill is not None:
            fill(url)
        tokens.update(setting.make(url, var, {person.name: person.role for person in people}))

    run, began = Run(plan), time.monotonic()
    with house(prepare) as built:
        crowd = Crowd(built.url, run.ledger, Pictures(plan.seed), plan.seed, plan.pace)
        reader = exports.Reader(built.url, tokens["root"])
        line = crowd.line(tokens["root"], random.Random(plan.seed))
        _first_photos(plan, crowd, line, reader)
        say(f"{len(people)} people begin after {time.monotonic() - began:.0f} s")
        for person in people:
            crowd.begin(person.name, tokens[person.name], person.project, person.work)
        try:
            _disturb(run, built, crowd, line, reader, say)
            if plan.certify:
                _certify(run, crowd, line, reader, say)
        finally:
            crowd.end()
            line.close()
        live = exports.wait_for_quiet(reader, PROJECTS, PATIENCE_S)
        run.stuck += [f"{job['kind']} is still {job['state']}" for job in live]
        said = {project: _read(run.ledger, reader, project) for project in PROJECTS}
        found = check(run.ledger, said)
        for each in run.stuck:
            say(f"stuck: {each}\n{built.tail()}")
        broken = any(told.status == 500 for told in run.ledger.refusals) or any(
            "unexpected" in each for each in found.wrong
        )
        for each in built.tracebacks() if broken else ():
            say(f"broke: {each}")
        for each, times in built.troubles().items() if run.ledger.outside_outages() else ():
            say(f"told to wait {times} times, in outages too: {each}")
    return _told(run, found, said, len(people), cannot(built), time.monotonic() - began, say)


def _first_photos(plan: Plan, crowd: Crowd, line: Line, reader: exports.Reader) -> None:
    """Photos for both projects over the API, some of them known answers."""
    _take_in(plan.photos, crowd, line, reader)
    for project in PROJECTS:
        left = Counter[str]()
        for item in reader.rows(f"projects/{project}/items"):
            class_ = crowd.pictures.class_of(item["sha256"])
            left[class_] += 1
            if left[class_] <= GOLD_A_CLASS:
                line.post(f"projects/{project}/gold", {"sha256": item["sha256"], "class": class_})


def _take_in(photos: int, crowd: Crowd, line: Line, reader: exports.Reader) -> None:
    """So many a project, until they are in, scored and in their order."""
    for project in PROJECTS:
        files = crowd.pictures.more(photos)
        told = line.upload(f"projects/{project}/intake", *multipart(files))
        if told is None or told[0] != 202:
            raise SystemExit(f"the photos were not taken: {told}")
        crowd.ledger.intakes.append(Intake(project, told[1]["id"], len(files)))
    if live := exports.wait_for_quiet(reader, PROJECTS, PATIENCE_S, SCORING):
        raise SystemExit(f"the photos did not come in: {live}")


def _certify(run: Run, crowd: Crowd, line: Line, reader: exports.Reader, say: Callable[[str], None]) -> None:
    """A model of all that is settled, photos that nobody has seen, some of them drawn at random for people, until a class is
    certified."""
    began = time.monotonic()
    crowd.come_to_rest()
    for project in PROJECTS:
        _promote_newest(crowd, line, reader, project)
    _take_in(UNSEEN, crowd, line, reader)
    for project in PROJECTS:
        line.patch(f"projects/{project}/frontier", POLICY)
        # The plan says of which photos it is, and counts only what is drawn after that.
        exports.wait_for_quiet(reader, (project,), PATIENCE_S, frozenset({"certify"}))
        line.post(f"projects/{project}/draw", {"count": DRAWN})
    if not wait_until(lambda: any(map(reader.certified, PROJECTS)), PATIENCE_S, every=2.0):
        run.stuck.append(f"no class was certified within {PATIENCE_S:.0f} s")
    say(f"certified after {time.monotonic() - began:.0f} s: {[reader.certified(each) for each in PROJECTS]}")


def _promote_newest(crowd: Crowd, line: Line, reader: exports.Reader, project: str) -> None:
    line.post(f"projects/{project}/train")  # refused where nothing was settled since the last one
    exports.wait_for_quiet(reader, (project,), PATIENCE_S, frozenset({"train"}))
    newest = max((each["number"] for each in reader.rows(f"projects/{project}/models")), default=0)
    told = line.post(f"projects/{project}/models/{newest}/promote", {"reason": "to certify it"})
    if told is not None and (told[0] < 300 or told[1]["error"]["code"] == "already_champion"):
        crowd.ledger.promotions.append((project, newest))


def _disturb(
    run: Run, built: House, crowd: Crowd, line: Line, reader: exports.Reader, say: Callable[[str], None]
) -> None:
    dice = random.Random(run.plan.seed)
    until = time.monotonic() + run.plan.seconds
    faults = order(built, dice, list(run.plan.faults) or None)
    time.sleep(run.plan.pause_s)
    for number, fault in enumerate(faults):
        if number >= len(run.plan.faults) > 0 or (not run.plan.faults and time.monotonic() > until):
            return
        _one(run, fault, built, crowd, line, reader, dice)
        name = fault.__name__
        say(
            f"{name}: again after {run.recovery[name][-1]:.1f} s, jobs after {run.jobs_again[name][-1]:.1f} s; "
            f"{run.ledger.acknowledged} acknowledged"
        )
        time.sleep(run.plan.pause_s * dice.uniform(0.5, 1.5))


def _one(
    run: Run,
    fault: Fault,
    built: House,
    crowd: Crowd,
    line: Line,
    reader: exports.Reader,
    dice: random.Random,
) -> None:
    """Do it, and wait until a photo can be lent again, and one that is sent comes in."""
    name = fault.__name__
    run.counts[name] += 1
    run.ledger.newest = (name, time.monotonic())
    if name in NO_OUTAGE:
        with fault(built, crowd, dice):
            pass
        began = time.monotonic()
        _serves(run, built, name)
    else:
        with run.ledger.outage():
            with fault(built, crowd, dice):
                pass
            began = time.monotonic()
            _serves(run, built, name)
    run.recovery[name].append(time.monotonic() - began)
    files = crowd.pictures.more(1)
    told = line.upload(f"projects/{STRICT}/intake", *multipart(files))
    if told is None or told[0] != 202:
        run.stuck.append(f"behind {name} no photo is taken: {told}")
    else:
        run.ledger.intakes.append(Intake(STRICT, told[1]["id"], len(files)))
        batch = f"projects/{STRICT}/intake/{told[1]['id']}"
        if not wait_until(lambda: _over(reader, batch), PATIENCE_S, every=0.2):
            run.stuck.append(f"behind {name} a photo did not come in for {PATIENCE_S:.0f} s")
    run.jobs_again[name].append(time.monotonic() - began)


def _serves(run: Run, built: House, name: str) -> None:
    def well() -> bool:
        built.keep_running()
        return built.answers() and bool(built.web())

    if not wait_until(well, PATIENCE_S):
        run.stuck.append(f"behind {name} nobody was served for {PATIENCE_S:.0f} s")


def _over(reader: exports.Reader, batch: str) -> bool:
    try:
        return bool(reader.get(batch)["state"] != "running")
    except OSError:
        return False


def _read(ledger: Ledger, reader: exports.Reader, project: str) -> exports.Said:
    return exports.read(
        reader,
        project,
        disputes={each.dispute for each in ledger.rulings if each.project == project},
        batches={each.batch for each in ledger.intakes if each.project == project},
    )


def _told(
    run: Run,
    found: Findings,
    said: dict[str, exports.Said],
    people: int,
    not_done: dict[str, str],
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    ledger, outside = run.ledger, run.ledger.outside_outages()
    jobs = [job for each in said.values() for job in each.jobs]
    for title, words in (
        ("lost", found.lost),
        ("doubled", found.doubled),
        ("wrong", found.wrong),
        ("unexpected", ledger.unexpected),
        ("server error", [f"{each.status}, {each.when}: {each.asked} {each.said}" for each in outside]),
    ):
        for each in words[:20]:
            say(f"{title}: {each}")
    return {
        "faults": dict(run.counts),
        "acknowledged": ledger.acknowledged,
        "stored": found.stored,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "wrong": len(found.wrong),
        "recover_s": {name: round(statistics.median(each), 1) for name, each in sorted(run.recovery.items())},
        "jobs_again_s": {
            name: round(statistics.median(each), 1) for name, each in sorted(run.jobs_again.items())
        },
        "server_errors_outside_outages": len(outside),
        "answers_500": sum(each.status == 500 for each in ledger.refusals),
        "stuck": run.stuck,
        "unexpected_answers": len(ledger.unexpected),
        "answers": len(ledger.answers),
        "taken_back": len(ledger.undone),
        "hand_ins": len(ledger.hand_ins),
        "rulings": len(ledger.rulings),
        "intakes": len(ledger.intakes),
        "guideline_versions": len(ledger.versions),
        "promotions": len(ledger.promotions),
        "ground_truths": sum(truth["in_force"] for each in said.values() for truth in each.truths),
        "certified_classes": sum(
            row["state"] == "certified" for each in said.values() for row in each.frontier["classes"]
        ),
        "decisions": sum(len(each.decisions) for each in said.values()),
        "jobs": dict(Counter(f"{job['kind']} {job['state']}" for job in jobs)),
        "jobs_failed": sorted({f"{job['kind']}: {job['error']}" for job in jobs if job["state"] == "failed"}),
        "requests_broken_off": ledger.broken_off,
        "refused_in_outages": len(ledger.refusals) - len(outside),
        "not_done": not_done,
        "people": people,
        "database_patience_s": float(os.environ.get("HILLTOP_DB_PATIENCE") or 0.9),
        "seed": run.plan.seed,
        "n": sum(run.counts.values()),
        "seconds": round(seconds, 1),
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
    }
