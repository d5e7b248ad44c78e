"""Photos that did not come in, as they are nearly the same as one that is there: an admin asked for that.

Intake goes by the fingerprint alone. So their bytes are kept, their embeddings are compared too, and one that is another
picture after all comes in then: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet

from labeling.catalog import events, twins
from labeling.catalog.activity import log_activity
from labeling.catalog.images import add_items
from labeling.catalog.models import Image, IntakeFile, IntakeOutcome, Item, Likeness, Project

REASON = "near_duplicate"
_THERE = Item.objects.filter(project=OuterRef("project"), image=OuterRef("image"))


def remember(project: Project, images: Sequence[Image]) -> None:
    """Keep what these images are nearly the same as. Sends ``photos_set_aside``."""
    for image in images:
        twins.keep(project, image, twins.alike(project, image), set_aside=True)
    if images:
        events.photos_set_aside.send(sender=Image, project=project)


def waiting(project: Project) -> QuerySet[Likeness]:
    """Likenesses of photos that are out, oldest first; those without a ratio are to be compared."""
    out = Likeness.objects.filter(project=project, set_aside=True).exclude(Exists(_THERE))
    return out.select_related("image", "item__image").order_by("pk")


@transaction.atomic
def let_in(project: Project) -> list[Item]:
    """Take in those that are near none of what they were set aside for, as their embeddings say."""
    told = waiting(project).order_by().values("image").annotate(least=Min("ratio"))
    pending = waiting(project).filter(ratio__isnull=True).values("image")
    wrongly = told.filter(least__gte=Likeness.SURE).exclude(image__in=pending).values("image")
    images = list(Image.objects.filter(pk__in=wrongly).order_by("pk"))
    added = []
    for image in images:
        files = list(_files(project, image))
        source = files[0].batch.source if files else ""
        added += add_items(project=project, images=[(image, files[0].name if files else "")], source=source)
        for place, file in enumerate(files):
            file.outcome = IntakeOutcome.DUPLICATE if place else IntakeOutcome.ADDED
            file.reason = file.detail = ""
        IntakeFile.objects.bulk_update(files, ["outcome", "reason", "detail"])
    if added:
        log_activity(project=project, kind="near_duplicates_let_in", photos=len(added))
    return added


def names(project: Project, images: Sequence[int]) -> dict[int, str]:
    """Image id -> the name under which the newest file of it was listed."""
    listed = IntakeFile.objects.filter(batch__project=project, image__in=images)
    return dict(listed.order_by("pk").values_list("image", "name"))


def _files(project: Project, image: Image) -> QuerySet[IntakeFile]:
    """What was listed of it, oldest first: all that was is that it did not come in."""
    listed = IntakeFile.objects.filter(batch__project=project, image=image)
    return listed.select_related("batch").order_by("pk")
