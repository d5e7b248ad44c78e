"""Vocabularies, read. Nothing here grows with the photos: counts are those of the last look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Metadata, Project
from labeling.exchange.categories.mapping import in_force
from labeling.exchange.categories.services import latest_job
from labeling.exchange.vocabularies import Vocabulary, VocabularyText, VocabularyVersion, Why
from labeling.jobs.models import Job

#: Of texts: that wait for somebody to say what they are; of which somebody did; all.
WAITING, SAID, ALL = "waiting", "said", "all"
#: Photos whose names of metadata are proposed, the newest.
_NEWEST = 100


def vocabularies_of(project: Project) -> QuerySet[Vocabulary]:
    return Vocabulary.objects.filter(project=project).select_related("project", "created_by").order_by("pk")


def with_counts(project: Project) -> QuerySet[Any]:
    """The same, with ``waiting`` and ``said`` texts, and the ``number`` of the version in force."""
    return vocabularies_of(project).annotate(
        waiting=_texts(Q(category="")),
        said=_texts(~Q(category="")),
        number=Subquery(
            VocabularyVersion.objects.filter(of=OuterRef("pk")).order_by("-number").values("number")[:1]
        ),
    )


def _texts(condition: Q) -> Subquery:
    rows = VocabularyText.objects.filter(condition, of=OuterRef("pk")).order_by().values("of")
    return Subquery(rows.annotate(n=Count("pk")).values("n"))


def vocabulary_of(project: Project, vocabulary_id: int) -> Vocabulary:
    """Raises :class:`Http404`."""
    found = vocabularies_of(project).filter(pk=vocabulary_id).first()
    if found is None:
        raise Http404(_("There are no such categories in this project."))
    return found


@dataclass(frozen=True)
class Report:
    """How a vocabulary stands. ``proposed``: why -> texts that wait for which there is that reason.

    ``changed``: texts of which something else is said than in the version in force. ``categories``: said, with their texts.
    """

    of: Vocabulary
    job: Job | None
    version: VocabularyVersion | None
    waiting: int
    proposed: dict[str, int]
    categories: dict[str, int]
    changed: int

    @property
    def said(self) -> int:
        return sum(self.categories.values())

    @property
    def is_live(self) -> bool:
        return self.job is not None and self.job.is_live


def report(of: Vocabulary) -> Report:
    version = in_force(of)
    rows = list(of.texts.values_list("key", "category", "why"))
    said = {key: category for key, category, _why in rows if category}
    before = version.categories if version else {}
    proposed = Counter(why for _key, category, why in rows if not category)
    return Report(
        of=of,
        job=latest_job(of),
        version=version,
        waiting=len(rows) - len(said),
        proposed={why: proposed[why] for why in Why.values if proposed[why]},
        categories=dict(sorted(Counter(said.values()).items())),
        changed=len({key for key, _category in before.items() ^ said.items()}),
    )


def texts_of(of: Vocabulary, which: str) -> QuerySet[VocabularyText]:
    """Those of most photos first."""
    rows = of.texts.order_by("-count", "key")
    if which == ALL:
        return rows
    return rows.filter(category="") if which == WAITING else rows.exclude(category="")


def photos_of(rows: list[VocabularyText], most: int) -> dict[int, list[Item]]:
    """Id of a text -> at most so many of its photos that are still here."""
    wanted = {row.pk: row.photos[:most] for row in rows}
    items = Item.objects.select_related("image").in_bulk([item for ids in wanted.values() for item in ids])
    return {
        pk: [items[item] for item in ids if item in items and items[item].project_id is not None]
        for pk, ids in wanted.items()
    }


def names_of(project: Project) -> list[str]:
    """Names of metadata that the newest photos have."""
    newest = Item.objects.filter(project=project).order_by("-pk").values("pk")[:_NEWEST]
    said = Metadata.objects.filter(item__in=list(newest.values_list("pk", flat=True))).values_list(
        "data", flat=True
    )
    return sorted({name for data in said for name in data})


def versions_of(of: Vocabulary) -> QuerySet[VocabularyVersion]:
    """Newest first."""
    return of.versions.select_related("created_by").order_by("-number")
