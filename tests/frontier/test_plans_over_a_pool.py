"""Statements over a whole pool stay cheap where the database's statistics say that there is nothing in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection

from labeling.frontier.auditing import open_audits
from labeling.frontier.models import AutomaticDecision
from labeling.frontier.services import decide
from labeling.queue import ranking
from labeling.queue.ranking import open_items
from labeling.truth.current import is_disputed, is_settled
from tests.frontier.proving import certified_pool
from tests.plans import Plans

pytestmark = pytest.mark.django_db

TABLES = ["catalog_item", "truth_groundtruth", "frontier_automaticdecision", "learning_score_default"]


def believe_them_empty() -> None:
    """As after a vacuum that met the rows of a transaction that had not yet ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 30 WHERE relname = ANY(%s)"
            " OR relname LIKE 'learning_score_%%' AND relkind = 'r'",
            [TABLES],
        )


def test_deciding_a_pool_hashes_whatever_the_statistics_say() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    believe_them_empty()
    plans = Plans("INSERT INTO frontier_automaticdecision")
    with connection.execute_wrapper(plans):
        assert decide(project=pool.project)["decided"] > 0
    assert "Insert on frontier_automaticdecision" in plans.seen
    assert "Nested Loop" not in plans.seen
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",), "what comes after in the transaction is planned as usual"


def test_a_single_photo_is_looked_up() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    plans = Plans("INSERT INTO frontier_automaticdecision")
    with connection.execute_wrapper(plans):
        decide(project=pool.project, item_ids=[pool.items[0].pk])
    assert "Nested Loop" in plans.seen


def test_listing_the_open_photos_hashes_whatever_the_statistics_say(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = certified_pool()
    everything = np.array([item.pk for item in pool.items])
    before = open_items(pool.project, everything).tolist()
    believe_them_empty()
    plans = []
    fetch = ranking.fetch_columns

    def explained(columns: list[str], query: str, parameters: list[Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query, parameters)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return fetch(columns, query, parameters)

    monkeypatch.setattr(ranking, "fetch_columns", explained)
    assert open_items(pool.project, everything).tolist() == before != []
    assert len(plans) == 1 and "Anti Join" in plans[0] and "Nested Loop" not in plans[0]


def outside_subplans(plan: str) -> str:
    """The lines of what is joined; what a subplan reads is looked up for each row."""
    kept, within = [], None
    for line in plan.splitlines():
        depth = len(line) - len(line.lstrip())
        if within is not None and depth > within:
            continue
        within = depth if line.lstrip().startswith("SubPlan ") else None
        kept.append(line)
    return "\n".join(kept)


def test_whether_an_audit_is_open_is_looked_up_of_each_whatever_the_statistics_say() -> None:
    """A page waits for it: joined, it took 12 seconds where the statistics had come before the answers."""
    pool = certified_pool()
    pool.policy(mode="on", audit_share=1.0)
    decide(project=pool.project)
    before = open_audits(pool.project)
    believe_them_empty()
    plans = Plans("frontier_decisionoverruled o")
    with connection.execute_wrapper(plans):
        assert open_audits(pool.project) == before != {}
    assert "truth_groundtruth" in plans.seen
    assert "truth_groundtruth" not in outside_subplans(plans.seen)


def test_what_is_settled_is_looked_up_row_by_row_whatever_the_statistics_say(db: None) -> None:
    for told in (is_settled(), is_disputed()):
        assert "SubPlan" in AutomaticDecision.objects.exclude(told).explain()
