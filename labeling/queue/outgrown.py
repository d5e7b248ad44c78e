"""Whether so much came since an order was made that another one is due."""

from __future__ import annotations

from labeling.catalog.models import Item, Project
from labeling.learning.selectors import champion
from labeling.queue.entry_counts import waiting_of
from labeling.queue.models import Ranking
from labeling.queue.places import UNRANKED

#: Of so few photos another order is made at once, whatever comes.
FEW = 1_000
#: Photos that came since, or have no place, as a share of those that the order was made of: above it another one is due.
MOST_NEW = 0.1


def has_outgrown(project: Project, ranking: Ranking) -> bool:
    """Whether photos that have embeddings now need another order than the current one: it was made under other settings, by
    another version, by what does not pace by bands, of few photos, or of much less than there is."""
    model = champion(project)
    if (
        ranking.last_item_id is None
        or ranking.strategy != project.strategy
        or ranking.model_version_id != (model.pk if model is not None else None)
        or (model is not None and ranking.bands < 2)
        or ranking.photos < FEW
    ):
        return True
    most = int(ranking.photos * MOST_NEW)
    came = Item.objects.filter(project=project, pk__gt=ranking.last_item_id)[: most + 1].count()
    unranked = sum(each.waiting for each in waiting_of(ranking) if each.band in UNRANKED)
    return came > most or unranked > most
