"""The texts that photos have, counted; and what is proposed for those of which nobody has said what they are."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext_noop

from labeling.exchange.categories.grouping import Looks, Text, propose
from labeling.exchange.vocabularies import MOST_TEXTS, Vocabulary, VocabularyText
from labeling.jobs.progress import JobError
from labeling.text.spelling import spelled

#: Ids of photos that are kept of each text: to be shown, and to be looked at.
PHOTOS = 12
TOO_MANY = gettext_noop(
    "Photos have more than 5,000 different texts under this name. Normalise a name that holds categories."
)
_TEXTS = f"""
SELECT data->>%(name)s, count(*), (array_agg(item_id ORDER BY item_id))[1:{PHOTOS}]
FROM catalog_metadata
WHERE project_id = %(project)s AND jsonb_typeof(data->%(name)s) = 'string' GROUP BY 1 LIMIT {2 * MOST_TEXTS}
"""  # noqa: S608


def count_texts(of: Vocabulary) -> None:
    """Write what texts there are. Those that no photo has any more go, unless somebody said what they are.

    Raises :class:`JobError` where they are too many to be categories.
    """
    listed = of.texts.filter(
        pk__lte=of.texts.aggregate(last=Max("pk"))["last"] or 0
    )  # later ones came after this count
    with connection.cursor() as cursor:
        cursor.execute(_TEXTS, {"name": of.name, "project": of.project_id})
        found = cursor.fetchall()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    photos: defaultdict[str, list[int]] = defaultdict(list)
    for text, n, items in found:
        counts[spelled(text)][text] += n
        photos[spelled(text)] += items
    if len(counts) > MOST_TEXTS:
        raise JobError(TOO_MANY)
    listed.filter(category="").exclude(key__in=counts).delete()
    listed.exclude(key__in=counts).update(count=0, photos=[])
    VocabularyText.objects.bulk_create(
        [
            VocabularyText(
                of=of,
                key=key,
                text=spellings.most_common(1)[0][0],
                count=spellings.total(),
                photos=photos[key][:PHOTOS],
            )
            for key, spellings in counts.items()
        ],
        update_conflicts=True,
        unique_fields=["of", "key"],
        update_fields=["text", "count", "photos"],
    )


def propose_categories(of: Vocabulary, looks: Looks | None) -> None:
    """Propose anew what each text is that waits."""
    rows = {row.key: row for row in of.texts.all()}
    said = {row.category for row in rows.values()} - {""}
    made = propose(
        [Text(row.key, row.text, row.count, row.category) for row in rows.values()], sorted(said), looks
    )
    for key, proposal in made.items():
        row = rows[key]
        row.proposed, row.why = proposal.category, proposal.why
        row.like = _shown(rows, proposal.like)
        row.alike, row.looked_at = proposal.looks or (None, None)
        row.similar = [_shown(rows, other) for other in proposal.similar]
    VocabularyText.objects.bulk_update(
        [rows[key] for key in made],
        ["proposed", "why", "like", "alike", "looked_at", "similar"],
        batch_size=500,
    )


def _shown(rows: dict[str, VocabularyText], key: str) -> str:
    """A text by its key; a category's name is none."""
    return rows[key].text if key in rows else key
