"""An exemplar is shown with its class while people label: no gold photo, and none that people are answering, becomes one.

A fresh photo may, as a project needs exemplars before its first answer; it is asked like any other.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from labeling.catalog.models import Exemplar, Guideline, Item, Project
from labeling.queue.models import Entry
from labeling.refusals import Refused
from labeling.truth.models import Gold


def new_exemplars(*, project: Project, guideline: Guideline) -> list[Item]:
    """The project's photos that are exemplars of this guideline and were none of the version before."""
    shown = Exemplar.objects.filter(definition__guideline=guideline).values("image")
    before = Exemplar.objects.filter(
        definition__guideline__project=project, definition__guideline__number=guideline.number - 1
    ).values("image")
    return list(Item.objects.filter(project=project, image__in=shown).exclude(image__in=before))


def refuse_asked_exemplars(*, project: Project, guideline: Guideline) -> None:
    """Raises :class:`Refused` ``invalid`` (422) where a new exemplar of ``guideline`` is gold in use, or half answered."""
    ids = [item.pk for item in new_exemplars(project=project, guideline=guideline)]
    if not ids:
        return
    message = ""
    if Gold.objects.filter(item__in=ids, retired_at__isnull=True).exists():
        message = _(
            "This photo is gold: people are checked with it, blind. Choose another, or retire it as gold first."
        )
    elif Entry.objects.filter(
        ranking__project=project, ranking__current=True, item__in=ids, taken__gt=0
    ).exists():
        message = _(
            "People are answering this photo now, blind. Choose another, or wait until it is settled."
        )
    if message:
        raise Refused.invalid("exemplars", message)
