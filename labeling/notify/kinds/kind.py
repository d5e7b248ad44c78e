"""What a kind of event is: its name, its schema, and how the rows that tell of it become its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.catalog.models import Image, Item

Json = dict[str, Any]
#: Keys of rows, as text -> the data of each that is there.
Render = Callable[[Sequence[str]], Mapping[str, Json]]

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
SWITCH: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
UUID: Json = {"type": "string", "format": "uuid"}


def or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def one_of(values: Iterable[str]) -> Json:
    return {"type": "string", "enum": list(values)}


def whole(properties: Json) -> Json:
    """The schema of an object that has all of these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


@dataclass(frozen=True)
class Kind:
    """``version``: of the schema, one more whenever what is there already changes its meaning or goes; what is added
    changes no version. ``title``: for pages, translated; ``says``: for the schema. ``data``: the properties of the
    event's data. ``sources``: table -> what makes data of its rows.
    """

    name: str
    version: int
    title: Any
    says: str
    data: Json
    sources: Mapping[str, Render]


#: A photo, by its id here and the SHA-256 of its bytes.
PHOTO = whole({"id": WHOLE, "sha256": or_null(TEXT), "erased": SWITCH})


def photo(item: Item) -> Json:
    erased = item.image.sha256 == Image.NOTHING
    return {"id": item.pk, "sha256": None if erased else item.image.sha256, "erased": erased}
