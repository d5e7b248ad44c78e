"""How inspections go: as they come, in figures, and one asset over time. Who sees what of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from labeling.inspections.models import Check, Inspection, Protocol
from labeling.inspections.permissions import protocols_of
from labeling.inspections.process import listing
from labeling.inspections.process.figures import figures, side_by_side
from labeling.inspections.process.listing import page
from labeling.inspections.process.wanted import Wanted
from labeling.people.models import User
from tests.factories import join, make_member, make_project, make_user
from tests.inspections.washing import MACHINE, PERSON, Wash

pytestmark = pytest.mark.django_db


@pytest.fixture
def wash() -> Wash:
    """Straight through in 4 minutes; with a person's answer in 40; held for two reasons; overruled in 10; unfinished."""
    made = Wash()
    straight, slow, held, failed = (
        made.inspect(),
        made.inspect(),
        made.inspect("34나1111", site="Busan", photographer="Jiwoo"),
        made.inspect(),
    )
    made.judge(straight, "passed", 4, parts=[MACHINE])
    made.judge(slow, "held", unknown=[["rear", "foam", "open"]])
    made.judge(slow, "passed", 40, parts=[MACHINE, PERSON])
    made.judge(
        held, "held", unknown=[["front", "foam", "dispute"], ["rear", "foam", "open"]], missing=["rear"]
    )
    made.judge(failed, "failed", 10, by=made.by)
    made.inspect(submitted=False)
    made.photo(straight, 0)
    made.photo(straight, 1, "blurred", "dark")
    made.photo(straight, 1)
    made.photo(held, 0, "small")
    return made


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_figures_are_what_was_recorded(wash: Wash) -> None:
    found = figures(wash.protocol, 7)
    total = found.total
    assert (total.n, total.passed, total.held, total.failed, total.straight) == (4, 2, 1, 1, 1)
    assert (total.median, total.p95) == (pytest.approx(10, abs=0.1), pytest.approx(37, abs=0.1))
    assert (total.tries, total.retakes, total.refused, found.unfinished, found.cut) == (4, 1, 2, 1, False)
    assert {name: each.n for name, each in found.by_site} == {"Gangnam": 3, "Busan": 1}
    assert {name: (each.n, each.held, each.refused) for name, each in found.by_photographer} == {
        "Minsu": (3, 0, 1), "Jiwoo": (1, 1, 1),
    }  # fmt: skip
    assert [(pk, each.n) for pk, each in found.by_version] == [(wash.version.pk, 4)]
    assert found.held_for == [
        ("front", "foam", "dispute", 1), ("rear", "", "", 1), ("rear", "foam", "open", 1),
    ]  # fmt: skip
    assert found.faults == [("front", "small", 1), ("rear", "blurred", 1), ("rear", "dark", 1)]
    other = Wash("valet")
    other.judge(other.inspect(), "passed", parts=[MACHINE])
    side = side_by_side([wash.protocol, other.protocol], 7)
    assert {pk: each.n for pk, each in side.items()} == {wash.protocol.pk: 4, other.protocol.pk: 1}


def test_more_than_are_counted_is_said(wash: Wash) -> None:
    found = figures(wash.protocol, 7, most=2)
    assert (found.cut, found.total.n, found.by_day) == (True, 2, [])
    assert found.since == wash.protocol.inspections.order_by("-happened_at")[1].happened_at


def test_figures_of_nothing() -> None:
    made = Wash()
    found = figures(made.protocol, 28)
    assert (found.total.n, found.total.median, found.by_site, found.faults) == (0, None, [], [])
    page = client_of(made.by).get("/protocols/wash/figures/").content.decode()
    assert "No inspections in this time" in page


def test_the_list_says_what_each_is_held_for(wash: Wash) -> None:
    rows = page(wash.protocol, Wanted()).rows
    assert [(row.says, row.minutes and round(row.minutes)) for row in rows] == [
        ("Certified", 4), ("Certified", 40), ("On hold", None), ("Rejected", 10), ("", None),
    ]  # fmt: skip
    assert rows[2].waits_for == [("Front", None), ("Rear", None)]


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ({"outcome": "held"}, 1),
        ({"site": "Gangnam"}, 4),
        ({"site": "gangnam"}, 0),
        ({"asset": "34나1111"}, 1),
        ({"event": "return"}, 0),
        ({"since": "2026-01-01", "outcome": "passed"}, 2),
        ({"until": "2020-01-01"}, 0),
    ],
)
def test_the_list_is_narrowed(wash: Wash, asked: dict[str, str], n: int) -> None:
    assert len(page(wash.protocol, Wanted.read(asked)).rows) == n


def test_pages_go_on_where_the_last_one_ended(wash: Wash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "A_PAGE", 2)
    seen, before = [], ""
    for _page in range(4):
        found = page(wash.protocol, Wanted(), before)
        seen += [row.inspection.external_id for row in found.rows]
        before = found.older
        if not before:
            break
    assert seen == [f"wash-{n}" for n in range(1, 6)]
    # What is rare is looked for among so many, and from there on.
    monkeypatch.setattr(listing, "LOOKED_THROUGH", 2)
    busan = Wanted(site="Busan")
    first = page(wash.protocol, busan)
    assert (first.rows, first.looked_through) == ([], True)
    second = page(wash.protocol, busan, first.older)
    assert [row.inspection.external_id for row in second.rows] == ["wash-3"]


