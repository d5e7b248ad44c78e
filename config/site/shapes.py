"""A JSON Schema (as OpenAPI 3.1 has it) in words: a type for a cell of a table, and a table of fields."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "as `{}`",
    "default": "without it `{}`",
}
_FORMATS = {"int32": "", "int64": "", "double": "", "float": ""}


def said(schema: Schema, shapes: str) -> str:
    """``shapes``: the page, relative to the table's, on which the shapes that have names are told."""
    form: str = schema.get("format", "")
    parts = [_kind(schema, shapes), _FORMATS.get(form, form)]
    parts += [
        words.format(_escaped(schema[key]))
        for key, words in _BOUNDS.items()
        if schema.get(key) not in (None, "")
    ]
    return ", ".join(part for part in parts if part)


def _kind(schema: Schema, shapes: str) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}]({shapes}#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join("null" if value is None else f"`{value}`" for value in schema["enum"])
    for together, word in (("allOf", " and "), ("oneOf", " or "), ("anyOf", " or ")):
        if together in schema:
            return word.join(said(each, shapes) for each in schema[together])
    kinds = schema.get("type", "anything")
    return " or ".join(_one(kind, schema, shapes) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _one(kind: str, schema: Schema, shapes: str) -> str:
    if kind == "array":
        return f"list of {said(schema.get('items', {}), shapes)}"
    of = schema.get("additionalProperties")
    if kind == "object" and isinstance(of, dict) and of:
        return f"object of {said(of, shapes)}"
    return kind


def table(schema: Schema, shapes: str) -> list[str]:
    """Lines of Markdown: a row a field; of what is no object, one line that says what it is."""
    fields: dict[str, Schema] = schema.get("properties", {})
    if not fields:
        return [said(schema, shapes), ""]
    required = set(schema.get("required", ()))
    lines = ["| field | | |", "|---|---|---|"]
    for name, field in fields.items():
        lines += [row(name, field, shapes, required=name in required)]
        inner = field.get("items", field)
        if "properties" in inner:
            lines += [row(f"{name}.{below}", each, shapes) for below, each in inner["properties"].items()]
    return [*lines, ""]


def row(name: str, schema: Schema, shapes: str, *, required: bool = True, says: str = "") -> str:
    optional = "" if required else " (optional)"
    return f"| `{name}`{optional} | {said(schema, shapes)} | {_in_a_cell(says or schema.get('description', ''))} |"


def _escaped(value: Any) -> str:
    return str(value).replace("|", "\\|")


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
