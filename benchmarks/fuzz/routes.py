"""Made-up requests to every route, in every role, made from the schema that the server publishes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
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
from benchmarks.fuzz.requests import LOOP, Aimed
from benchmarks.fuzz.world import World

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
#: Requests of one kind in one role at a time.
AT_A_TIME = 6
#: Ends the token that all the others are sent with.
LEFT_OUT = frozenset({"logout"})


def fuzz_routes(
    url: str, tokens: dict[str, str], world: World, found: Found, dice: random.Random, until: float
) -> None:
    """Until the time (``time.monotonic``) is over; every route was asked in every role once after each round."""
    schema = schemathesis.openapi.from_url(f"{url}/api/schema/?format=json")
    aimed = Aimed(schema.raw_schema, world.real, world.known)
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    for operation, who in _turns(operations, [*tokens, ""], dice):
        if time.monotonic() > until:
            return
        name = operation.definition.raw["operationId"]
        if name in LEFT_OUT or (name in LOOP and who not in {"labeler1", "viewer", ""}):
            continue
        _ask(operation, who, tokens.get(who, ""), aimed, found, dice.getrandbits(32))


def _turns(operations: list[Any], people: list[str], dice: random.Random) -> Iterator[tuple[Any, str]]:
    while True:
        turns = [(operation, who) for operation in operations for who in people]
        yield from dice.sample(turns, len(turns))


def _ask(operation: Any, who: str, token: str, aimed: Aimed, found: Found, number: int) -> None:
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
        case.headers.pop("Authorization", None)
        if token:
            case.headers["Authorization"] = f"Token {token}"
        found.cases[f"requests as {who or 'a stranger'}"] += 1
        what = f"{name} as {who or 'a stranger'}"
        try:
            response = case.call(timeout=PATIENCE_S)
        except requests.exceptions.RequestException as error:
            found.hangs.append(f"{what}: {error!r}")
            return
        found.answer(what, response.status_code, response.content)
        if response.status_code < 500:
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as group:
                found.unlike_schema.append(f"{what}: {[each.message for each in group.exceptions]}"[:600])

    one()
