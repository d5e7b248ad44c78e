"""Rows of any table: which of its columns says what, and what a row says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import is_photo, is_sha256, path_of
from labeling.exchange.imports.reader import Columns, Fields, Said, Unreadable, text

#: Rows of one file: a place for people, and the cells by column; ``None`` where the row is none.
Rows = Iterator[tuple[str, dict[str, Any] | None]]
#: So many rows are shown, and looked at to find out which column is which.
PREVIEW = 8
LONGEST_CELL = 60
#: By which the columns go, the surest first.
_KNOWN = {
    "photo": (
        "sha256", "file_name", "filename", "image_path", "filepath", "file", "image", "path", "photo", "img", "url", "name",
        "key", "파일명", "파일", "사진", "이미지", "이름",
    ),
    "label": (
        "class", "label", "class_name", "label_name", "category", "choice", "choices", "labels", "target", "ground_truth",
        "answer", "y", "분류", "라벨", "클래스",
    ),
    "annotator": (
        "annotator", "annotator_id", "labeler", "labeller", "worker", "completed_by", "rater", "username", "user", "email",
        "작업자", "라벨러",
    ),
}  # fmt: skip


def fields(rows: Rows) -> Fields:
    first = [row for _place, row in islice(rows, PREVIEW) if row is not None]
    if not first:
        raise Unreadable("There are no rows in it. Check what you sent, and send it again.")
    names = list(dict.fromkeys(str(name) for row in first for name in row))
    if len(names) < 2:
        raise Unreadable("Its rows have one column. One must name the photo and another one its class.")
    photo = _likeliest("photo", names, first)
    label = _likeliest("label", [name for name in names if name != photo[0]], first)
    annotator = [name for name in _known("annotator", names) if name not in (photo[0], label[0])]
    return Fields(
        names={
            "photo": photo,
            "label": [*label, *(name for name in names if name not in label)],
            "annotator": [*annotator, "", *(name for name in names if name not in annotator)],
        },
        preview=[names, *([_cell(row.get(name)) for name in names] for row in first)],
    )


def said(
    package: Package, files: Sequence[str], rows: Callable[[Package, str], Rows], columns: Columns
) -> Iterator[Said]:
    """Of all rows of these files, which name photos of an archive from where they lie, or from its top."""
    for name in files:
        where = f"{name}, " if len(files) > 1 else ""
        for place, row in rows(package, name):
            if row is None:
                yield Said(where + place, fault="bad_row")
                continue
            photo = text(row.get(columns["photo"]))
            sha256 = photo if is_sha256(photo) else text(row.get("sha256"))
            labels = labels_of(row.get(columns["label"]))
            yield Said(
                place=where + place,
                photo="" if is_sha256(photo) else path_of(photo),
                labels=labels,
                annotator=text(row.get(columns["annotator"])) if columns.get("annotator") else "",
                sha256=package.hash_of(photo, stated=sha256, beside=name),
                fault="no_photo_named"
                if not photo and not is_sha256(sha256)
                else ""
                if labels
                else "no_label",
            )


def labels_of(value: Any) -> tuple[str, ...]:
    """One label, or several where a cell holds a list, or Label Studio's ``{"choices": […]}``."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return (value.strip(),)
    if isinstance(value, dict):
        value = value.get("choices", value.get("label"))
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(text(each) for each in value if text(each)))
    said = text(value)
    return (said,) if said else ()


def chosen(columns: Columns, found: Fields) -> dict[str, str]:
    """The columns as they were chosen, and the likeliest for each role that was not."""
    return {role: columns.get(role, names[0] if names else "") for role, names in found.names.items()}


def _known(role: str, names: Sequence[str]) -> list[str]:
    lower = {name.strip().lower(): name for name in reversed(names)}
    return [lower[known] for known in _KNOWN[role] if known in lower]


def _likeliest(role: str, names: list[str], rows: list[dict[str, Any]]) -> list[str]:
    """All names, those first that are called so, then those whose cells look so."""
    known = _known(role, names)
    looks = []
    for name in names:
        cells = [text(row.get(name)) for row in rows]
        if role == "photo" and all(is_photo(path_of(cell)) or is_sha256(cell) for cell in cells):
            looks.append(name)
        if role == "label" and len(set(cells)) < len(cells) and not any(is_photo(cell) for cell in cells):
            looks.append(name)
    return list(dict.fromkeys([*known, *looks, *names]))


def _cell(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= LONGEST_CELL else f"{shown[: LONGEST_CELL - 1]}…"
