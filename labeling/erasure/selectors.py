"""Requests, read."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.erasure.models import ErasedPhoto, Erasure


def erasures_of(project: Project) -> QuerySet[Erasure]:
    """Newest first; ``waits``: whether something stands in the way of a photo."""
    waiting = ErasedPhoto.objects.filter(erasure=OuterRef("pk")).exclude(waits_for="")
    return (
        Erasure.objects.filter(project=project)
        .select_related("project", "asked_by", "undone_by")
        .annotate(waits=Exists(waiting))
        .order_by("-created_at")
    )


def erasure_of(project: Project, erasure_id: UUID) -> Erasure:
    """Raises :class:`Http404`."""
    found = erasures_of(project).filter(pk=erasure_id).first()
    if found is None:
        raise Http404(_("There is no such erasure in this project."))
    return found


def waits_for(erasure: Erasure) -> list[str]:
    """What stands in the way, in words."""
    waiting = erasure.photos.exclude(waits_for="").order_by("waits_for")
    return list(waiting.values_list("waits_for", flat=True).distinct()[:20])


def photos_of_erasure(erasure: Erasure) -> QuerySet[ErasedPhoto]:
    return erasure.photos.order_by("item_id")
