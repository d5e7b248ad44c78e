"""What photos' texts are by the version in force, kept beside them. What it does not know is nobody's guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from django.db import transaction

from labeling.catalog.metadata import values as metadata
from labeling.catalog.metadata.values import Value
from labeling.catalog.models import Metadata, Project
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.exchange.categories.services import look_again
from labeling.exchange.vocabularies import MOST_TEXTS, Vocabulary, VocabularyText, VocabularyVersion
from labeling.text.spelling import spelled


def in_force(of: Vocabulary) -> VocabularyVersion | None:
    return of.versions.order_by("-number").first()


def map_later(project: Project, changed: Mapping[int, Mapping[str, Value | None]]) -> None:
    """Map what was just said of photos, in the same transaction. Texts that nobody has looked at are listed, to wait."""
    names = {name for values in changed.values() for name in values}
    for of in Vocabulary.objects.filter(project=project, name__in=names).select_related("project"):
        said = {item: values[of.name] for item, values in changed.items() if of.name in values}
        version = in_force(of)
        if version is not None:
            _keep(of, version, said)
        _list(of, said, version.categories if version else {})


def map_photos(of: Vocabulary, item_ids: Collection[int]) -> int:
    """Map what these photos have, by the version in force now. Returns how many have 50 values already: no room is left."""
    with transaction.atomic():
        locks.hold(Lock.ITEMS, of.project_id)  # so that no newer version is overtaken by this one
        version = in_force(of)
        if version is None:
            return 0
        known = dict(Metadata.objects.filter(item__in=item_ids).values_list("item_id", "data"))
        return len(
            _keep(
                of,
                version,
                {
                    item: data.get(of.name)
                    for item, data in known.items()
                    if of.name in data or of.target in data
                },
            )
        )


def _keep(of: Vocabulary, version: VocabularyVersion, said: Mapping[int, Value | None]) -> set[int]:
    meant = {
        item: {of.target: version.categories.get(spelled(text)) if isinstance(text, str) else None}
        for item, text in said.items()
    }
    return metadata.put(
        project=of.project,
        given=meant,
        by=version.created_by,
        origin=f"{of.name}, version {version.number}",
    )


def _list(of: Vocabulary, said: Mapping[int, Value | None], known: Collection[str]) -> None:
    texts = Counter(text for text in said.values() if isinstance(text, str))
    new = {spelled(text): text for text in texts if spelled(text) not in known}
    if not new:
        return
    there = set(of.texts.filter(key__in=new).values_list("key", flat=True))
    rows = [
        VocabularyText(of=of, key=key, text=text) for key, text in sorted(new.items()) if key not in there
    ]
    if rows and of.texts.count() + len(rows) <= MOST_TEXTS:
        # An admin may be saying what one of them is at this moment, or a look be counting them.
        VocabularyText.objects.bulk_create(rows, ignore_conflicts=True)
        look_again(of=of, by=None)
