"""JSON from outside: bounded in size, an object at the top, and only text that a database can keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from labeling.refusals import Refused
from labeling.text.plain import MAYBE_UNWANTED, plain_values


class StrictJSONParser(JSONParser):
    """Unlike its parent it reads no more than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, and refuses NUL characters
    and halves of surrogate pairs: PostgreSQL stores neither, and nobody types them. Other control characters, those
    that turn the direction of text among them, are left out."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        assert limit is not None
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise Refused(
                "too_large",
                _("The request is larger than %(limit)s\u00a0MB. Send it in smaller parts.")
                % {"limit": limit >> 20},
                status=413,
            )
        try:
            data = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise ParseError(
                _(
                    "This is not valid JSON: look at line %(line)d, column %(column)d. "
                    "Names and texts stand in double quotes."
                )
                % {"line": error.lineno, "column": error.colno}
            ) from None
        except UnicodeDecodeError:
            raise ParseError(_("The request is not UTF-8 text. Send JSON in UTF-8.")) from None
        except (ValueError, RecursionError):
            raise ParseError(
                _("This JSON cannot be used: it is nested too deeply, or a number in it is not finite.")
            ) from None
        if not isinstance(data, dict):
            raise ParseError(_("Send a JSON object."))
        if MAYBE_UNWANTED.search(raw):
            _check_text(data)
            data = plain_values(data)
        checked: dict[str, Any] = data
        return checked


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise Refused.invalid(None, _("Text must not hold NUL characters or halves of surrogate pairs."))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
