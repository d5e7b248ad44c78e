"""A spreadsheet reads a table by an address of its own, as far and as long as whoever made it allows."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Activity, Membership
from labeling.catalog.projects import archive_project, restore_project
from labeling.exchange.feeds import links
from labeling.exchange.models import Feed, Table
from labeling.exchange.provenance import SOURCES
from labeling.refusals import Refused
from labeling.truth.services import rule
from tests.gateway.conftest import World

pytestmark = pytest.mark.django_db


def address(feed: Feed) -> str:
    return reverse("api-feed", args=[links.token_of(feed)])


def read(feed: Feed) -> list[dict[str, str]]:
    response = Client().get(address(feed))
    assert response.status_code == 200 and response.streaming
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


def refused(feed: Feed) -> tuple[int, str]:
    response = Client().get(address(feed))
    return response.status_code, response.json()["error"]["code"]


def make(world: World, **given: Any) -> Feed:
    until = timezone.now() + timedelta(days=7)
    asked = {"name": "weekly", "table": "ground-truths", "expires_at": until} | given
    return links.make_feed(project=world.project, by=world.admin, **asked)


def test_it_gives_what_is_in_force_at_that_moment_without_an_account(world: World) -> None:
    feed = make(world, columns=["name", "class", "in_force"])
    before = read(feed)
    assert before and {row["in_force"] for row in before} == {"true"} and list(before[0]) == feed.columns
    rule(
        project=world.project, dispute_id=world.dispute.pk, reviewer=world.reviewer, outcome="class",
        class_key="defective",
    )  # fmt: skip
    after = read(feed)
    assert len(after) == len(before) + 1
    assert {"name": world.dispute.item.name, "class": "defective", "in_force": "true"} in after
    feed.refresh_from_db()
    assert feed.fetched_at


def test_superseded_ones_come_where_they_are_asked_for(world: World) -> None:
    everything = links.rows_of_feed(make(world, in_force=False))
    assert len([row for rows in everything for row in rows]) >= len(read(make(world)))


@pytest.mark.parametrize("table", Table.values)
def test_each_table_is_read_whole(world: World, table: str) -> None:
    assert table in SOURCES and set(SOURCES) == set(Table.values)
    text = b"".join(Client().get(address(make(world, table=table)))).decode("utf-8-sig")
    assert tuple(next(csv.reader(io.StringIO(text)))) == SOURCES[table].columns


def test_it_ends_by_itself_and_goes_on_at_the_same_address(world: World) -> None:
    feed = make(world)
    Feed.objects.filter(pk=feed.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(feed) == (410, "feed_expired")
    one = world.api(f"/feeds/{feed.pk}")
    until = (timezone.now() + timedelta(days=30)).isoformat()
    told = world.client("admin").patch(one, {"expires_at": until}, content_type="application/json").json()
    assert told["address"].endswith(address(feed)) and read(feed)


def test_revoked_is_final(world: World) -> None:
    feed = make(world)
    for _twice in range(2):
        assert world.client("admin").delete(world.api(f"/feeds/{feed.pk}")).status_code == 204
    assert refused(feed) == (410, "feed_revoked")
    assert Activity.objects.filter(kind="feed_revoked").count() == 1
    with pytest.raises(Refused, match="final"):
        links.prolong_feed(feed=feed, by=world.admin, expires_at=timezone.now() + timedelta(days=1))


@pytest.mark.parametrize("how", ["left", "no admin any more", "may not sign in"])
def test_it_opens_no_more_than_whoever_made_it_may(world: World, how: str) -> None:
    feed = make(world)
    membership = Membership.objects.filter(project=world.project, user=world.admin)
    if how == "left":
        membership.delete()
    elif how == "no admin any more":
        membership.update(role="reviewer")
    else:
        world.admin.is_active = False
        world.admin.save()
    assert refused(feed) == (410, "feed_revoked")


def test_another_address_opens_nothing(world: World) -> None:
    feed = make(world)
    token = links.token_of(feed)
    forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), "x", f"{feed.pk}", token + "="]
    for each in forged:
        assert Client().get(reverse("api-feed", args=[each])).status_code == 404
    for method in ("post", "put", "delete"):
        assert getattr(Client(), method)(address(feed)).status_code == 405


def test_what_cannot_be_is_told(world: World) -> None:
    asked = {"name": "x", "table": "ground-truths", "columns": ["plate"], "expires_at": timezone.now()}
    page = world.client("admin")
    answer = page.post(world.api("/feeds"), asked, content_type="application/json")
    assert answer.status_code == 422 and "expires_at" in answer.json()["error"]["fields"]
    asked["expires_at"] = timezone.now() + timedelta(days=1)
    answer = page.post(world.api("/feeds"), asked, content_type="application/json")
    assert answer.status_code == 422 and "class_now" in answer.json()["error"]["fields"]["columns"][0]


def test_an_admin_makes_shows_and_revokes_one_on_the_page(world: World) -> None:
    client, page = world.client("admin"), reverse("feeds", args=[world.project.slug])
    given = {"name": "Board", "table": "annotations", "promise": "", "columns": "name, class", "lasts": "90"}
    assert client.post(page, given | {"columns": "nope"}).status_code == 422
    shown = client.post(page, given, follow=True)
    feed = Feed.objects.get(name="Board")
    assert address(feed) in shown.content.decode() and feed.columns == ["name", "class"]
    assert read(feed)
    client.post(reverse("feed", args=[world.project.slug, feed.pk]), {"action": "revoke"})
    assert refused(feed) == (410, "feed_revoked")


def test_each_address_is_rationed_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.gateway.api.by_address.ThrottleByAddress.get_rate", lambda _self: "1/hour")
    first, second = make(world), make(world)
    assert read(first) and read(second)
    response = Client().get(address(first))
    assert response.status_code == 429 and int(response["Retry-After"]) > 0


def test_an_archived_project_gives_nothing_until_it_is_brought_back(world: World) -> None:
    feed = make(world)
    archive_project(project=world.project, by=world.admin)
    assert refused(feed) == (410, "feed_expired")
    restore_project(project=world.project, by=world.admin)
    assert read(feed)


def test_two_read_it_at_once_and_a_third_is_told_when_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other connections see nothing of the test's rows.
    monkeypatch.setattr(links, "stream", lambda *_args, **_named: iter([[]]))
    feed, other = make(world), make(world)
    open_ones = [links.rows_of_feed(feed) for _ in range(links.MOST_READERS)]
    readers = [ThreadPoolExecutor(1) for _ in open_ones]
    try:
        for reader, rows in zip(readers, open_ones, strict=True):
            assert reader.submit(next, rows).result() == []
        response = Client().get(address(feed))
        assert response.status_code == 429 and int(response["Retry-After"]) > 0
        with pytest.raises(links.FeedBusy):
            next(links.rows_of_feed(feed))
        assert read(other) == []
        readers[0].submit(open_ones[0].close).result()  # type: ignore[attr-defined]
        assert read(feed) == []
    finally:
        for reader, rows in zip(readers, open_ones, strict=True):
            reader.submit(rows.close).result()  # type: ignore[attr-defined]
            reader.submit(connections.close_all).result()
            reader.shutdown()
