"""What the rooms below tell of photos and of projects: the inspections that it touches are looked at again, soon. And what
they ask of photos that are in no project."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import guideline_changed, images_named, photo_shown
from labeling.catalog.models import Guideline, Project
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import schema_of
from labeling.frontier.events import decided, left_to_people, taken_back
from labeling.frontier.models import Mode
from labeling.frontier.policy import policy_of
from labeling.inspections.capture.recognising import request_recognising
from labeling.inspections.models import InspectionPhoto, Protocol
from labeling.inspections.permissions import may_in
from labeling.inspections.wanting import want_look_at_all_of, want_look_at_held_of, want_look_at_photos
from labeling.queue.events import arrivals_placed, ranking_swapped
from labeling.truth.events import disputed, imported, reopened, settled


@receiver([settled, imported, disputed, decided, taken_back, left_to_people])
def on_photos_changed(*, item_ids: Collection[int], **_: Any) -> None:
    want_look_at_photos(item_ids)


@receiver(reopened)
def on_reopened(*, rounds: dict[int, int], **_: Any) -> None:
    want_look_at_photos(list(rounds))


@receiver(ranking_swapped)
def on_ranking_swapped(*, project: Project, **_: Any) -> None:
    """Where the machine decides, people are asked first only for what it has seen."""
    if policy_of(project).mode == Mode.ON:
        want_look_at_held_of(project.pk)


@receiver(arrivals_placed)
def on_arrivals_placed(*, project: Project, item_ids: Collection[int], **_: Any) -> None:
    """The same, of the photos that it sees now."""
    if policy_of(project).mode == Mode.ON:
        want_look_at_photos(item_ids)


@receiver([ranking_swapped, arrivals_placed])
def on_new_scores(*, project: Project, **_: Any) -> None:
    """Of new photos, or by another champion: which shot each shows."""
    request_recognising(project=project)


@receiver(guideline_changed)
def on_guideline_changed(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Where classes were merged or retired, or came back, answers count as other ones."""
    before = Guideline.objects.filter(project=project, number=guideline.number - 1).first()
    if before is not None and _counted(before).items() - _counted(guideline).items():
        want_look_at_all_of(project.pk)


@receiver(images_named)
def on_images_named(*, images: Collection[int], **_: Any) -> set[int]:
    mine = InspectionPhoto.objects.in_no_project().filter(image__in=images)
    return {image for image in mine.values_list("image", flat=True) if image is not None}


@receiver(photo_shown)
def on_photo_shown(*, user: Any, sha256: str, **_: Any) -> bool:
    """Whoever may see the evidence sees its photos."""
    mine = InspectionPhoto.objects.in_no_project().filter(image__sha256=sha256)
    protocols = Protocol.objects.filter(pk__in=mine.values("inspection__protocol"))
    return any(may_in(user, protocol, Action.FIGURES) for protocol in protocols)


def _counted(guideline: Guideline) -> dict[int, tuple[str, int | None]]:
    return {row.label_class_id: (row.state, row.merged_into_id) for row in schema_of(guideline.pk)}
