"""A template as a file: TOML (toml.io, 1.0), which people can write with several lines to a text."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.text.plain import plain_values

#: Of a file that is sent. The longest that is shipped has a tenth of it.
MOST_BYTES = 512 * 1024


def parse(data: bytes) -> dict[str, Any]:
    """What the file holds, not checked yet. Raises :class:`Refused`: ``invalid`` (422), ``too_large`` (413)."""
    if len(data) > MOST_BYTES:
        raise Refused(
            "too_large",
            _("A template's file has at most %(most)d\u00a0KB.") % {"most": MOST_BYTES >> 10},
            status=413,
        )
    try:
        found: dict[str, Any] = plain_values(tomllib.loads(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise Refused.invalid("file", _("This is no template: it is not text in UTF-8.")) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused.invalid(
            "file", _("This is no template's TOML: %(error)s.") % {"error": str(error)[:200]}
        ) from None
    except (ValueError, RecursionError):
        raise Refused.invalid(
            "file", _("This TOML cannot be used: it is nested too deeply, or a number in it is too long.")
        ) from None
    return found


def as_response(key: str, content: dict[str, Any]) -> HttpResponse:
    """The file, to be kept under the template's key."""
    response = HttpResponse(as_toml(content), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{key}.toml"'
    return response


def as_toml(content: dict[str, Any]) -> str:
    """The file that :func:`parse` reads as ``content``: texts, numbers, switches, lists and tables of these."""
    return "\n".join(_table(content, "")).lstrip("\n") + "\n"


def _table(content: dict[str, Any], path: str) -> list[str]:
    plain = {
        name: value for name, value in content.items() if not _is_table(value) and not _are_tables(value)
    }
    lines = [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in content.items():
        place = f"{path}{_key(name)}"
        if _is_table(value):
            lines += ["", f"[{place}]", *_table(value, f"{place}.")]
        elif _are_tables(value):
            for each in value:
                lines += ["", f"[[{place}]]", *_table(each, f"{place}.")]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else _value(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case str() if "\n" in value:
            # The first line end is not part of the text; three quotes in a row would end it.
            inner = "\n".join(_quoted(line)[1:-1] for line in value.split("\n"))
            return f'"""\n{inner}"""'
        case _:
            return _quoted(value)


def _quoted(text: str) -> str:
    """A basic string of TOML: one of JSON, but for a sign that only TOML forbids."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
