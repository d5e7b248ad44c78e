"""An asset is erased: a car's owner asks for it, or a contract ends.

What it is called, and what was said of its inspections, is gone at once, for nothing rests on it. Its photos leave each
project as photos do, and can be brought back for some days. That there were inspections, and their verdicts, stays.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from labeling.catalog import wiping
from labeling.catalog.models import Item, Project
from labeling.erasure.asking import ask
from labeling.erasure.models import ErasedPhoto, Erasure, Scope
from labeling.erasure.scopes import MOST_NAMED
from labeling.inspections.forgetting import forget_asset, images_of
from labeling.inspections.models import Asset
from labeling.people.accounts import must_manage
from labeling.people.models import User


@transaction.atomic
def ask_for_asset(
    *, asset: Asset, by: User, reason: str, days: int | None = None
) -> tuple[int, list[Erasure]]:
    """Returns how many inspections it had, and the requests that its photos are part of, at least one a project.

    Raises :class:`~labeling.refusals.Refused` ``forbidden`` (403), ``invalid`` (422).
    """
    must_manage(by)
    images = list(images_of(asset).values_list("image", flat=True).distinct())
    items = Item.objects.filter(image__in=images, project__isnull=False).order_by("project", "pk")
    by_project: dict[int, list[int]] = {}
    for project, item in items.values_list("project", "pk"):
        by_project.setdefault(project, []).append(item)
    made = [
        ask(
            project=project,
            by=by,
            scope=Scope.PHOTOS,
            reason=reason,
            item_ids=by_project[project.pk][start : start + MOST_NAMED],
            days=days,
        )
        for project in Project.objects.filter(pk__in=by_project).order_by("pk")
        for start in range(0, len(by_project[project.pk]), MOST_NAMED)
    ]
    count = forget_asset(asset)
    nowhere = set(images) - wiping.named_by(images) - _held(images)
    for image in sorted(nowhere):  # of shots that no project asks; last, for files come back by no rollback
        wiping.wipe_image(image, project=None)
    return count, made


def _held(images: Collection[int]) -> set[int]:
    """Those that another request may yet bring back."""
    rows = ErasedPhoto.objects.held().filter(images__overlap=list(images))
    return {image for mine in rows.values_list("images", flat=True) for image in mine}
