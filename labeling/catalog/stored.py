"""Whether the store still holds what was written: photos here, folders in the rooms that make them.

What can be made again is made again. The rest is kept as :class:`~labeling.catalog.models.Damage`, said in the log and by
``/healthz``, until it is whole again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from labeling.catalog import renditions, storage
from labeling.catalog.intake import free_staging
from labeling.catalog.models import Damage, Image, IntakeBatch, IntakeOutcome
from labeling.store import objects
from labeling.store.folders import STAGING

logger = logging.getLogger(__name__)

#: In so many nights all photos are looked at: each night those whose hashes begin alike.
NIGHTS = 32
CHUNK = 200
_ADVICE = {
    "originals": "restore it from a backup, or take the photo in again",
    "models": "restore the folder from a backup, or train again and promote the new version",
    "backbones": "restore the folder from a backup, or adapt again",
}


def to_restore() -> list[str]:
    """What is lost or damaged now, with what to do."""
    return [f"{name}: {_ADVICE[name.split('/')[0]]}" for name in _names(Damage.objects.order_by("name"))]


def tell(area: str, looked_at: Collection[str], damaged: Collection[str]) -> None:
    """Keep what was found: of the names that were looked at, those that are damaged; names begin with their area."""
    Damage.objects.filter(name__startswith=f"{area}/", name__in=set(looked_at) - set(damaged)).delete()
    for name in damaged:
        Damage.objects.get_or_create(name=name)
        logger.error("%s is lost or damaged: %s", name, _ADVICE[area])


def check_photos(night: int | None) -> int:
    """Look at the originals of the ``night``'s share (``None``: at all), and at those that were damaged; return how many.

    Renditions that are gone or cut are made again.
    """
    images = Image.objects.exclude(sha256=Image.NOTHING).order_by("sha256")
    known = [name.rpartition("/")[2] for name in _names(Damage.objects.filter(name__startswith="originals/"))]
    erased = set(known) - set(images.filter(sha256__in=known).values_list("sha256", flat=True))
    tell("originals", [storage.original_name(sha256) for sha256 in erased], [])
    if night is not None:
        share = 256 // NIGHTS
        first = share * (night % NIGHTS)
        images = images.filter(
            sha256__gte=f"{first:02x}", sha256__lt=f"{first + share:02x}" if first + share < 256 else "g"
        )
        images |= Image.objects.filter(sha256__in=known).exclude(sha256=Image.NOTHING)
    count, last = 0, ""
    while some := list(images.filter(sha256__gt=last).values_list("sha256", "rendered")[:CHUNK]):
        last = some[-1][0]
        sound = objects.side_by_side(_is_sound, some)
        names = [storage.original_name(sha256) for sha256, _rendered in some]
        tell("originals", names, [name for name, is_sound in zip(names, sound, strict=True) if not is_sound])
        count += len(some)
    return count


def sweep_staging() -> None:
    """Free what intakes left that are through: the store was away when they ended."""
    for name in STAGING.names():
        batch = None
        with suppress(ValidationError):  # nobody's
            batch = IntakeBatch.objects.filter(pk=name).first()
        if batch and batch.files.exists() and not batch.files.filter(outcome=IntakeOutcome.PENDING).exists():
            free_staging(batch.pk)


def _is_sound(image: tuple[str, int]) -> bool:
    sha256, rendered = image
    try:
        storage.original_of(sha256)
        if rendered == renditions.VERSION:  # the others have a job of their own
            for variant in storage.VARIANTS:
                storage.rendition_of(sha256, variant)
    except FileNotFoundError:
        return False
    return True


def _names(rows: QuerySet[Damage]) -> list[str]:
    return list(rows.values_list("name", flat=True))
