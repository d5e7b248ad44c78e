"""A text is no number, a number no switch, and ``true`` is not 1: in every input of every address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from labeling.frontier.policy import policy_of
from labeling.gateway.api.shapes import StrictSerializer
from labeling.gateway.api.urls import urlpatterns
from tests.gateway.conftest import World

METHODS = ("get", "post", "put", "patch", "delete")
#: What is of another type than the field, whatever else its limits are.
WRONG: list[tuple[type[serializers.Field[Any, Any, Any, Any]], list[Any]]] = [
    (serializers.BooleanField, [0, 1, "true", "false", "", "yes", 1.0]),
    (serializers.IntegerField, [True, False, "1", "", 1.5]),
    (serializers.FloatField, [True, False, "0.5", ""]),
    (serializers.CharField, [1, 0.5, True, False]),
    (serializers.UUIDField, [1, True]),
    (serializers.ChoiceField, [1, 0, True]),
    (serializers.DateTimeField, [1, True]),
]


def _readers() -> dict[str, type[StrictSerializer]]:
    handlers = (
        getattr(pattern.callback.cls, method, None)  # type: ignore[union-attr]
        for pattern in urlpatterns
        for method in METHODS
    )
    takes = (getattr(handler, "takes", None) for handler in handlers)
    return {reader.__name__: reader for reader in takes if reader is not None}


def _leaves(serializer: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each input that is no object: its path, its field, and a way to make what holds it of a value for it."""
    for name, field in serializer.fields.items():
        yield from _below(name, field, lambda value, name=name: {name: value})


def _below(path: str, field: Any, wrap: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        yield from _below(f"{path}[]", field.child, lambda value: wrap([value]))
    elif isinstance(field, serializers.DictField) and not isinstance(field, serializers.HStoreField):
        yield from _below(f"{path}{{}}", field.child, lambda value: wrap({"some": value}))
    elif isinstance(field, serializers.BaseSerializer):
        for name, inner in field.fields.items():  # type: ignore[attr-defined]
            yield from _below(f"{path}.{name}", inner, lambda value, name=name: wrap({name: value}))
    elif (
        not isinstance(field, serializers.FileField | serializers.JSONField)
        and type(field) is not serializers.Field
    ):
        yield path, field, wrap


def _cases() -> list[Any]:
    return [
        pytest.param(reader, path, wrap, value, id=f"{name} {path} {value!r}")
        for name, reader in sorted(_readers().items())
        for path, field, wrap in _leaves(reader())
        for kind, values in WRONG
        if isinstance(field, kind)
        for value in values
    ]


def test_there_are_inputs_of_every_kind() -> None:
    kinds = {kind for _reader, reader in _readers().items() for _p, field, _w in _leaves(reader()) for kind, _v in WRONG
             if isinstance(field, kind)}  # fmt: skip
    assert kinds >= {kind for kind, _values in WRONG}
    assert len(_readers()) >= 24


def test_no_input_of_any_address_is_converted() -> None:
    taken = []
    for case in _cases():
        reader, path, wrap, value = case.values
        sent = reader(data=wrap(value))
        sent.is_valid()
        if not _told(sent.errors, path):
            taken.append(case.id)
    assert not taken


def _told(errors: Any, path: str) -> bool:
    """Whether something is said against the input at the path."""
    for part in path.replace("[]", ".[]").replace("{}", ".{}").split("."):
        if part in ("[]", "{}"):
            if isinstance(errors, list):
                errors = errors[0]
            elif isinstance(errors, dict):
                errors = next(iter(errors.values()), None)
        else:
            errors = errors.get(part) if isinstance(errors, dict) else None
        if not errors:
            return False
    return True


@pytest.mark.parametrize("value", [0, 1, "false", "0", None])
def test_a_switch_of_the_policy_is_true_or_false(world: World, value: Any) -> None:
    client = world.client("admin")
    before = policy_of(world.project).undecided_are_errors
    body = {"undecided_are_errors": value, "reason": "Try"}
    refused = client.patch(world.api("/frontier"), body, content_type="application/json")
    assert refused.status_code == 422
    assert set(refused.json()["error"]["fields"]) == {"undecided_are_errors"}
    assert policy_of(world.project).undecided_are_errors is before
    taken = client.patch(
        world.api("/frontier"), body | {"undecided_are_errors": not before}, content_type="application/json"
    )
    assert taken.status_code == 200, taken.content
    assert taken.json()["undecided_are_errors"] is not before
