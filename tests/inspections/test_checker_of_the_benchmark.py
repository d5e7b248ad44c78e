"""The checker of ``benchmarks.inspections`` finds what it is there for: verdicts and bounds that rows do not bear out."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from benchmarks.inspections.checker import Checked, check
from labeling.frontier.models import DecisionOverruled
from labeling.inspections.models import Inspection, Verdict
from tests.frontier import promised
from tests.inspections.made import Washes, work

pytestmark = pytest.mark.django_db(transaction=True)


def checked() -> Checked:
    assert connection.connection is not None
    info = connection.connection.info
    return check(
        psycopg.conninfo.make_conninfo(
            host=info.host, port=info.port, user=info.user, password=info.password, dbname=info.dbname
        )
    )


def wrong(found: Checked) -> list[bool]:
    return [bool(each) for each in (found.wrong, found.wrong_bound, found.passed_on_unknown, found.without)]


@pytest.fixture
def passed(washes: Washes) -> Inspection:
    """By the machine's word on the wash of both shots, and people's on the damage."""
    certified = promised.under(washes.pool, "alone", precision=0.98)
    inspection = washes.inspect()
    for key in ("front", "rear"):
        items = washes.items(inspection, key)
        promised.decides(washes.pool, certified["functional"], items["wash"])
        washes.say(items["damage"], "none")
    work()
    inspection.refresh_from_db()
    return inspection


def test_it_finds_a_bound_that_is_not_that_of_its_parts(passed: Inspection) -> None:
    found = checked()
    assert wrong(found) == [False] * 4 and found.by_machine == 1
    assert found.bounds == [pytest.approx(0.96)]
    before = passed.verdict
    assert before is not None

    def say(bound: float, parts: list[dict[str, object]]) -> None:
        Inspection.objects.filter(pk=passed.pk).update(
            verdict=Verdict.objects.create(
                inspection=passed,
                number=Verdict.objects.filter(inspection=passed).count() + 1,
                outcome=before.outcome,
                version=before.version,
                told=before.told | {"parts": parts},
                bound=bound,
            )
        )

    parts = before.told["parts"]
    say(0.98, parts)
    assert wrong(checked()) == [False, True, False, False], "more than its parts allow"
    damage_alone = [part for part in parts if part["project"] == "damage"]
    say(1.0, damage_alone)
    assert wrong(checked()) == [False, True, False, False], "what it names does not make it pass"


def test_it_finds_a_verdict_that_rests_on_what_was_taken_back(washes: Washes, passed: Inspection) -> None:
    for item in (washes.items(passed, key)["wash"] for key in ("front", "rear")):
        decision = item.automatic_decisions.get()
        DecisionOverruled.objects.create(decision=decision, by=washes.admin, reason="Behind its back")
    assert wrong(checked()) == [True, True, True, False]
