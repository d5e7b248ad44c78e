"""Counts that all web processes share: exact under concurrency, ended by time, and never touched by labeling."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.people import rate_limits, throttle
from labeling.people.models import RateLimit
from labeling.queue import services as queue
from tests.factories import make_items, make_member, make_project, make_user


@pytest.mark.django_db(transaction=True)
def test_events_counted_at_the_same_moment_are_all_counted() -> None:
    def many(numbers: list[int]) -> None:
        numbers += [rate_limits.count("k", seconds=60)[0] for _ in range(25)]
        connection.close()

    seen: list[list[int]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=many, args=(numbers,)) for numbers in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each number once: no two of them took the same place.
    assert sorted(number for numbers in seen for number in numbers) == list(range(1, 101))
    assert rate_limits.counted("k") == 100


@pytest.mark.django_db
def test_a_window_that_has_ended_counts_anew_and_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        number, left = rate_limits.count("k", seconds=60)
    assert (number, 50 < left <= 60) == (3, True)
    RateLimit.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert rate_limits.counted("k") == 0
    assert rate_limits.count("k", seconds=60)[0] == 1
    RateLimit.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(rate_limits, "SWEEP_EVERY", 1)
    rate_limits.count("other", seconds=60)
    assert list(RateLimit.objects.values_list("key", flat=True)) == ["other"]


@pytest.mark.django_db
def test_what_is_forgotten_counts_anew() -> None:
    rate_limits.count("k", seconds=60)
    rate_limits.forget("k")
    assert rate_limits.counted("k") == 0


@pytest.mark.django_db
def test_no_name_and_no_address_is_written_down() -> None:
    throttle.count_failure(address="192.0.2.7", username="mina")
    of_name, of_place = RateLimit.objects.values_list("key", flat=True)
    assert len(of_name) == len(of_place) == 64 and "mina" not in of_name
    throttle.count_failure(address="192.0.2.7", username="M" * 5000 + "\n")  # any text makes a key


def test_another_process_knows_of_wrong_passwords(live_stack: Any) -> None:
    make_user("mina")
    for n in range(throttle.TRIES):
        sent = {"username": "mina", "password": f"guess{n}"}
        assert httpx.post(f"{live_stack.url}/api/v1/login", json=sent).status_code == 401
    # The server counted in its own process; this one refuses as well.
    assert throttle.must_wait(address="127.0.0.1", username="mina")
    right = {"username": "mina", "password": "mina"}
    here = Client().post("/api/v1/login", right, content_type="application/json")
    assert here.status_code == 429
    throttle.forget(address="127.0.0.1", username="mina")
    assert httpx.post(f"{live_stack.url}/api/v1/login", json=right).status_code == 200


@pytest.mark.django_db
def test_borrowing_and_answering_touch_no_count() -> None:
    project = make_project()
    labeler = make_member(project)
    queue.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, 3)])
    client = Client()
    client.force_login(labeler)
    address = f"/api/v1/projects/{project.slug}"
    with CaptureQueriesContext(connection) as caught:
        task = client.post(f"{address}/claims", {}, content_type="application/json").json()["tasks"][0]
        answer = {
            "key": "6f2b5a0e-8f52-4c3e-9f6e-0d4f3a1b7c11", "lease": task["lease"], "kind": "class",
            "class": "functional", "view_ms": 900,
        }  # fmt: skip
        stored = client.post(f"{address}/annotations", answer, content_type="application/json")
        assert stored.status_code == 201
        assert client.post(f"{address}/annotations/{answer['key']}/undo").status_code == 200
    assert not [query for query in caught.captured_queries if "ratelimit" in query["sql"]]
    assert not RateLimit.objects.exists()
