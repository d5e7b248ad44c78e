"""The published schema is the truth: random requests made from it never break the server, and answers fit it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.fuzz.requests import LOOP, Aimed, says_why
from labeling.catalog.models import Project
from labeling.gateway.api.base import ApiView
from labeling.gateway.schema import SchemaView, prepared
from labeling.people.models import Token
from tests.examples import thorough
from tests.gateway.addresses import ROUTES
from tests.gateway.conftest import World
from tests.gateway.test_who_may_use_each_route import MAY

EXAMPLES = thorough(4)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def in_one_transaction() -> Iterator[None]:
    """The application is called in this process: it must not close the connection that holds the test's rows."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_random_requests_get_answers_that_the_schema_foresees(
    world: World, in_one_transaction: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiView, "throttle_classes", ())
    # However long it takes until that route's turn comes.
    Project.objects.filter(pk=world.project.pk).update(undo_seconds=3600)
    application = get_wsgi_application()
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
    admin, labeler = (Token.objects.create(user=user)[1] for user in (world.superuser, world.labeler))
    roles = ("viewer", "labeler", "reviewer", "admin", "outsider")
    others = [*(Token.objects.create(user=world.person(role))[1] for role in roles), ""]
    real = {
        "slug": world.project.slug,
        "username": world.second.username,
        "sha256": world.gold.item.image.sha256,
        "batch_id": str(world.batch.pk),
        "lease": str(world.lease),
        "key": str(world.answered),
        "dispute_id": str(world.dispute.pk),
        "number": 1,
        "job_id": str(world.job.pk),
        "alert_id": world.alert.pk,
        "proposal_id": world.proposal.pk,
        "decision_id": world.decision.pk,
        "sheet": world.sheet.slug,
    }
    photo = world.items[9].image.sha256
    known = {"lease": real["lease"], "class": "functional", "sha256": photo, "guideline": 1}
    aimed = Aimed(schema.raw_schema, real, known)
    done: set[str] = set()
    for number, result in enumerate(schema.get_all_operations()):
        assert isinstance(result, Ok), result
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        # Whoever may do it first; then a few of the others in turn, most of whom are told that they may not.
        turn = [others[(number + each) % len(others)] for each in range(thorough(2))]
        callers = [labeler if name in LOOP else admin] * EXAMPLES + turn
        done |= _succeeding(operation, name, callers, aimed)
    assert aimed.tried >= EXAMPLES * 30
    assert {"answer", "undo", "claim", "promote", "rule", "add_gold", "export"} <= done  # not only refusals


def _succeeding(operation: Any, name: str, callers: list[str], aimed: Aimed) -> set[str]:
    """Send a made-up request of each of these tokens (none: of a stranger); the operation's name where one did something."""
    done: set[str] = set()
    left = iter(callers)

    @seed(7)
    @settings(
        max_examples=len(callers),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        aimed.aim(case, name)
        case.headers.pop("Authorization", None)
        if token := next(left, ""):
            case.headers["Authorization"] = f"Token {token}"
        with transaction.atomic():
            response = case.call()
            case.validate_response(response, checks=CHECKS)
            transaction.set_rollback(True)
        assert says_why(response.status_code, response.content), (name, response.content)
        if response.status_code < 300:
            done.add(name)

    one()
    return done


def test_the_schema_lists_every_route_of_the_api(db: None) -> None:
    listed = Client().get("/api/schema/?format=json").json()
    operations = {(path, method.upper()) for path, methods in listed["paths"].items() for method in methods}
    expected = {
        (name, method)
        for name, methods in MAY.items()
        if name.startswith("api-") and hasattr(ROUTES[name].callback, "cls") and name != "api-schema"
        for method in methods
    }
    assert len(operations) == len(expected)
    ids = [operation["operationId"] for methods in listed["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_schema_is_made_once_and_sent_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared.cache_clear()
    asked = ("?format=json", "?format=yaml")
    first = {each: Client().get(f"/api/schema/{each}") for each in asked}
    assert len({each.headers["ETag"] for each in first.values()}) == len(asked)
    monkeypatch.setattr(SchemaView, "generator_class", None)
    for each, made in first.items():
        again = Client().get(f"/api/schema/{each}")
        assert (again.content, again["Content-Type"]) == (made.content, made["Content-Type"])
        known = Client().get(f"/api/schema/{each}", headers={"If-None-Match": made.headers["ETag"]})
        assert (known.status_code, known.content) == (304, b"")


def test_every_operation_of_the_schema_says_what_its_errors_look_like(db: None) -> None:
    listed = Client().get("/api/schema/?format=json").json()
    for path, methods in listed["paths"].items():
        for method, operation in methods.items():
            refusals = [code for code in operation["responses"] if code.startswith("4")]
            # Whose token is the permission need not sign in, and is told when it has ended.
            assert "401" in refusals or ("{token}" in path and "410" in refusals), (method, path)
            for code in refusals:
                content = operation["responses"][code]["content"]["application/json"]
                assert content["schema"]["$ref"].endswith("/ErrorOut"), (method, path, code)


def test_two_shapes_never_share_a_name() -> None:
    """Of which one would stand for both: the answers of *decide* were said to be an inspection's verdicts."""
    call_command("spectacular", "--fail-on-warn", stdout=StringIO())
