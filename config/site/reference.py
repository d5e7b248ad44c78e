"""The API's reference, as pages of Markdown made from the OpenAPI schema that a running Hilltop would publish."""

from __future__ import annotations

import json
import os
from typing import Any

from config.site.shapes import Schema, row, table

_METHODS = ("get", "post", "put", "patch", "delete")
_SHAPES, _EVENTS = "shapes.md", "events.md"
Operation = tuple[str, str, Schema]


def schema() -> Schema:
    """Of this code, in English. No database is asked."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    os.umask(
        0o022
    )  # the settings keep what Hilltop writes to its account, and a site is served by another one
    from labeling.gateway.schema import prepared

    made: Schema = json.loads(prepared("en", "application/vnd.oai.openapi+json")[0])
    return made


def pages() -> dict[str, str]:
    """Text by the page's place in ``docs/``: one a tag, one of webhooks, one of shapes, and the way to them."""
    whole = schema()
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in whole["paths"].items():
        for method in _METHODS:
            if method in methods:
                by_tag.setdefault(methods[method]["tags"][0], []).append((method, path, methods[method]))
    made = {f"{tag}.md": _of_a_tag(tag, found) for tag, found in sorted(by_tag.items())}
    made[_EVENTS] = _events(whole["webhooks"])
    made[_SHAPES] = _shapes(whole["components"]["schemas"])
    return {"reference/index.md": _index(whole, by_tag)} | {
        f"reference/{name}": text for name, text in made.items()
    }


def _index(whole: Schema, by_tag: dict[str, list[Operation]]) -> str:
    count = sum(map(len, by_tag.values()))
    lines = [
        "# Reference",
        "",
        f"Every address of the API, made from the schema of this version: {count} in all. How they are used, what a",
        "refusal means and what a page of a list is: [the API](../api.md). A running Hilltop tells the schema itself, at",
        "`/api/schema/`.",
        "",
        f"[Events]({_EVENTS}): {len(whole['webhooks'])} kinds that webhooks tell. [Shapes]({_SHAPES}): what is sent and",
        "answered.",
        "",
    ]
    for tag, found in sorted(by_tag.items()):
        lines += [f"## {tag.capitalize()}", "", "| | |", "|---|---|"]
        lines += [
            f"| [`{m.upper()} {p}`]({tag}.md#{o['operationId']}) | {o.get('summary', '')} |"
            for m, p, o in found
        ]
        lines.append("")
    return "\n".join(lines)


def _of_a_tag(tag: str, operations: list[Operation]) -> str:
    lines = [f"# {tag.capitalize()}", ""]
    for method, path, operation in operations:
        name = operation["operationId"]
        lines += [
            f"## {operation.get('summary') or name} {{ #{name} }}",
            "",
            f"`{method.upper()} {path}`",
            "",
        ]
        says = operation.get("description", "")
        lines += [says, ""] if says != operation.get("summary") else []
        lines += _parameters(operation.get("parameters", []))
        if "requestBody" in operation:
            lines += ["**Takes**", "", *_contents(operation["requestBody"])]
        for status, answer in operation["responses"].items():
            lines += _answer(status, answer)
        lines += _refusals(operation["responses"])
    return "\n".join(lines)


def _parameters(found: list[Any]) -> list[str]:
    if not found:
        return []
    lines = ["| parameter | | |", "|---|---|---|"]
    for each in found:
        required = each.get("required", False)
        lines.append(
            row(each["name"], each["schema"], _SHAPES, required=required, says=each.get("description", ""))
        )
    return [*lines, ""]


def _contents(body: Schema) -> list[str]:
    lines: list[str] = []
    for media_type, content in body.get("content", {}).items():
        lines += [f"`{media_type}`", "", *table(content.get("schema", {}), _SHAPES)]
    return lines


def _answer(status: str, answer: Schema) -> list[str]:
    """Of what is no refusal."""
    if not status.startswith("2"):
        return []
    description = answer.get("description", "")
    return [f"**Answers {status}** {description}".rstrip(), "", *_contents(answer)]


def _refusals(responses: Schema) -> list[str]:
    told = [
        f"- {status}: {each['description']}"
        for status, each in responses.items()
        if not status.startswith("2")
    ]
    return ["**Refuses**", "", *told, ""] if told else []


def _events(kinds: Schema) -> str:
    lines = ["# Events", "", "What an endpoint is told, a kind a heading ([how](../api.md#webhooks)).", ""]
    for name, methods in kinds.items():
        operation = methods["post"]
        lines += [f"## {name} {{ #{operation['operationId']} }}", "", operation["description"], ""]
        body = next(iter(operation["requestBody"]["content"].values()))["schema"]
        lines += table(body, _SHAPES)
    return "\n".join(lines)


def _shapes(schemas: Schema) -> str:
    lines = ["# Shapes", "", "Objects that are sent and answered, by name.", ""]
    for name, each in schemas.items():
        lines += [f"## {name} {{ #{name.lower()} }}", ""]
        lines += [each["description"], ""] if each.get("description") else []
        lines += table(each, _SHAPES)
    return "\n".join(lines)
