"""Texts of an import are kept beside its photos, as metadata under the name of the column that held them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labeling.catalog.metadata import values as metadata
from labeling.catalog.metadata.values import LONGEST_NAME, LONGEST_TEXT, Value
from labeling.catalog.models import Metadata, MetadataChange
from labeling.exchange.models import Import, ImportRow
from labeling.people.models import User
from labeling.text.plain import plain


def name_of(of: Import) -> str:
    """Without what no name of metadata has; ``label`` where nothing is left, or a format has no columns."""
    column = plain(of.columns.get("label", "")).replace("=", " ").replace('"', " ")
    return " ".join(column.split())[:LONGEST_NAME].strip() or "label"


def text_of(row: ImportRow) -> str:
    return " ".join(plain(", ".join(row.labels)).split())[:LONGEST_TEXT].strip()


def known_texts(of: Import, item_ids: Collection[int]) -> dict[int, Value]:
    """Item id -> what it has under the name now."""
    rows = Metadata.objects.filter(item__in=item_ids, data__has_key=name_of(of))
    return {item: data[name_of(of)] for item, data in rows.values_list("item_id", "data")}


def bring_texts(of: Import, rows: Sequence[ImportRow]) -> dict[int, int]:
    """Item id -> id of the change that was written; none where the photo has as many values as one may have."""
    given = {row.item_id or 0: metadata.checked({name_of(of): text_of(row)}) for row in rows}
    left = metadata.put(project=of.project, given=given, by=of.created_by, origin=of.file_name)
    changes = MetadataChange.objects.filter(item__in=given.keys() - left, data__has_key=name_of(of))
    return dict(changes.order_by("pk").values_list("item_id", "pk"))


def take_texts_back(of: Import, ids: Collection[int], by: User) -> set[int]:
    """Of these changes, those that were taken back: what was said before is said again. Where something else is said of a
    photo by now, that stays."""
    name = name_of(of)
    changes = list(MetadataChange.objects.filter(pk__in=ids))
    items = {change.item_id for change in changes}
    now = known_texts(of, items)
    back = {change.item_id: change for change in changes if now.get(change.item_id) == change.data.get(name)}
    before: dict[int, Value | None] = dict.fromkeys(back)
    for item, pk, data in (
        MetadataChange.objects.filter(item__in=back, data__has_key=name)
        .order_by("pk")
        .values_list("item_id", "pk", "data")
    ):
        if pk < back[item].pk:
            before[item] = data[name]
    metadata.put(project=of.project, given={item: {name: value} for item, value in before.items()}, by=by)
    return {change.pk for change in back.values()}
