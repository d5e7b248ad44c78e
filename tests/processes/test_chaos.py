"""The short form of ``benchmarks.chaos``, and whether its checker would find what it looks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.checker import Findings, check
from benchmarks.chaos.exports import Said
from benchmarks.chaos.faults import CLOCK_S
from benchmarks.chaos.house import House, clock_of
from benchmarks.chaos.ledger import Answer, HandIn, Intake, Ledger, Refusal, Ruling
from benchmarks.chaos.running import Plan, go
from tests import database

#: Those after which nobody has to wait long.
FAULTS = ("web_killed", "lines_of_people_dead", "worker_killed", "database_lines_cut", "database_killed")


def test_nothing_acknowledged_is_lost_doubled_or_wrong_whatever_is_killed_or_cut(
    django_db_setup: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILLTOP_DB_PATIENCE", "5")  # as of every server of the tests
    told: list[str] = []
    plan = Plan(seed=14, share=0.2, photos=30, faults=FAULTS, pause_s=1.0, pace=4.0, certify=False)
    result = go(plan, say=told.append, fill=database.copy_to)
    log = "\n".join(told)
    assert set(result["faults"]) == set(result["recover_s"]) == set(FAULTS)
    assert result["stored"] == result["acknowledged"] > 0, log
    assert (result["lost"], result["doubled"], result["wrong"], result["stuck"]) == (0, 0, 0, []), log
    # Not that nobody was told to wait: on a busy machine a line to the database may take too long at any time.
    assert (result["answers_500"], result["unexpected_answers"]) == (0, 0), log
    assert "DATABASE_URL" in os.environ, "nothing of its house is left in ours"


#: Reads the time of day as often as it can until its input ends; says in the end by how many seconds it jumped.
READER = """
import sys, threading, time
told = threading.Thread(target=sys.stdin.read)
told.start()
least = most = time.time() - time.monotonic()
print("reads", flush=True)
while True:
    goes_on = told.is_alive()
    now = time.time() - time.monotonic()
    least, most = min(least, now), max(most, now)
    if not goes_on:
        break
print(round(most - least))
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="the clock is built by a C compiler")
def test_who_reads_the_clock_while_it_is_set_lives_on_and_reads_the_new_time(tmp_path: Path) -> None:
    house = House(tmp_path, "", os.environ | clock_of(tmp_path), small=False, clocked=True)
    house.set_clock(0)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER],
        env=house.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None and reader.stdout.readline() == "reads\n"
    for number in range(2_000):
        house.set_clock(number % 2 * CLOCK_S)
    said, _ = reader.communicate(timeout=60)
    house.stop()
    assert (reader.returncode, said.strip()) == (0, str(CLOCK_S))


def answered(key: str, who: str, class_: str, **others: Any) -> dict[str, Any]:
    """A row of the export of answers."""
    row = {
        "key": key, "labeler": who, "sha256": "a" * 64, "kind": "class", "class": class_, "round": 1,
        "draw": "rank", "retracted_at": None, "ruling": None,
    }  # fmt: skip
    return row | others


def settled(class_: str, **others: Any) -> dict[str, Any]:
    """A row of the export of ground truths."""
    row = {
        "sha256": "a" * 64, "kind": "class", "class": class_, "origin": "agreement", "in_force": True,
        "supersedes": None, "ruling": None,
    }  # fmt: skip
    return row | others


SAID = Said(
    settings={"answers_per_image": 2, "rule": "unanimous", "agreement_k": 2},
    counts_as={"good": "good", "bad": "bad", "poor": "bad"},
    versions={1, 2},
    annotations=[answered("1", "lina", "bad"), answered("2", "sam", "poor")],
    truths=[settled("bad")],
    decisions=[],
    open_disputes={},
    rulings={},
    gold=set(),
    champion=3,
    frontier={"model": 3, "classes": []},
    intakes={
        "b": (
            {"total": 1, "state": "finished", "counts": {"added": 1}},
            [{"name": "1.png", "outcome": "added", "reason": ""}],
        )
    },
    jobs=[],
)
DISPUTED = replace(SAID, annotations=[answered("1", "lina", "bad"), answered("2", "sam", "good")], truths=[])
SENT_BACK_TWICE = [
    answered("0", "lina", "good", ruling="send_back"),
    *(answered(who, who, "bad", round=3) for who in ("lina", "sam")),
]
RULED = {"reviewer": "rosa", "outcome": "class", "class": "good"}
PROOF = {"precision": 0.95, "bound": 0.96, "n": 80, "errors": 1}
DECIDED = {"sha256": "d" * 64, "standing": True, "stated": 0.95, "stated_precision": 0.95}


def ledger() -> Ledger:
    return Ledger(
        answers=[
            Answer("p", "1", "lina", "a" * 64, "class", "bad"),
            Answer("p", "2", "sam", "a" * 64, "class", "poor"),
        ],
        intakes=[Intake("p", "b", 1)],
        versions=[("p", 2)],
        promotions=[("p", 1), ("p", 3)],
    )


def certified(**others: Any) -> Said:
    frontier = {
        "model": 3,
        "classes": [{"class": "good", "state": "certified", "certificate": PROOF | others}],
    }
    return replace(SAID, frontier=frontier)


