"""Days and hours are the person's, by the zone that their browser names."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from labeling.people.own_day import COOKIE
from labeling.queue import services as queue
from labeling.queue.models import Slot
from labeling.truth.models import Annotation
from labeling.truth.services import Answer
from tests.factories import make_items, make_member, make_project

SEOUL = ZoneInfo("Asia/Seoul")
LAST_NIGHT = datetime(2026, 3, 9, 23, 30, tzinfo=SEOUL)
THIS_MORNING = datetime(2026, 3, 10, 0, 30, tzinfo=SEOUL)  # in UTC both are of the same day
NOW = datetime(2026, 3, 10, 1, 0, tzinfo=SEOUL)


def _at(moment: datetime) -> Any:
    return patch.object(timezone, "now", lambda: moment)


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("Asia/Seoul", 1),
        ("", 2),
        ("UTC", 2),
        ("Nowhere/Else", 2),
        ("../../etc/passwd", 2),
        ("Factory", 2),
        ("x" * 3000, 2),
    ],
)
def test_today_is_the_persons_day_and_an_unknown_zone_is_the_servers(
    db: None, zone: str, today: int, settings: Any
) -> None:
    settings.TIME_ZONE = "UTC"
    project = make_project(answers_per_image=1)
    person = make_member(project)
    queue.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, 4)])
    for moment in (LAST_NIGHT, THIS_MORNING):
        with _at(moment):
            (slot,) = queue.claim(project=project, labeler=person, count=1)
            queue.submit(
                project=project,
                labeler=person,
                lease=slot.pk,
                key=uuid4(),
                answer=Answer("class", "functional"),
            )
    assert Annotation.objects.count() == 2
    client = Client()
    client.force_login(person)
    if zone:
        client.cookies[COOKIE] = zone
    with _at(NOW):
        Slot.objects.filter(annotation=None).delete()
        told = client.post(
            f"/api/v1/projects/{project.slug}/claims", {}, content_type="application/json"
        ).json()
        page = client.get(f"/p/{project.slug}/").content.decode()
    assert told["progress"]["answered_today"] == today
    assert f'<dd class="big">{today}</dd>' in page
    assert timezone.get_current_timezone_name() == "UTC"  # it was this request's zone only


def test_a_zone_that_the_database_does_not_know_does_not_break_the_dashboard(db: None) -> None:
    project = make_project()
    client = Client()
    client.force_login(project.created_by)
    for zone in ("Asia/Seoul", "America/Argentina/Buenos_Aires", "Europe/Kyiv"):
        client.cookies[COOKIE] = zone
        assert client.get(f"/p/{project.slug}/dashboard").status_code == 200
    with (
        patch("labeling.people.own_day._zones", lambda: {"Asia/Seoul", "Asia/Atlantis"}),
        patch(
            "labeling.overview.dashboard.history.timezone.get_current_timezone_name", lambda: "Asia/Atlantis"
        ),
    ):
        assert client.get(f"/p/{project.slug}/dashboard").status_code == 200
