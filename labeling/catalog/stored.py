"""Whether the store still holds what was written: photos here, folders in the rooms that make them.

What can be made again is made again. The rest is kept as :class:`~labeling.catalog.models.Damage`, said in the log and by
``/healthz``, until it is whole again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.functions import Right

from labeling.catalog import references, renditions, storage
from labeling.catalog.intake.handing_in import free_staging
from labeling.catalog.models import Damage, Image, IntakeBatch, IntakeOutcome, Item, Project
from labeling.catalog.references import NotThere
from labeling.store import objects
from labeling.store.folders import STAGING

logger = logging.getLogger(__name__)

#: In so many nights all photos are looked at: each night those whose hashes begin alike.
NIGHTS = 32
CHUNK = 200
_ADVICE = {
    "originals": "restore it from a backup, or take the photo in again",
    references.FOLDER: "see page Sources",
    "models": "restore the folder from a backup, or train again and promote the new version",
    "backbones": "restore the folder from a backup, or adapt again",
}


def to_restore() -> list[str]:
    """What is lost or damaged now, with what to do."""
    found = Damage.objects.order_by("name").values_list("name", "why")
    return [f"{name}: {why or _ADVICE[name.split('/')[0]]}" for name, why in found]


def tell(
    area: str, looked_at: Collection[str], damaged: Collection[str], why: Mapping[str, str] | None = None
) -> None:
    """Keep what was found: of the names that were looked at, those that are damaged; names begin with their area.

    ``why``: by name, where the usual advice does not fit.
    """
    Damage.objects.filter(name__startswith=f"{area}/", name__in=set(looked_at) - set(damaged)).delete()
    for name in damaged:
        said = (why or {}).get(name, "")
        Damage.objects.update_or_create(name=name, defaults={"why": said})
        logger.error("%s is lost or damaged: %s", name, said or _ADVICE[area])


def not_there(project: Project, *, most: int) -> list[tuple[Item, str]]:
    """Photos of the project that could not be had from where they stay, at the last look, and why; ``most`` of them."""
    told = Damage.objects.filter(name__startswith=f"{references.FOLDER}/")
    by_hash = told.annotate(sha256=Right("name", 64))
    held = Item.objects.filter(project=project, image__sha256__in=by_hash.values("sha256"))
    items = list(held.select_related("image").order_by("pk")[:most])
    why = dict(
        by_hash.filter(name__in=[references.name(item.image.sha256) for item in items]).values_list(
            "sha256", "why"
        )
    )
    return [(item, why[item.image.sha256]) for item in items]


def check_photos(night: int | None) -> int:
    """Look at the originals of the ``night``'s share (``None``: at all), and at those that were damaged; return how many.

    Renditions that are gone or cut are made again.
    """
    images = Image.objects.exclude(sha256=Image.NOTHING).order_by("sha256")
    told = Damage.objects.filter(
        Q(name__startswith="originals/") | Q(name__startswith=f"{references.FOLDER}/")
    )
    known = [name.rpartition("/")[2] for name in _names(told)]
    erased = set(known) - set(images.filter(sha256__in=known).values_list("sha256", flat=True))
    _tell_of_photos(dict.fromkeys(erased))
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
        _look_at(some)
        count += len(some)
    return count


def check_some(hashes: Collection[str]) -> None:
    """As :func:`check_photos`, of these."""
    images = Image.objects.filter(sha256__in=hashes)
    _look_at(list(images.values_list("sha256", "rendered")))


def _look_at(some: Sequence[tuple[str, int]]) -> None:
    found = dict(zip((sha256 for sha256, _rendered in some), objects.side_by_side(_lost, some), strict=True))
    _tell_of_photos(
        {
            sha256: lost
            for sha256, lost in found.items()
            # What does not answer now is neither lost nor there.
            if not (isinstance(lost, NotThere) and lost.code == "silent")
        }
    )


def _tell_of_photos(found: Mapping[str, FileNotFoundError | None]) -> None:
    """By hash: why it is as good as lost; ``None``: it is not."""
    elsewhere = {references.name(each): str(why) for each, why in found.items() if isinstance(why, NotThere)}
    here = [
        storage.original_name(each)
        for each, why in found.items()
        if why is not None and not isinstance(why, NotThere)
    ]
    tell("originals", [storage.original_name(each) for each in found], here)
    tell(references.FOLDER, [references.name(each) for each in found], elsewhere, elsewhere)


def sweep_staging() -> None:
    """Free what intakes left that are through: the store was away when they ended."""
    for name in STAGING.names():
        batch = None
        with suppress(ValidationError):  # nobody's
            batch = IntakeBatch.objects.filter(pk=name).first()
        if batch and batch.files.exists() and not batch.files.filter(outcome=IntakeOutcome.PENDING).exists():
            free_staging(batch.pk)


def _lost(image: tuple[str, int]) -> FileNotFoundError | None:
    """Why it is as good as lost, if it is."""
    sha256, rendered = image
    try:
        storage.original_of(sha256)
        if rendered == renditions.VERSION:  # the others have a job of their own
            for variant in storage.VARIANTS:
                storage.rendition_of(sha256, variant)
    except FileNotFoundError as error:
        return error
    return None


def _names(rows: QuerySet[Damage]) -> list[str]:
    return list(rows.values_list("name", flat=True))
