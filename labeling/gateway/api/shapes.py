"""The shapes of JSON objects: what is sent in is read strictly, and its limits are those of the models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db.models import FloatField, Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers


class Shape(serializers.Serializer[Any]):
    # No docstring: the schema would repeat it for every shape that has none of its own.
    # A name that Python or the framework keeps for itself is declared with a "_" after it: class_ is "class" in JSON.
    def get_fields(self) -> dict[str, Any]:
        return {name.removesuffix("_"): field for name, field in super().get_fields().items()}

    @classmethod
    def of(cls, what: Any, **given: Any) -> dict[str, Any]:
        """``what`` in this shape: its attributes by the names of the fields, but for those that are ``given``."""
        names = cls._declared_fields
        assert given.keys() <= names.keys(), given.keys() - names.keys()
        return {
            (key := name.removesuffix("_")): given[name] if name in given else getattr(what, key)
            for name in names
        }


class PageShape(Shape):
    next = serializers.URLField(allow_null=True)


def paged(name: str, row: type[Shape]) -> PageShape:
    """The shape of a cursor page of ``row``, under this name in the schema."""
    made: PageShape = type(name, (PageShape,), {"results": row(many=True)})()
    return made


class StrictSerializer(Shape):
    """Input with no unknown names and no values of another type: a misspelt field is told, not ignored, and a number is
    not taken for a text, nor ``true`` for a number."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {
                    name: [_("There is no such field. Known: %(known)s.") % {"known": known}]
                    for name in unknown
                }
            )
        if isinstance(data, Mapping):
            wrong = {
                name: told
                for name, field in self.fields.items()
                if name in data and (told := _of_another_type(field, data[name]))
            }
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


_TEXT = gettext_lazy("Send a text, in double quotes.")
_NUMBER = gettext_lazy("Send a number.")
_WHOLE = gettext_lazy("Send a whole number, without quotes.")
_SWITCH = gettext_lazy("Send true or false, without quotes.")


def _of_another_type(field: Any, value: Any) -> list[Any] | dict[Any, Any]:
    """What is wrong with the JSON type of a value that the framework would turn into the field's; empty: nothing."""
    if value is None:  # whether it may be left open, the field says
        return []
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match field:
        case serializers.BooleanField():
            return [] if isinstance(value, bool) else [_SWITCH]
        case serializers.IntegerField():
            return [] if is_number and value == value // 1 else [_WHOLE]
        case serializers.FloatField() | serializers.DecimalField() | serializers.DurationField():
            return [] if is_number else [_NUMBER]
        case (
            serializers.CharField()
            | serializers.UUIDField()
            | serializers.ChoiceField()
            | serializers.DateTimeField()
            | serializers.DateField()
            | serializers.TimeField()
        ):
            return [] if isinstance(value, str) else [_TEXT]
        case serializers.ListField() if isinstance(value, list):
            return {n: wrong for n, one in enumerate(value) if (wrong := _of_another_type(field.child, one))}
        case serializers.DictField() if isinstance(value, dict):
            return {
                name: wrong for name, one in value.items() if (wrong := _of_another_type(field.child, one))
            }
    return []


def numbers_of_form(data: Any, *names: str) -> Any:
    """A form's texts under these names are numbers here, as JSON's are by themselves. What is none, who reads on tells."""
    if not hasattr(data, "getlist"):
        return data
    data = {name: data[name] for name in data}
    for name in names:
        if isinstance(data.get(name), str):
            with suppress(ValueError):
                data[name] = float(data[name])
    return data


class FiniteFloat(serializers.FloatField):
    """DRF reads the text "nan" as a number, and every comparison with it is false: bounds would not hold."""

    default_error_messages = {"finite": gettext_lazy("Send a finite number.")}

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("finite")
        return value


class ModelInput(StrictSerializer, serializers.ModelSerializer[Any]):
    # Fields of a model, with the limits and choices that stand there.
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        FloatField: FiniteFloat
    }

    def get_validators(self) -> list[Any]:
        """Rules over several fields are the database's and the service's."""
        return []


def like(model: type[Model], name: str, **options: Any) -> Any:
    """An input field with the limits and choices of a model's field; ``options`` say what differs."""
    field: Any = model._meta.get_field(name)
    kind, found = ModelInput().build_standard_field(name, field)
    found.pop("help_text", None)  # tells of the column, not of what is sent
    return kind(**(found | options))
