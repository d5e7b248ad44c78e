"""What is known of a photo beside its picture: texts and numbers by name, such as its vehicle, line or day.

They come with the photo, or later; a name that is said again gets its new value, and who said it when is appended.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.catalog import events
from labeling.catalog.models import Item, Metadata, MetadataChange, Project
from labeling.catalog.name_encodings import kept
from labeling.catalog.name_parts import BLOCK_BITS
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed, is_seen, plain

#: Values of one photo, letters of a name and of a text.
MOST, LONGEST_NAME, LONGEST_TEXT = 50, 60, 200
#: Whole numbers up to here are the same everywhere that JSON is read (RFC 8259, 6).
LARGEST = 2**53 - 1

Value = str | int | float

_EVER_SAID = """
SELECT DISTINCT said.key, said.value FROM catalog_metadatachange c CROSS JOIN LATERAL jsonb_each_text(c.data) said
WHERE c.item_id = ANY(%s) AND said.value IS NOT NULL"""
_IS_SAID = f"""
SELECT 1 FROM (SELECT min(id) >> {BLOCK_BITS} AS first, max(id) >> {BLOCK_BITS} AS last
               FROM catalog_item WHERE project_id = %(project)s) ends
CROSS JOIN LATERAL generate_series(ends.first, ends.last) block
CROSS JOIN LATERAL (
    SELECT catalog_metadata_parts(%(project)s, %(said)s::jsonb, block << {BLOCK_BITS}) AS parts OFFSET 0) wanted
CROSS JOIN LATERAL (
    SELECT 1 FROM catalog_metadata m
    WHERE catalog_metadata_parts(m.project_id, m.data, m.item_id) @> wanted.parts
      AND m.project_id = %(project)s AND m.data ->> %(name)s = %(value)s LIMIT 1) there
LIMIT 1"""  # noqa: S608


def checked(given: Mapping[str, Any]) -> dict[str, Value | None]:
    """Names and values as they are kept; ``None``, or an empty text, takes one away. Raises :class:`Refused` (422)."""
    if len(given) > MOST:
        raise _refused(_("A photo has %(most)d values at most. Leave some out.") % {"most": MOST})
    return {_name(name): _value(value) for name, value in given.items()}


@lru_cache(maxsize=1000)  # a table has few names and many rows
def _name(given: str) -> str:
    name = composed(" ".join(plain(given).split()))
    if not is_seen(name) or len(name) > LONGEST_NAME or set(name) & set('="'):
        raise _refused(
            _('The name of a value has 1 to %(longest)d letters, and neither “=” nor “"”.')
            % {"longest": LONGEST_NAME}
        )
    return name


def _value(given: Any) -> Value | None:
    match given:
        case None:
            return None
        case bool():
            pass
        case int() | float() if abs(given) <= LARGEST:  # neither infinite nor "not a number" is
            return int(given) if given == int(given) else given
        case str():
            text = composed(" ".join(plain(given).split()))
            if len(text) <= LONGEST_TEXT:
                return text or None
    raise _refused(
        _("A value is a text of at most %(longest)d letters, or a number.") % {"longest": LONGEST_TEXT}
    )


def _refused(message: str) -> Refused:
    return Refused.invalid("metadata", message, short=[message])


@transaction.atomic
def put(
    *, project: Project, given: Mapping[int, Mapping[str, Value | None]], by: User, origin: str = ""
) -> set[int]:
    """Add what is ``given`` (item id → what :func:`checked` gave) to what is known of these photos of the project.

    Returns the ids of photos that would have more than :data:`MOST` values: they stay as they were. What is known already
    changes nothing. ``origin``: the delivery that it came with.
    """
    locks.hold(Lock.ITEMS, project.pk)  # intakes of the project say something of the same photos
    known = dict(Metadata.objects.filter(item__in=given).values_list("item_id", "data"))
    rows: list[Metadata] = []
    changes: list[MetadataChange] = []
    left: set[int] = set()
    for item_id, values in sorted(given.items()):
        before = known.get(item_id, {})
        changed = {name: value for name, value in values.items() if _differs(before.get(name), value)}
        after = {name: value for name, value in (before | changed).items() if value is not None}
        if len(after) > MOST:
            left.add(item_id)
        elif changed:
            rows.append(Metadata(item_id=item_id, project=project, data=after))
            changes.append(MetadataChange(item_id=item_id, data=changed, by=by, origin=kept(origin)))
    Metadata.objects.bulk_create(rows, update_conflicts=True, unique_fields=["item"], update_fields=["data"])
    MetadataChange.objects.bulk_create(changes)
    if changes:
        events.metadata_said.send(
            sender=Metadata, project=project, changed={change.item_id: change.data for change in changes}
        )
    return left


def _differs(one: Any, other: Any) -> bool:
    return one != other or isinstance(one, str) != isinstance(other, str)


def put_one(*, project: Project, item_id: int, given: Mapping[str, Any], by: User) -> None:
    """What a person says of one photo. Raises :class:`Refused` (422)."""
    if put(project=project, given={item_id: checked(given)}, by=by):
        raise _refused(_("A photo has %(most)d values at most. Take some away.") % {"most": MOST})


def ever_said(item_ids: Collection[int]) -> set[tuple[str, str]]:
    """Name and value, as a text, of all that was said of these photos at any time, whatever they are in."""
    with connection.cursor() as cursor:
        cursor.execute(_EVER_SAID, [list(item_ids)])
        return set(cursor.fetchall())


def is_said(project: Project, name: str, value: str) -> bool:
    """Whether a photo of the project has this value now, looked up as the search looks it up."""
    with connection.cursor() as cursor:
        cursor.execute(
            _IS_SAID, {"project": project.pk, "said": json.dumps({name: value}), "name": name, "value": value}
        )
        return cursor.fetchone() is not None


def of_photo(item: Item) -> dict[str, Value]:
    """In the order of their names."""
    found: Metadata | None = getattr(item, "metadata", None)
    return dict(sorted(found.data.items())) if found else {}
