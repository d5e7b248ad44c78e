"""Data sets, read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.exchange.choosing import refuse_unchosen
from labeling.exchange.formats import FORMATS
from labeling.exchange.manifest import manifest_of
from labeling.exchange.models import Chosen, DataSet
from labeling.exchange.writing import Written


def data_sets_of(project: Project) -> QuerySet[Any]:
    """Newest first; ``ready``: the photos of its search are found."""
    return (
        DataSet.objects.filter(project=project)
        .select_related("project", "guideline", "created_by")
        .annotate(ready=Q(search="") | Exists(Chosen.objects.filter(data_set=OuterRef("pk"), last=True)))
        .order_by("-created_at")
    )


def data_set_of(project: Project, data_set_id: UUID) -> DataSet:
    """Raises :class:`Http404`."""
    found: DataSet | None = data_sets_of(project).filter(pk=data_set_id).first()
    if found is None:
        raise Http404(_("There is no such data set in this project."))
    return found


def readable_data_set(project: Project, data_set_id: UUID) -> DataSet:
    """Raises :class:`Http404`, and :class:`Refused` ``choosing`` (409) while its photos are looked for."""
    found = data_set_of(project, data_set_id)
    refuse_unchosen(found)
    return found


def file_of(data_set: DataSet) -> Iterator[bytes]:
    """The file in pieces, nothing read before the first is asked for."""
    format = FORMATS[data_set.format]
    yield from format.write(Written(data_set, format))


def manifest(data_set: DataSet) -> dict[str, object]:
    """What the file holds, counted without reading a photo: one that the storage lost is not missed here."""
    written = Written(data_set, FORMATS[data_set.format])
    for _rows in written.chunks():
        pass
    return manifest_of(written)
