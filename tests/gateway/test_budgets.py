"""What every route may cost: queries, and rows of the tables that grow with photos and answers.

A plan of a small database says little of a large one, for the planner takes what is cheapest there. So the rows are counted
that the database really read: its own counters, of tables and of their indexes, before and after one request. Where a route
reads more of one table than a page shows, it reads what it counts or sorts, and costs more with every photo. Reading
sequentially, hashing and merging are priced so that the planner takes a way by an index wherever there is one; that it takes
the same way in a large project is for ``benchmarks.routes`` to see.

A route that is not listed fails. One that keeps its budget may not stand among those that do not keep it yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from benchmarks.grown import grow
from benchmarks.rows_read import GROWING, MOST_ROWS, rows_read
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.selectors import current_guideline
from labeling.http.who_may import Who
from labeling.inspections.protocol_templates.known import PROTOCOLS
from tests.gateway.addresses import address_of
from tests.gateway.budgets import DEARER, QUERIES, Cost
from tests.gateway.conftest import World, make_world
from tests.gateway.test_who_may_use_each_route import CASES, MAY

#: A small project in which each of the tables below holds more rows than a route may read of it.
PHOTOS = 3_000
MOST_QUERIES = 25
#: The first ground truth's, as in a new database: a multiple of every block, beyond what tests before have used.
_FIRST_ID = 2**24 + 1
#: Streams without an end or as long as the project, and what leads out of the house.
NOT_ASKED = {"events", "api-export", "api-feed", "api-data-set-file", "api-data-set-manifest"}
LABELERS = {"label", "label-criteria", "sweep", "mine"}
#: What makes a list dear, where its address may say more than its path.
DEAREST = {"api-ground-truths": "?current=true"}


@pytest.fixture(scope="module")
def grown(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        # What other tests rolled back is read, and counted, until it is cleaned away.
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (INDEX_CLEANUP ON) {', '.join(GROWING)}")
            # It leaves behind that the tables are empty, which later tests' plans would believe.
            cursor.executemany("SELECT pg_clear_relation_stats('public', %s)", [[name] for name in GROWING])
            # Of what is newest whole blocks of ids are kept counts, and as many rows are read as lie behind the last block.
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('truth_groundtruth', 'id'), %s, false)", [_FIRST_ID]
            )
        yield from _grown()


def _grown() -> Iterator[World]:
    with transaction.atomic():
        world = make_world()
        grow(world, PHOTOS, differ=0.6, decided=0.3)
        # What there is to undo was answered before the other routes were asked.
        Project.objects.filter(pk=world.project.pk).update(undo_seconds=3600)
        yield world
        transaction.set_rollback(True)


def _cost(world: World, name: str, method: str) -> Cost:
    queries = 0

    def count(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries
        queries += not str(sql).startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO"))
        return execute(sql, params, many, context)

    needed = MAY[name][method]
    labels = name in LABELERS or needed == Action.LABEL
    client = world.client("superuser" if needed == Who.SUPERUSER else "labeler" if labels else "admin")
    address = address_of(world, name) + DEAREST.get(name, "")
    api = address.startswith("/api/")
    body = _BODIES.get(name, lambda _world: {})(world) if method == "POST" else {}
    sent = {"data": body} | ({"content_type": "application/json"} if api else {}) if method != "GET" else {}
    cache.clear()
    with transaction.atomic():
        with connection.cursor() as cursor:
            for what in ("seqscan", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{what} = off")
            cursor.execute(
                "SET LOCAL max_parallel_workers_per_gather = 0"
            )  # their rows are counted elsewhere
        before = rows_read()
        with connection.execute_wrapper(count):
            response = getattr(client, method.lower())(address, **sent)
            if response.streaming:
                b"".join(response.streaming_content)
        after = rows_read()
        transaction.set_rollback(True)
    assert response.status_code < 500
    if name in _BODIES:
        assert response.status_code < 400, response.content
    return Cost(queries, max(after[table].since(before[table]).rows for table in GROWING))


#: What is sent where an empty body would be refused before anything is read.
_BODIES: dict[str, Any] = {
    "api-claims": lambda _world: {"count": 5},
    "api-sheet-claims": lambda _world: {"count": 5},
    "api-annotations": lambda world: {
        "key": str(uuid4()), "lease": str(world.lease), "kind": "class", "class": "functional", "view_ms": 900
    },
    "api-inspections": lambda _world: {
        "inspection": {"external_id": "W-9", "asset": {"identifier": "99나 1"}, "event": "wash"}
    },
    "api-decide": lambda world: {"sha256": world.items[3].image.sha256},
    "api-predict": lambda world: {"sha256": [item.image.sha256 for item in world.items[:3]]},
    "api-bulks": lambda _world: {"deed": "unusable", "search": "q=png", "comment": "Out of focus."},
    "photos-bulks": lambda _world: {"deed": "unusable", "search": "q=png", "comment": "Out of focus."},
    "api-protocol-templates": lambda _world: {
        "content": PROTOCOLS.called("car-return").content | {"key": "our-return"}
    },
    "api-templates": lambda _world: {"content": PROJECTS.called("damage").content | {"key": "our-damage"}},
    "api-views": lambda _world: {"name": "png", "search": "q=png"},
    "api-data-sets": lambda _world: {"format": "csv", "search": "q=png"},
    "api-ruling": lambda _world: {"outcome": "class", "class": "functional"},
    "api-item-ruling": lambda _world: {"outcome": "class", "class": "defective", "comment": "A crack."},
    "photo-mend": lambda _world: {"ruling": "class:defective", "comment": "A crack."},
    "review-ruling": lambda _world: {"ruling": "class:functional"},
    "api-overrule": lambda _world: {"reason": "It is the other one."},
    "api-guideline-proposals": lambda _world: {"note": "Why", "criteria": {"defective": "It does not work."}},
    "api-guideline-proposal-decline": lambda _world: {"note": "Why not"},
    "proposal-answer": lambda world: {"answer": "agree", "base": current_guideline(world.project).number},
    "backbones-change": lambda world: {"action": "measure", "backbone": world.project.backbone},
}  # fmt: skip


def test_every_route_has_a_budget() -> None:
    assert set(QUERIES) == {f"{method} {name}" for name, method in CASES if name not in NOT_ASKED}
    assert set(DEARER) <= set(QUERIES)


@pytest.mark.parametrize(("name", "method"), [case for case in CASES if case[0] not in NOT_ASKED])
def test_a_route_keeps_its_budget(grown: World, name: str, method: str) -> None:
    cost, case = _cost(grown, name, method), f"{method} {name}"
    assert cost.queries <= QUERIES[case]
    dear = DEARER.get(case)
    if dear is None:
        assert cost.rows <= MOST_ROWS and cost.queries <= MOST_QUERIES, cost
    else:
        assert cost.rows <= dear.rows, cost
        assert cost.rows > MOST_ROWS or cost.queries > MOST_QUERIES, (
            "it keeps its budget now: take it off the list"
        )
