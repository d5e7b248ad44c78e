"""The contract of every kind of event: what happens is told once, in its transaction, by the schema that is published."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator, FormatChecker

from labeling.frontier.models import AutomaticDecision
from labeling.gateway.schema import prepared
from labeling.inspections.services import overrule
from labeling.notify.bodies import bodies_of
from labeling.notify.kinds import CHOICES, KINDS
from labeling.notify.models import Delivery, Event
from labeling.notify.services import make_endpoint
from tests.catalog.conftest import own_folders  # noqa: F401 - each test has its own store
from tests.factories import make_project, make_user
from tests.frontier.proving import certified_pool
from tests.inspections.made import Washes
from tests.notify.examples import EXAMPLES, Act, erase, two_answers

pytestmark = pytest.mark.django_db
CASES = [(kind, make) for kind, some in EXAMPLES.items() for make in some]


@lru_cache
def published() -> dict[str, Any]:
    text, _tag = prepared("en", "application/vnd.oai.openapi+json")
    return json.loads(text)["webhooks"]  # type: ignore[no-any-return]


def test_every_kind_is_published_and_has_an_example() -> None:
    assert set(published()) == set(KINDS)
    assert set(EXAMPLES) == set(CHOICES)


@pytest.mark.parametrize(("kind", "make"), CASES, ids=[make.__name__ for _kind, make in CASES])
def test_what_happens_is_told_once_and_by_its_schema(kind: str, make: Callable[[], Act]) -> None:
    project, act, many = make()
    root = make_user(is_superuser=True)
    heard, _secret = make_endpoint(project=project, by=root, name="", url="https://a.example", events=[kind])
    others = sorted(set(CHOICES) - {kind})
    make_endpoint(project=make_project(), by=root, name="", url="https://b.example", events=[kind])
    deaf, _secret = make_endpoint(project=project, by=root, name="", url="https://c.example", events=others)
    act()
    events = list(Event.objects.filter(kind=kind).select_related("project"))
    assert len(events) == many if many > 0 else events
    assert len({event.row for event in events}) == len(events)
    assert Delivery.objects.filter(endpoint=heard).count() == len(events)
    assert not Delivery.objects.filter(event__kind=kind).exclude(endpoint=heard).exists()
    assert not Delivery.objects.filter(endpoint=deaf, event__kind=kind).exists()
    bodies = bodies_of(events)
    schema = published()[kind]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for event in events:
        body = json.loads(json.dumps(bodies[event.pk]))
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)
        assert body["project"] == (project.slug if project else None)
        assert body["subject"] == event.subject


def test_where_nobody_listens_nothing_is_written_and_no_request_pays() -> None:
    _project, _item, _bob, say = two_answers("functional")
    with CaptureQueriesContext(connection) as alone:
        say()
    assert not Event.objects.exists()
    project, _item, _bob, say = two_answers("functional")
    make_endpoint(
        project=project, by=project.created_by, name="", url="https://a.example", events=["photo.decided"]
    )
    with CaptureQueriesContext(connection) as heard:
        say()
    assert Event.objects.count() == 1 and len(heard) == len(alone)


def test_what_did_not_happen_is_not_told() -> None:
    project, _item, _bob, say = two_answers("functional")
    make_endpoint(
        project=project, by=project.created_by, name="", url="https://a.example", events=["photo.decided"]
    )
    with transaction.atomic():
        say()
        assert Event.objects.count() == 1
        transaction.set_rollback(True)
    assert not Event.objects.exists() and not Delivery.objects.exists()


def test_what_an_audit_drew_is_told_by_people_only() -> None:
    pool = certified_pool()
    make_endpoint(
        project=pool.project, by=pool.admin, name="", url="https://a.example", events=["photo.decided"]
    )
    pool.policy(mode="on", audit_share=0.5)
    pool.work()
    decided = AutomaticDecision.objects.filter(project=pool.project, mode="on")
    told = set(Event.objects.filter(source="frontier_automaticdecision").values_list("row", flat=True))
    alone = decided.filter(audit=False, item__audit_drawn_at=None)
    assert told == set(map(str, alone.values_list("pk", flat=True))) and told
    assert decided.filter(audit=True).exists()


def test_admins_of_one_of_several_projects_do_not_hear_the_verdict() -> None:
    washes = Washes()
    inspection = washes.inspect()
    for project in (washes.wash, washes.damage):
        make_endpoint(
            project=project, by=washes.admin, name="", url="https://a.example", events=["inspection.decided"]
        )
    overrule(inspection=inspection, by=washes.admin, outcome="passed", reason="Seen on site")
    assert inspection.verdicts.exists() and not Event.objects.exists()


def test_a_photo_that_was_erased_meanwhile_is_told_as_erased() -> None:
    project, item, _bob, say = two_answers("functional")
    make_endpoint(
        project=project, by=project.created_by, name="", url="https://a.example", events=["photo.decided"]
    )
    say()
    event = Event.objects.get()
    assert bodies_of([event])[event.pk]["data"]["photo"]["sha256"] == item.image.sha256
    erase(project, item)
    assert bodies_of([event])[event.pk]["data"]["photo"] == {"id": item.pk, "sha256": None, "erased": True}