def test_all_well_is_found_well() -> None:
    found = check(ledger(), {"p": certified()})
    assert (found.stored, found.lost, found.doubled, found.wrong) == (6, [], [], [])


@pytest.mark.parametrize(
    ("said", "which"),
    [
        (replace(SAID, annotations=SAID.annotations[:1], truths=[]), "lost"),
        (replace(SAID, versions={1}), "lost"),
        (replace(SAID, champion=1, frontier={"model": 1, "classes": []}), "lost"),
        (replace(SAID, intakes={"b": (SAID.intakes["b"][0], [])}), "lost"),
        (replace(SAID, annotations=[*SAID.annotations, answered("2", "sam", "poor", round=2)]), "doubled"),
        (replace(SAID, annotations=[*SAID.annotations, answered("3", "sam", "bad")]), "doubled"),
        (replace(SAID, decisions=[DECIDED, DECIDED]), "doubled"),
        (replace(SAID, annotations=[answered("1", "lina", "good"), SAID.annotations[1]]), "wrong"),
        (replace(SAID, annotations=[answered("1", "lina", "bad", retracted_at="now"), SAID.annotations[1]]), "wrong"),
        (replace(SAID, truths=[settled("good")]), "wrong"),
        (replace(SAID, truths=[]), "wrong"),
        (replace(SAID, truths=[settled("bad"), settled("bad", supersedes=1)]), "wrong"),
        (replace(SAID, truths=[settled("bad", origin="ruling", ruling="hold")]), "wrong"),
        (replace(SAID, truths=[settled("bad", origin="gold")]), "wrong"),
        (replace(SAID, truths=[], open_disputes={"a" * 64: ["disagreement"]}), "wrong"),
        (replace(SAID, frontier={"model": 2, "classes": []}), "wrong"),
        (certified(bound=0.94), "wrong"),
        (replace(SAID, jobs=[{"kind": "train", "state": "running"}]), "wrong"),
        (replace(SAID, jobs=[{"kind": "train", "state": "failed", "error": "Something unexpected"}]), "wrong"),
        (replace(SAID, decisions=[DECIDED | {"stated": 0.99}]), "wrong"),
        (
            replace(
                SAID,
                intakes={
                    "b": (SAID.intakes["b"][0], [{"name": "1.png", "outcome": "refused", "reason": "not_stored"}])
                },
            ),
            "wrong",
        ),
    ],
)  # fmt: skip
def test_each_breach_is_found(said: Said, which: str) -> None:
    assert getattr(check(ledger(), {"p": said}), which)


def _found(change: Callable[[Ledger], None], said: Said = SAID) -> Findings:
    changed = ledger()
    change(changed)
    return check(changed, {"p": said})


def test_what_was_taken_back_ruled_and_swept_is_looked_for_too() -> None:
    assert _found(lambda told: told.undone.add("1")).lost
    assert _found(lambda told: told.shown_again.append(("p", "lina", "a" * 64))).wrong
    assert _found(lambda told: told.hand_ins.append(HandIn("p", "k", "lina", "good", ("e" * 64,)))).lost
    ruling = Ruling("p", "d", "rosa", "class", "bad")
    assert _found(lambda told: told.rulings.append(ruling), replace(SAID, rulings={"d": None})).lost
    assert _found(lambda told: told.rulings.append(ruling), replace(SAID, rulings={"d": RULED})).wrong
    both = replace(SAID, rulings={"d": RULED | {"class": "bad"}})
    assert _found(lambda told: told.rulings.extend([ruling, ruling]), both).doubled


@pytest.mark.parametrize(
    ("annotations", "rule", "is_open", "well"),
    [
        (DISPUTED.annotations, "unanimous", True, True),
        (DISPUTED.annotations, "unanimous", False, False),
        (DISPUTED.annotations, "k_of_n", False, True),  # a third is still asked
        ([*DISPUTED.annotations, answered("3", "kim", "gone")], "k_of_n", False, False),
        ([answered("1", "lina", "bad", ruling="send_back")], "unanimous", False, True),
        (SENT_BACK_TWICE, "unanimous", False, False),  # they agree, and nothing came of it
        ([answered("1", "lina", "bad", draw="gold"), answered("2", "sam", "bad")], "unanimous", False, True),
    ],
)
def test_what_answers_come_to_is_worked_out_by_the_rule(
    annotations: list[dict[str, Any]], rule: str, is_open: bool, well: bool
) -> None:
    settings = {"answers_per_image": 2 if rule == "unanimous" else 3, "rule": rule, "agreement_k": 2}
    causes = {"a" * 64: ["disagreement"]} if is_open else {}
    said = replace(DISPUTED, annotations=annotations, settings=settings, open_disputes=causes)
    assert (check(Ledger(), {"p": said}).wrong == []) is well


def test_an_outage_excuses_a_server_that_cannot_and_never_one_that_breaks() -> None:
    told = Ledger(outages=[(10.0, 20.0)])
    told.refusals = [Refusal(at, status, "GET x", "") for at in (15.0, 25.0) for status in (500, 503)]
    assert [(each.at, each.status) for each in told.outside_outages()] == [
        (15.0, 500),
        (25.0, 500),
        (25.0, 503),
    ]
