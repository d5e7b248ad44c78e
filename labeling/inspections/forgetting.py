"""What inspections know of photos and people that are erased goes; that they were, and their verdicts, stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, Now

from labeling.database.append_only import erasing
from labeling.inspections.models import Asset, CaptureLink, Inspection, InspectionPhoto, Verdict
from labeling.inspections.wanting import want_look


def photos_moved(images: Collection[int]) -> None:
    """These images (ids) left a project, or are back: the verdicts that rest on them are looked at again."""
    want_look(
        list(InspectionPhoto.objects.filter(image__in=images).values_list("inspection", flat=True).distinct())
    )


def forget_photos(hashes: Collection[str]) -> None:
    """Photos with these SHA-256 are gone: nobody knows any more which bytes were sent."""
    InspectionPhoto.objects.exclude(sha256="").filter(sha256__in=hashes).update(sha256="")


def forget_photographers(names: Sequence[str]) -> None:
    """Whoever photographed under one of these names did so under none."""
    for rows in (Inspection.objects, CaptureLink.objects):
        rows.filter(photographer__in=names).update(photographer="")


def images_of(asset: Asset) -> QuerySet[InspectionPhoto]:
    """Of all its inspections, those that are there, as ids of images."""
    return InspectionPhoto.objects.filter(inspection__asset=asset, image__isnull=False)


@transaction.atomic
def forget_asset(asset: Asset) -> int:
    """The asset is a number from now on, and what callers said of its inspections is gone: metadata, reasons of verdicts,
    and the caller's id where it held what the asset is called. Its links end. Returns how many inspections it had.

    An id that stays keeps what is sent again out, for it comes with something else than was recorded.
    """
    mine = Inspection.objects.filter(asset=asset)
    called, number = asset.identifier, f"erased-{asset.pk}"
    if called != number:
        # Whole, not in part: what stands beside a plate may tell it too, and an id has its bounds.
        mine.filter(external_id__contains=called).update(
            external_id=Concat(Value("erased-"), Cast("pk", TextField()), output_field=TextField())
        )
    mine.update(metadata={})
    with erasing():
        Verdict.objects.filter(inspection__in=mine).exclude(reason="").update(reason="")
    InspectionPhoto.objects.filter(inspection__in=mine).update(sha256="")
    CaptureLink.objects.filter(asset=asset, revoked_at__isnull=True).update(revoked_at=Now())
    Asset.objects.filter(pk=asset.pk).update(identifier=number, type="", site="")
    return mine.count()
