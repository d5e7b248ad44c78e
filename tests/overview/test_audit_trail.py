"""The audit trail: what comes into it, that nobody takes it out again, and how it is read and exported."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Activity, Project
from labeling.overview import diary
from labeling.overview.trail.topics import TOPICS
from labeling.people import services
from labeling.people.history import remember
from labeling.people.models import AccountEvent, User
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief() -> User:
    return make_user("root", is_superuser=True)


@pytest.fixture
def client(chief: User) -> Client:
    client = Client()
    client.force_login(chief)
    return client


def trail(client: Client, **asked: Any) -> list[dict[str, Any]]:
    response = client.get(reverse("api-audit-trail"), asked)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def said(client: Client, **asked: Any) -> list[tuple[Any, ...]]:
    """Oldest first."""
    return [(row["kind"], row["by"], row["account"]) for row in reversed(trail(client, **asked))]


def test_every_kind_of_event_has_one_topic() -> None:
    accounts = [kind for topic in TOPICS.values() for kind in topic.of_accounts]
    projects = [kind for topic in TOPICS.values() for kind in topic.of_projects]
    assert sorted(accounts) == sorted(AccountEvent.Kind.values)
    assert sorted(projects) == sorted(diary.KINDS)


def test_sign_ins_and_refused_ones_are_kept_with_their_address_and_never_a_name_that_nobody_has(
    client: Client,
) -> None:
    make_user("mina")
    for name, password in (("mina", "wrong"), ("hunter2", "hunter2"), ("mina", "mina")):
        Client().post(reverse("login"), {"username": name, "password": password}, REMOTE_ADDR="192.0.2.7")
    for password in ("wrong", "mina"):
        Client().post(reverse("api-login"), {"username": "mina", "password": password}, "application/json")
    assert said(client, topic="sign-ins")[1:] == [
        ("sign_in_failed", None, "mina"),
        ("sign_in_failed", None, None),
        ("signed_in", "mina", "mina"),
        ("sign_in_failed", None, "mina"),
        ("signed_in", "mina", "mina"),
    ]
    rows = trail(client, topic="sign-ins")
    assert {row["what"].get("said") for row in rows[2:5]} == {"192.0.2.7"}
    assert "hunter2" not in json.dumps(rows)


def test_passwords_that_the_throttle_does_not_look_at_fill_no_trail(client: Client) -> None:
    make_user("mina")
    for _ in range(10):
        Client().post(reverse("login"), {"username": "mina", "password": "wrong"})
    assert len(said(client, person="mina")) == 6


def test_who_becomes_or_ceases_to_be_an_administrator_is_kept_however_it_was_done(client: Client) -> None:
    mina = make_user("mina")
    User.objects.filter(pk=mina.pk).update(is_superuser=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_user SET is_superuser = false WHERE username = 'mina'")
        cursor.execute("UPDATE people_user SET first_name = 'Mina' WHERE username = 'mina'")
    assert said(client, person="mina") == [("superuser_on", None, "mina"), ("superuser_off", None, "mina")]
    assert said(client, person="root")[0] == ("superuser_on", None, "root")


def test_neither_half_of_the_trail_can_be_changed_or_removed(chief: User) -> None:
    log_activity(project=make_project(), kind="project_created", actor=chief)
    for table in (AccountEvent, Activity):
        for change in (lambda rows: rows.delete(), lambda rows: rows.update(kind="decided")):
            with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
                change(table.objects.all())


@pytest.fixture
def busy(chief: User, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project and accounts with events in turn, a microsecond apart."""
    project, mina = make_project(slug="cells"), make_user("mina")
    began = timezone.now()
    for turn in range(12):
        with monkeypatch.context() as patched:
            patched.setattr(timezone, "now", lambda at=began + timedelta(microseconds=turn): at)
            if turn % 3:
                log_activity(project=project, kind="settings_changed", actor=chief, changes={})
            else:
                remember(mina, AccountEvent.Kind.LINK_MADE, by=chief, what=f"+{turn}")
    return project


def test_pages_hold_each_event_once_in_the_order_of_time(client: Client, busy: Project) -> None:
    whole = [row["id"] for row in trail(client, limit=1000)]
    times = [row["at"] for row in trail(client, limit=1000)]
    assert times == sorted(times, reverse=True) and len(set(whole)) == len(whole) > 12
    walked, address = [], f"{reverse('api-audit-trail')}?limit=5"
    while address:
        page = client.get(address).json()
        walked += [row["id"] for row in page["results"]]
        address = page["next"]
    assert walked == whole
    shown = client.get(reverse("audit-trail"), {"person": "mina"}).content.decode()
    assert "One-time link made" in shown and "root" in shown


def test_it_narrows_to_a_person_a_topic_a_project_and_a_time(client: Client, busy: Project) -> None:
    assert {row["account"] for row in trail(client, person="mina")} == {"mina"}
    assert {row["kind"] for row in trail(client, topic="settings")} == {"settings_changed"}
    in_project = trail(client, project="cells", topic="settings")
    assert len(in_project) == 8 and {row["project"] for row in in_project} == {"cells"}
    middle = in_project[4]["at"]
    assert len(trail(client, project="cells", topic="settings", since=middle)) == 5
    assert len(trail(client, project="cells", topic="settings", until=middle)) == 3


def test_what_nothing_can_be_found_by_is_refused(client: Client) -> None:
    asked = {"person": "nobody", "topic": "x", "project": "none", "since": "yesterday", "until": "0000-00-00"}
    refused = client.get(reverse("api-audit-trail"), asked)
    assert refused.status_code == 422 and set(refused.json()["error"]["fields"]) == set(asked)
    assert client.get(reverse("audit-trail"), asked).status_code == 422
    for cursor in ("1", "9" * 19 + "-1", "-"):
        assert client.get(reverse("api-audit-trail"), {"cursor": cursor}).status_code == 422
        assert client.get(reverse("audit-trail"), {"before": cursor}).status_code == 422


def test_an_export_is_whole_safe_for_a_spreadsheet_and_kept_itself(client: Client, busy: Project) -> None:
    cache.clear()
    files = {
        ending: b"".join(client.get(reverse("api-audit-trail-export", args=[ending])).streaming_content)  # type: ignore[attr-defined]
        for ending in ("jsonl", "csv")
    }
    lines = [json.loads(line) for line in files["jsonl"].decode().splitlines()]
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    # The second holds that the first was made, and itself.
    assert [row["id"] for row in rows[1:]] == [line["id"] for line in lines]
    assert [row["kind"] for row in rows[:2]] == ["trail_exported", "trail_exported"]
    assert [line["id"] for line in lines] == [row["id"] for row in trail(client, limit=1000)[1:]]
    assert client.get(reverse("api-audit-trail-export", args=["exe"])).status_code == 404


def test_what_leaves_a_project_is_in_its_diary_and_in_the_trail(client: Client, chief: User) -> None:
    project = make_project(slug="cells")
    b"".join(client.get(reverse("api-export", args=["cells", "annotations", "csv"])).streaming_content)  # type: ignore[attr-defined]
    (row,) = trail(client, topic="exports", project="cells")
    assert (row["by"], row["what"]) == ("root", {"what": "annotations", "format": "csv", "promise": ""})
    assert any("exported the answers as csv" in line.text for line in diary.diary(project))


def test_a_token_that_signs_out_is_in_its_owners_history(chief: User) -> None:
    _token, text = services.make_token(user=chief, name="notebook")
    assert Client().post(reverse("api-logout"), headers={"Authorization": f"Token {text}"}).status_code == 204
    assert AccountEvent.objects.filter(person=chief, kind="token_revoked", what="notebook").exists()
