"""A program that sends a photo may wait for the answer: it comes when it is known, and nobody pays for the waiting.

Against the real web server, whose event loop does the waiting; the test's own client answers before that.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from django.db import connection
from django.http import Http404
from django.test import Client

import labeling.frontier.tasks
import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Item, Membership, Project
from labeling.frontier import deciding
from labeling.frontier.models import AutomaticDecision
from labeling.inspections.services import overrule
from labeling.jobs.models import Job
from labeling.learning.models import Score
from labeling.people.models import Token, User
from tests.factories import make_items, make_project, photo_bytes
from tests.frontier.proving import Pool, certified_pool
from tests.gateway.conftest import World
from tests.gateway.test_live_events import _listeners
from tests.inspections.made import make_washes
from tests.stack import Stack


class Caller:
    """A program with a token."""

    def __init__(self, stack: Stack, slug: str, user: User) -> None:
        self.url = f"{stack.url}/api/v1/projects/{slug}/decide"
        self.headers = {"Authorization": f"Token {Token.objects.create(user=user)[1]}"}

    def ask(self, sha256: str, wait: object = None, **more: str) -> httpx.Response:
        query = {} if wait is None else {"wait": str(wait)}
        body = {"sha256": sha256} | more
        return httpx.post(self.url, params=query, json=body, headers=self.headers, timeout=60)

    def send(self, data: bytes, wait: object = None) -> httpx.Response:
        query = {} if wait is None else {"wait": str(wait)}
        files = {"photo": ("new.jpg", data)}
        return httpx.post(self.url, params=query, files=files, headers=self.headers, timeout=60)


def unscored(pool: Pool) -> Item:
    """A photo that came in, and that no worker has scored yet."""
    (item,) = make_items(pool.project, 1, seed=77)
    return item


def scored(pool: Pool, item: Item, *, margin: float = 0.99) -> None:
    """As a worker does it, whose job says so."""
    pool.predicted[item.pk], pool.margin[item.pk] = "functional", margin
    Score.objects.bulk_create([pool._score(item, pool.model)])
    Job.objects.create(kind="rescore", project_id=pool.project.pk, state="succeeded")


def later(seconds: float, what: Any, *args: Any, **named: Any) -> threading.Thread:
    def run() -> None:
        time.sleep(seconds)
        try:
            what(*args, **named)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_new_photo_is_taken_in_by_the_worker_while_its_sender_waits(live_stack: Stack) -> None:
    project = make_project()
    caller = Caller(live_stack, project.slug, project.created_by)
    data = photo_bytes(91)
    told = caller.send(data)
    assert (told.status_code, told.json()["reason"]) == (202, "new"), "without wait, at once"
    live_stack.start_worker()
    data = photo_bytes(92)
    told = caller.send(data, wait=30)
    assert (told.status_code, told.json()["by"], told.json()["reason"]) == (200, "queue", "off")
    assert Item.objects.filter(project=project, image__sha256=hashlib.sha256(data).hexdigest()).exists()
    assert int(told.headers["Content-Length"]) == len(told.content)


def test_one_that_turns_out_broken_is_refused_while_its_sender_waits(live_stack: Stack) -> None:
    project = make_project()
    caller = Caller(live_stack, project.slug, project.created_by)
    live_stack.start_worker()
    whole = photo_bytes(93, size=(300, 300), format="JPEG")
    told = caller.send(whole[: len(whole) // 2], wait=30)
    assert told.status_code == 422 and told.json()["error"]["code"] == "truncated"


def test_the_machines_decision_comes_as_soon_as_the_photo_is_scored(live_stack: Stack) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    caller = Caller(live_stack, "cells", pool.admin)
    item = unscored(pool)
    sha256 = item.image.sha256
    begin = time.monotonic()
    told = caller.ask(sha256, wait=1)
    assert (told.status_code, told.json()["reason"]) == (200, "not_scored"), "the time is over"
    assert time.monotonic() - begin >= 1
    thread = later(1.5, scored, pool, item)
    begin = time.monotonic()
    told = caller.ask(sha256, wait=30)
    took = time.monotonic() - begin
    thread.join()
    assert (told.status_code, told.json()["by"], told.json()["class"]) == (200, "machine", "functional")
    assert told.json()["decision"]["id"] == AutomaticDecision.objects.get(item=item).pk
    assert 1.4 < took < 30, took
    begin = time.monotonic()
    assert caller.ask(sha256, wait=30).json()["by"] == "machine"
    assert time.monotonic() - begin < 30, "what is known is told before the time is over"


def test_what_people_are_to_decide_is_not_waited_for(live_stack: Stack) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    caller = Caller(live_stack, "cells", pool.admin)
    item = unscored(pool)
    scored(pool, item, margin=0.01)
    begin = time.monotonic()
    told = caller.ask(item.image.sha256, wait=30)
    assert (told.status_code, told.json()["reason"]) == (200, "outside")
    assert caller.ask(item.image.sha256, wait=30, promise="strict").json()["reason"] == "with_people"
    assert caller.ask("0" * 64, wait=30).status_code == 404
    assert time.monotonic() - begin < 30


def test_who_may_no_longer_decide_is_told_so_when_the_answer_comes(live_stack: Stack) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    caller = Caller(live_stack, "cells", pool.admin)
    item = unscored(pool)

    def shut_out() -> None:
        Membership.objects.filter(project=pool.project, user=pool.admin).update(role="labeler")
        scored(pool, item)

    thread = later(1, shut_out)
    told = caller.ask(item.image.sha256, wait=30)
    thread.join()
    assert told.status_code == 403 and told.json()["error"]["code"] == "forbidden"
    assert not AutomaticDecision.objects.filter(item=item).exists()


def test_many_wait_and_the_site_still_answers_and_no_database_line_waits_with_them(live_stack: Stack) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    caller = Caller(live_stack, "cells", pool.admin)
    item = unscored(pool)
    with ThreadPoolExecutor(30) as crowd:
        asked = [crowd.submit(caller.ask, item.image.sha256, 25) for _ in range(30)]
        until(lambda: _listeners() == 1)
        time.sleep(1)
        assert not any(each.done() for each in asked)
        assert caller.ask(item.image.sha256).json()["reason"] == "not_scored"
        assert httpx.get(f"{live_stack.url}/healthz", timeout=60).status_code in (200, 503)
        assert not any(each.done() for each in asked), "both came while all the others waited"
        assert lines_in_a_transaction() == 0
        scored(pool, item)
        told = [each.result() for each in asked]
    assert {(each.json()["by"], each.json()["reason"]) for each in told} == {("machine", "")}
    assert AutomaticDecision.objects.filter(item=item).count() == 1
    until(lambda: _listeners() == 0)


def test_who_hangs_up_is_waited_for_no_more(live_stack: Stack) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    caller = Caller(live_stack, "cells", pool.admin)
    item = unscored(pool)
    body = f'{{"sha256": "{item.image.sha256}"}}'
    lines = [
        "POST /api/v1/projects/cells/decide?wait=30 HTTP/1.1",
        f"Host: 127.0.0.1:{live_stack.port}",
        f"Authorization: {caller.headers['Authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection(("127.0.0.1", live_stack.port)) as line:
        line.sendall("\r\n".join([*lines, "", body]).encode())
        until(lambda: _listeners() == 1)
    begin = time.monotonic()
    until(lambda: _listeners() == 0)
    assert time.monotonic() - begin < 20, "long before its time was over"


@pytest.mark.django_db
def test_a_score_that_comes_between_the_try_and_the_reason_is_decided_by() -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    item, why = unscored(pool), deciding._why_queued

    def meanwhile(project: Project, item_id: int) -> str:
        scored(pool, item)
        return why(project, item_id)

    with patch.object(deciding, "_why_queued", meanwhile):
        assert deciding.decide_one(project=pool.project, item_id=item.pk).by == "machine"


@pytest.mark.django_db
@pytest.mark.parametrize("wait", ["31", "-1", "soon", "nan", "inf", "", "1_0", "٣"])
def test_what_nobody_may_wait_is_refused_with_a_sentence(world: World, wait: str) -> None:
    body = {"sha256": "0" * 64}
    answer = world.client("admin").post(
        f"{world.api('/decide')}?wait={wait}", body, content_type="application/json"
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"]["wait"] == ["Send how many seconds to wait, from 0 to 30."]


@pytest.mark.django_db
def test_the_schema_says_how_long_anybody_may_wait(world: World) -> None:
    schema = world.client("admin").get("/api/schema/?format=json").json()
    parameters = schema["paths"]["/api/v1/projects/{slug}/decide"]["post"]["parameters"]
    (wait,) = [each for each in parameters if each["name"] == "wait"]
    assert (wait["schema"]["minimum"], wait["schema"]["maximum"], wait["in"]) == (0, 30, "query")


@pytest.mark.django_db
def test_a_verdict_is_waited_for_while_an_inspection_is_held() -> None:
    """As the event loop asks what a view left with it; the waiting itself is that of ``decide``."""
    washes, client = make_washes(), Client()
    client.force_login(washes.admin)
    inspection = washes.inspect(shots=("front",))
    address = f"/api/v1/inspections/{inspection.pk}?wait=20"
    held = client.get(address)
    waits = held.wait
    assert held.status_code == 200 and waits.project_id in (washes.wash.pk, washes.damage.pk)
    overrule(inspection=inspection, by=washes.admin, outcome="held", reason="Look again.")
    answer, is_over = waits.ask()
    assert (answer.data["outcome"], is_over) == ("held", False)
    overrule(inspection=inspection, by=washes.admin, outcome="failed", reason="The lamp is broken.")
    answer, is_over = waits.ask()
    assert (answer.data["outcome"], is_over) == ("failed", True)
    assert not hasattr(client.get(address), "wait"), "what is known is told at once"
    assert client.get(address.replace("20", "31")).status_code == 422
    Membership.objects.filter(user=washes.admin).delete()
    with pytest.raises(Http404):
        waits.ask()


def until(so: Any, *, within: float = 25.0) -> None:
    end = time.monotonic() + within
    while not so() and time.monotonic() < end:
        time.sleep(0.05)
    assert so()


def lines_in_a_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%%' AND now() - state_change > interval '0.4 s'"
        )
        (count,) = cursor.fetchone()
    return int(count)
