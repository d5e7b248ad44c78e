"""Photos leave their project at once, with all that they would be known by, and can be brought back.

What is put aside is handed to the caller, who keeps it for as long as it may be undone. The photo's bytes stay meanwhile
where they are; nobody has an address of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from labeling.catalog import erased
from labeling.catalog.models import (
    Exemplar,
    Image,
    IntakeFile,
    IntakeOutcome,
    Item,
    Likeness,
    Metadata,
    Project,
)
from labeling.database.append_only import erasing
from labeling.refusals import Refused

#: What a photo that was erased is called where its record is listed.
NAMELESS = "–"


@dataclass(frozen=True)
class TakenOut:
    """``images``: ids, the photo's own first; the others were set aside as its near-duplicates, and never came in.

    ``kept``: {name, source, metadata, files, exemplars, likenesses}, as :func:`bring_back` takes them.
    """

    item_id: int
    images: list[int]
    kept: dict[str, Any]


@transaction.atomic
def take_out(*, project: Project, item_ids: Collection[int]) -> list[TakenOut]:
    """Of these photos, those that the project holds; in the order of their ids. They are kept out until they are back."""
    items = list(
        Item.objects.select_for_update(no_key=True, of=("self",))
        .filter(project=project, pk__in=item_ids)
        .select_related("image")
        .order_by("pk")
    )
    if not items:
        return []
    aside = _set_aside(project, items)
    images = {item.pk: [item.image, *aside[item.pk]] for item in items}
    every = [image for mine in images.values() for image in mine]
    owner = {image.pk: item_id for item_id, mine in images.items() for image in mine}
    erased.keep_out(project, every)
    with erasing():
        files = _files_out(project, every, owner)
        exemplars = _exemplars_out(project, every, owner)
        likenesses = _likenesses_out(project, owner)
        said = dict(Metadata.objects.filter(item__in=items).values_list("item", "data"))
        Metadata.objects.filter(item__in=items).delete()
        Item.objects.filter(pk__in=[item.pk for item in items]).update(
            project=None, image=nothing(), name=NAMELESS, source=""
        )
    return [
        TakenOut(
            item.pk,
            [image.pk for image in images[item.pk]],
            {
                "name": item.name,
                "source": item.source,
                "metadata": said.get(item.pk),
                "files": files[item.pk],
                "exemplars": exemplars[item.pk],
                "likenesses": likenesses[item.pk],
            },
        )
        for item in items
    ]


@transaction.atomic
def bring_back(*, project: Project, taken: TakenOut) -> None:
    """As it was. Raises :class:`Refused` ``there_again`` (409) where the same photo came in meanwhile."""
    images = list(Image.objects.filter(pk__in=taken.images))
    if Item.objects.filter(project=project, image=taken.images[0]).exists():
        raise Refused(
            "there_again",
            _("The same photo came in again meanwhile, so this one cannot be brought back beside it."),
        )
    kept = taken.kept
    Item.objects.filter(pk=taken.item_id).update(
        project=project, image=taken.images[0], name=kept["name"], source=kept["source"]
    )
    if kept["metadata"] is not None:
        Metadata.objects.create(item_id=taken.item_id, project=project, data=kept["metadata"])
    for file in kept["files"]:
        raw = file["name_bytes"]
        IntakeFile.objects.filter(pk=file["id"]).update(
            **{name: file[name] for name in ("name", "path", "sha256", "metadata", "image_id")},
            name_bytes=bytes.fromhex(raw) if raw is not None else None,
        )
    Exemplar.objects.bulk_create([Exemplar(**each) for each in kept["exemplars"]], ignore_conflicts=True)
    there = set(
        Item.objects.filter(
            pk__in=[each["item_id"] for each in kept["likenesses"]], project=project
        ).values_list("pk", flat=True)
    )
    Likeness.objects.bulk_create(
        [Likeness(project=project, **each) for each in kept["likenesses"] if each["item_id"] in there],
        ignore_conflicts=True,
    )
    erased.let_in_again(project, [image.sha256 for image in images])


def nothing() -> Image:
    """What stands where a photo was."""
    row, _new = Image.objects.get_or_create(
        sha256=Image.NOTHING, defaults={"format": "", "width": 1, "height": 1, "size": 0}
    )
    return row


def _set_aside(project: Project, items: Sequence[Item]) -> dict[int, list[Image]]:
    """Photos that did not come in because they are nearly the same as one of these, and are nowhere else."""
    found: dict[int, list[Image]] = defaultdict(list)
    seen: set[int] = set()
    rows = Likeness.objects.filter(project=project, item__in=items, set_aside=True)
    for row in rows.exclude(image__items__project=project).select_related("image").order_by("pk"):
        if row.image_id not in seen:
            seen.add(row.image_id)
            found[row.item_id].append(row.image)
    return found


def _files_out(project: Project, images: Iterable[Image], owner: dict[int, int]) -> dict[int, list[Any]]:
    """Names and hashes of what was handed in go from their rows; what became of the files stays. Those that wait for their
    turn are refused in it."""
    by_hash = {image.sha256: image.pk for image in images}
    rows = (
        IntakeFile.objects.filter(batch__project=project)
        .exclude(outcome=IntakeOutcome.PENDING)
        .filter(Q(image__in=owner) | Q(sha256__in=by_hash))
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        image = row.image_id if row.image_id is not None else by_hash[row.sha256]
        raw = row.name_bytes
        found[owner[image]].append(
            {
                "id": row.pk,
                "name": row.name,
                "name_bytes": bytes(raw).hex() if raw is not None else None,
                "path": row.path,
                "sha256": row.sha256,
                "metadata": row.metadata,
                "image_id": row.image_id,
            }
        )
    blank_files([each["id"] for mine in found.values() for each in mine])
    return found


def blank_files(ids: Collection[int]) -> None:
    """Nothing of these files is known any more but what became of them."""
    IntakeFile.objects.filter(pk__in=ids).update(
        name="",
        name_bytes=None,
        path=Concat(Value("erased-"), Cast("pk", TextField()), output_field=TextField()),
        sha256="",
        metadata=None,
        image=None,
    )


def _exemplars_out(project: Project, images: Iterable[Image], owner: dict[int, int]) -> dict[int, list[Any]]:
    rows = Exemplar.objects.filter(image__in=list(images), definition__guideline__project=project)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[owner[row.image_id]].append(
            {
                "definition_id": row.definition_id,
                "image_id": row.image_id,
                "caption": row.caption,
                "position": row.position,
            }
        )
    rows.delete()
    return found


def _likenesses_out(project: Project, owner: dict[int, int]) -> dict[int, list[Any]]:
    items = set(owner.values())
    rows = Likeness.objects.filter(project=project).filter(Q(item__in=items) | Q(image__in=owner))
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        mine = row.item_id if row.item_id in items else owner[row.image_id]
        found[mine].append(
            {
                "item_id": row.item_id,
                "image_id": row.image_id,
                "bits": row.bits,
                "ratio": row.ratio,
                "set_aside": row.set_aside,
            }
        )
    rows.delete()
    return found
