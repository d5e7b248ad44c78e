"""Pages hear of changes while they are open, through one database connection a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client

from labeling.catalog.services import log_activity
from labeling.gateway.events import Watch
from labeling.gateway.hub import hub
from labeling.jobs.models import Job
from labeling.people import services as people
from labeling.people.models import User
from labeling.queue import services as queue
from tests.factories import make_member, make_project
from tests.gateway.conftest import World, answer, make_world
from tests.stack import Stack


class Viewer:
    """A browser tab that listens; ``heard`` holds (kind, data) as they come."""

    def __init__(self, url: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.watching = threading.Event()
        self._http = httpx.Client(cookies={"sessionid": client.cookies["sessionid"].value}, timeout=30)
        self._thread = threading.Thread(target=self._listen, args=(url,), daemon=True)
        self._thread.start()

    def _listen(self, url: str) -> None:
        kind = ""
        with contextlib.suppress(httpx.HTTPError, RuntimeError), self._http.stream("GET", url) as response:
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            assert response.headers["content-type"] == "text/event-stream"
            for line in response.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "watching":
                    self.watching.set()
                elif line.startswith("data: "):
                    self.heard.append((kind, json.loads(line.removeprefix("data: "))))

    def kinds(self, *, within: float = 60, least: int = 1) -> list[str]:
        end = time.monotonic() + within
        while len(self.heard) < least and time.monotonic() < end:
            time.sleep(0.02)
        return [kind for kind, _data in self.heard]

    def leave(self) -> None:
        """Close the tab: the line is cut at once, also while the thread waits for more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._http.close()


@pytest.fixture
def viewers(live_stack: Stack) -> Iterator[Any]:
    opened: list[Viewer] = []

    def open_tab(project: Any, user: User) -> Viewer:
        viewer = Viewer(f"{live_stack.url}/p/{project.slug}/events", user)
        opened.append(viewer)
        assert viewer.watching.wait(60)
        return viewer

    yield open_tab
    for viewer in opened:
        viewer.leave()


def test_a_page_hears_of_a_job_an_answer_and_an_activity_and_of_nothing_else(viewers: Any) -> None:
    world = make_world()
    viewer = viewers(world.project, world.labeler)
    other = viewers(make_project(admin=world.admin), world.admin)
    Job.objects.filter(pk=world.job.pk).update(done=5)
    assert viewer.kinds() == ["jobs"]
    log_activity(project=world.project, kind="test", actor=world.admin)
    assert viewer.kinds(least=2) == ["jobs", "activity"]
    _settle_one(world)
    assert viewer.kinds(least=3)[2:] == ["progress"]
    assert set(viewer.heard[0][1]) == {"at"}
    assert other.heard == []


def _settle_one(world: World) -> None:
    """The photo that ``lina`` answered alone gets its second answer."""
    (slot,) = queue.claim(project=world.project, labeler=world.second, count=1)
    answer(world.project, world.second, slot.pk, "functional")


@pytest.mark.parametrize("how", ["switched off", "signed out everywhere"])
def test_a_page_hears_no_more_once_its_session_is_ended(viewers: Any, how: str) -> None:
    world = make_world()
    ended, other = viewers(world.project, world.labeler), viewers(world.project, world.second)
    if how == "switched off":
        people.switch_off(person=world.labeler, by=world.superuser)
    else:
        people.sign_out_everywhere(person=world.labeler, by=world.labeler)
    ended._thread.join(60)
    assert not ended._thread.is_alive()
    log_activity(project=world.project, kind="test", actor=world.admin)
    assert other.kinds() == ["activity"]
    assert ended.heard == []


def test_what_is_rolled_back_is_not_told(viewers: Any) -> None:
    world = make_world()
    viewer = viewers(world.project, world.admin)
    with transaction.atomic():
        Job.objects.filter(pk=world.job.pk).update(done=5)
        transaction.set_rollback(True)
    Job.objects.filter(pk=world.job.pk).update(done=6)
    assert viewer.kinds() == ["jobs"]
    time.sleep(0.8)
    assert viewer.kinds() == ["jobs"]


def test_many_changes_are_told_at_most_twice_a_second(viewers: Any) -> None:
    world = make_world()
    viewer = viewers(world.project, world.admin)
    begin = time.monotonic()
    for done in range(200):
        Job.objects.filter(pk=world.job.pk).update(done=done)
    time.sleep(0.7)  # the last one may wait for its turn
    heard = len(viewer.kinds())
    assert 1 <= heard <= 2 * (time.monotonic() - begin) + 1


def test_more_viewers_than_database_connections_and_the_site_still_answers(
    viewers: Any, live_stack: Stack
) -> None:
    world = make_world()
    tabs = [viewers(world.project, world.admin) for _ in range(30)]
    end = time.monotonic() + 60  # what takes longer than a second and a half is no good health either
    while (
        told := httpx.get(f"{live_stack.url}/healthz", timeout=60)
    ).status_code != 200 and time.monotonic() < end:
        time.sleep(0.1)
    assert told.json() == {"status": "ok"}
    assert httpx.head(f"{live_stack.url}/healthz", timeout=60).status_code == 200
    assert _listeners() == 1
    Job.objects.filter(pk=world.job.pk).update(done=5)
    for tab in tabs:
        assert tab.kinds() == ["jobs"]
        tab.leave()
    end = time.monotonic() + 60
    while _listeners() and time.monotonic() < end:
        time.sleep(0.1)
    assert _listeners() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", ["the first byte", "no byte"])
def test_who_vanishes_is_forgotten_at_once_and_not_when_the_garbage_is_collected(after: str) -> None:
    async def vanish() -> tuple[int, int]:
        watch = Watch(project_id=1, user_id=1)
        response = StreamingHttpResponse(watch, content_type="text/event-stream")
        stream = aiter(response)
        if after == "the first byte":
            assert b"watching" in await anext(stream)
        else:  # cut off while the line to the database is being opened
            first = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await first
        before = len(hub().watched())
        await asyncio.to_thread(response.close)
        await asyncio.sleep(0)
        return before, len(hub().watched())

    with ThreadPoolExecutor(
        1
    ) as loopless:  # a browser test before this one may have left a loop running here
        before, behind = loopless.submit(lambda: asyncio.run(vanish())).result()
    assert before == (1 if after == "the first byte" else 0)
    assert behind == 0


def test_a_lost_database_connection_is_replaced_and_nothing_stays_untold(viewers: Any) -> None:
    world = make_world()
    viewer = viewers(world.project, world.admin)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hilltop events'"
        )
    Job.objects.filter(pk=world.job.pk).update(done=5)  # nobody listens at this moment
    assert sorted(viewer.kinds(least=3)) == ["activity", "jobs", "progress"]


def test_strangers_hear_nothing(live_stack: Stack) -> None:
    world = make_world()
    url = f"{live_stack.url}/p/{world.project.slug}/events"
    assert httpx.get(url).status_code == 401
    client = Client()
    client.force_login(world.outsider)
    assert httpx.get(url, cookies={"sessionid": client.cookies["sessionid"].value}).status_code == 404
    assert make_member(world.project) is not None


def _listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hilltop events'"
            " AND datname = current_database()"
        )
        (count,) = cursor.fetchone()
    return int(count)
