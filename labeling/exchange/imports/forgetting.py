"""What imports keep of photos that are erased."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from labeling.catalog.models import Project
from labeling.exchange.models import ImportRow
from labeling.store.folders import STAGING


def forget_imported(
    *, project: Project, items: Collection[int], hashes: Collection[str], names: Collection[str]
) -> None:
    """Empty the rows that name these photos, and remove the files in which they stand: a file cannot be cut."""
    rows = ImportRow.objects.filter(of__project=project).filter(
        Q(item_id__in=items) | Q(sha256__in=hashes) | Q(photo__in=names)
    )
    for import_id in set(rows.values_list("of_id", flat=True)):
        STAGING.drop(str(import_id))
    rows.update(photo="", sha256="", place="", about="")
