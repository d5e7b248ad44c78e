"""Label Studio's JSON export: tasks, each with the annotations of whoever did it.

https://labelstud.io/guide/export: an annotation's ``result`` lists regions; those of ``type`` choices name classes, and
``from_name`` is the question that they answer. Cancelled (skipped) annotations and predictions of a model say nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import is_photo, is_sha256, path_of
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said, Unreadable, text

_LOOKED_AT = 200


def _files(package: Package) -> list[str]:
    found = []
    for name in package.ending_in(".json"):
        kind, names = package.begins(name)
        if kind == "array" and "data" in names and names & {"annotations", "completions"}:
            found.append(name)
    return found


def recognises(package: Package) -> bool:
    return bool(_files(package))


def fields(package: Package) -> Fields:
    """The questions that tasks answer, and the fields of their data that may be photos."""
    asked: Counter[str] = Counter()
    holds: Counter[str] = Counter()
    for task in islice(_tasks(package), _LOOKED_AT):
        data = task.get("data")
        for name, value in (data if isinstance(data, dict) else {}).items():
            if isinstance(value, str) and (is_photo(path_of(value)) or name in ("image", "img", "photo")):
                holds[name] += 1
        for annotation in _annotations(task):
            asked.update(list(dict.fromkeys(question for question, _labels in _choices(annotation))))
    if not asked:
        raise Unreadable("None of its first tasks has an annotation that chooses a class.")
    return Fields(
        {"photo": [name for name, _n in holds.most_common()], "label": [q for q, _n in asked.most_common()]}
    )


def read(package: Package, columns: Columns) -> Iterator[Said]:
    by = table.chosen(columns, fields(package))
    for number, task in enumerate(_tasks(package), start=1):
        place = f"task {task.get('id', number)}"
        data = task.get("data")
        data = data if isinstance(data, dict) else {}
        photo, sha256 = text(data.get(by["photo"])), text(data.get("sha256"))
        if not photo and not is_sha256(sha256):
            yield Said(place, fault="no_photo_named")
            continue
        known = package.hash_of(photo, stated=sha256)
        for annotation in _annotations(task):
            labels = tuple(
                dict.fromkeys(
                    label
                    for question, chosen in _choices(annotation)
                    if question == by["label"]
                    for label in chosen
                )
            )
            yield Said(
                place=place,
                photo=path_of(photo),
                labels=labels,
                annotator=_who(annotation.get("completed_by")),
                sha256=known,
                fault="" if labels else "no_label",
            )


def _tasks(package: Package) -> Iterator[dict[str, Any]]:
    for name in _files(package):
        for task in package.items(name, "item"):
            yield task if isinstance(task, dict) else {}


def _annotations(task: dict[str, Any]) -> list[dict[str, Any]]:
    """``completions`` is what versions before 1.0 called them."""
    given = task.get("annotations", task.get("completions"))
    return [
        each
        for each in (given if isinstance(given, list) else [])
        if isinstance(each, dict) and not each.get("was_cancelled")
    ]


def _choices(annotation: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    result = annotation.get("result")
    for region in result if isinstance(result, list) else []:
        value = region.get("value") if isinstance(region, dict) else None
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            yield text(region.get("from_name")), [text(each) for each in value["choices"] if text(each)]


def _who(completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("username") or completed_by.get("id")
    return text(completed_by)


READER = Reader("Label Studio JSON", recognises, read, fields)
