"""Made-up requests to every route, in every role, made from the schema that the server publishes."""

from __future__ import annotations

import random
import time
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.fuzz.found import PATIENCE_S, Found
from benchmarks.fuzz.requests import Aimed
from benchmarks.fuzz.world import World

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
#: Requests made of one kind at a time; each is sent in every role.
AT_A_TIME = 4
#: Ends the token that all the others are sent with.
LEFT_OUT = frozenset({"logout"})


def fuzz_routes(
    url: str, tokens: dict[str, str], world: World, found: Found, dice: random.Random, until: float
) -> None:
    """Until the time (``time.monotonic``) is over; each round goes through all routes in another order."""
    schema = schemathesis.openapi.from_url(f"{url}/api/schema/?format=json", timeout=PATIENCE_S)
    aimed = Aimed(schema.raw_schema, world.real, world.known)
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    people = {**tokens, "a stranger": ""}
    while True:
        for operation in dice.sample(operations, len(operations)):
            if time.monotonic() > until:
                return
            if operation.definition.raw["operationId"] not in LEFT_OUT:
                _ask(operation, people, aimed, found, dice.getrandbits(32))


def _ask(operation: Any, people: dict[str, str], aimed: Aimed, found: Found, number: int) -> None:
    name = operation.definition.raw["operationId"]

    @seed(number)
    @settings(
        max_examples=AT_A_TIME,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        aimed.aim(case, name)
        for who, token in people.items():
            case.headers.pop("Authorization", None)
            if token:
                case.headers["Authorization"] = f"Token {token}"
            found.cases[f"requests as {who}"] += 1
            _send(case, f"{name} as {who}", found)

    one()


def _send(case: Any, what: str, found: Found) -> None:
    try:
        response = case.call(timeout=PATIENCE_S)
    except requests.exceptions.RequestException as error:
        found.hangs.append(f"{what}: {error!r}")
        return
    found.answer(what, response.status_code, response.content)
    if response.status_code >= 500:
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        found.unlike_schema.append(f"{what}: {[each.message for each in group.exceptions]}"[:600])