def test_what_is_held_beyond_the_service_level_is_overdue_wherever_one_looks(wash: Wash) -> None:
    client, now = client_of(wash.by), timezone.now()
    held = Inspection.objects.filter(external_id="wash-3")
    held.update(submitted_at=now - timedelta(hours=2))
    assert not page(wash.protocol, Wanted(overdue="yes")).rows, "no time is asked for"
    Protocol.objects.update(settle_within_hours=1)
    protocol = Protocol.objects.get()
    (row,) = page(protocol, Wanted(overdue="yes")).rows
    assert row.inspection.external_id == "wash-3" and row.late is not None
    assert timedelta(minutes=59) < row.late < timedelta(minutes=90)
    total = figures(protocol, 7).total
    assert (total.within, total.late, total.within_share) == (3, 1, 0.75), "unfinished ones are not asked"
    told = client.get("/api/v1/protocols/wash/inspections?overdue=yes").json()["results"]
    assert [each["external_id"] for each in told] == ["wash-3"]
    assert parse_datetime(told[0]["due_at"]) == now - timedelta(hours=1)
    assert "One is overdue." in client.get("/protocols/wash/").content.decode()
    home = client.get("/").content.decode()
    assert "1 held inspection is overdue" in home and "1 problem is open" in home
    assert "?overdue=yes" in client.get("/protocols/").content.decode()
    held.update(submitted_at=now)
    assert "overdue" not in client.get("/").content.decode()


def test_an_asset_over_time_shot_beside_shot(wash: Wash) -> None:
    shown = client_of(wash.by).get("/assets/car/12가3456/").content.decode()
    assert "Front" in shown and "Rear" in shown and shown.count('class="photo-thumb') == 2
    assert shown.count("Certified") == 2 and "34나1111" not in shown
    assert client_of(wash.by).get("/assets/car/none/").status_code == 404
    assert client_of(wash.by).get("/assets/car/12가3456/?before=x").status_code == 422
    stranger = make_member(make_project(), "admin")
    assert client_of(stranger).get("/assets/car/12가3456/").status_code == 404


def test_photographers_are_told_of_to_those_who_can_help_them(wash: Wash) -> None:
    viewer, reviewer = (make_member(wash.project, role) for role in ("viewer", "reviewer"))
    for user, told in ((viewer, False), (reviewer, True), (wash.by, True)):
        client = client_of(user)
        shown = client.get("/protocols/wash/figures/").content.decode()
        assert ("Jiwoo" in shown) is told and "Busan" in shown
        sent = client.get("/api/v1/protocols/wash/figures?days=7").json()
        assert (sent["by_photographer"] is not None) is told
        assert (sent["total"]["n"], sent["total"]["straight"]) == (4, 1)
    assert client_of(make_member(wash.project)).get("/protocols/wash/figures/").status_code == 403


def test_the_pages_of_an_admin(wash: Wash) -> None:
    client = client_of(wash.by)
    assert "Car wash" in client.get("/protocols/").content.decode()
    shown = client.get("/protocols/wash/").content.decode()
    assert (
        "One inspection is held." in shown and "photo is missing" in shown and "being photographed" in shown
    )
    assert client.get("/protocols/wash/?outcome=maybe").status_code == 422
    assert client.get("/protocols/wash/?since=tomorrow&before=1").status_code == 422
    assert client.get("/protocols/wash/?before=1").status_code == 422
    assert "None is like this" in client.get("/protocols/wash/?site=Seoul").content.decode()
    shown = client.get("/protocols/wash/figures/?days=7").content.decode()
    assert "a reviewer is to rule" in shown and "Blurred" in shown
    assert "Too dark" in shown and "4 inspections" in shown


def test_whose_protocols(wash: Wash) -> None:
    second, mine = Wash("valet"), make_user()
    assert protocols_of(mine) == []
    assert [each.slug for each in protocols_of(wash.by)] == ["wash"]
    assert len(protocols_of(make_user(is_superuser=True))) == 2
    # A member of one of the projects that it asks, and not of the other, is a stranger to it.
    Check.objects.create(shot=second.shots[0], project=wash.project)
    assert protocols_of(make_member(wash.project, "viewer")) == protocols_of(wash.by)
    assert protocols_of(second.by) == []
    join(second.project, wash.by, role="viewer")
    assert protocols_of(wash.by) == [wash.protocol, second.protocol]
    # One that asks nothing any more is its maker's, whoever was a member of what it asked.
    second.version.pk, second.version.number = None, 2
    second.version.save()
    assert (protocols_of(wash.by), protocols_of(second.by)) == ([wash.protocol], [second.protocol])
    Protocol.objects.filter(pk=second.protocol.pk).update(archived_at=timezone.now())
    assert protocols_of(second.by) == []
