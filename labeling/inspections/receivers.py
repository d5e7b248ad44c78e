"""What the rooms below tell of photos and of projects: the inspections that it touches are looked at again, soon."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import guideline_changed
from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import schema_of
from labeling.frontier.events import decided, taken_back
from labeling.frontier.models import Mode
from labeling.frontier.policy import policy_of
from labeling.inspections.capture.recognising import request_recognising
from labeling.inspections.wanting import want_look_at_all_of, want_look_at_held_of, want_look_at_photos
from labeling.queue.events import ranking_swapped
from labeling.truth.events import disputed, imported, reopened, settled


@receiver([settled, imported, disputed, decided, taken_back])
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


@receiver(ranking_swapped)
def on_new_scores(*, project: Project, **_: Any) -> None:
    """Of new photos, or by another champion: which shot each shows."""
    request_recognising(project=project)


@receiver(guideline_changed)
def on_guideline_changed(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Where classes were merged or retired, or came back, answers count as other ones."""
    before = Guideline.objects.filter(project=project, number=guideline.number - 1).first()
    if before is not None and _counted(before).items() - _counted(guideline).items():
        want_look_at_all_of(project.pk)


def _counted(guideline: Guideline) -> dict[int, tuple[str, int | None]]:
    return {row.label_class_id: (row.state, row.merged_into_id) for row in schema_of(guideline.pk)}
