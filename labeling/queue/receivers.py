"""The queue's side of what the rooms below tell: each is one call of a service, in the sender's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists
from django.dispatch import receiver

from labeling.catalog.events import (
    guideline_changed,
    items_added,
    meaning_changed,
    meaning_priced,
    settings_changed,
)
from labeling.catalog.models import ClassDefinition, Guideline, Project
from labeling.learning import cold_start
from labeling.learning.events import embedded, promoted
from labeling.people.models import User
from labeling.queue import pace, services
from labeling.queue.events import ranking_swapped
from labeling.queue.exemplars import refuse_asked_exemplars
from labeling.queue.models import BandOpening
from labeling.truth.events import about_to_be_ruled, answer_waits, disputed, imported, reopened, settled
from labeling.truth.models import Annotation, GroundTruth


@receiver(items_added)
def on_items_added(*, project: Project, item_ids: list[int], **_: Any) -> None:
    services.append_arrivals(project=project, item_ids=item_ids)


@receiver([settled, imported, disputed])
def on_finished(*, project: Project, item_ids: list[int], **_: Any) -> None:
    services.remove_several(project=project, item_ids=item_ids)


@receiver([settled, imported])
def on_labels_that_judge_words(*, project: Project, item_ids: list[int], **_: Any) -> None:
    if cold_start.is_due(project, len(item_ids)):
        services.request_ranking(project=project)


@receiver(answer_waits)
def on_answer_waits(*, project: Project, item_id: int, annotation: Annotation, **_: Any) -> None:
    wanted = max(project.answers_per_image, project.certifying_answers)
    if annotation.context.get("wanted", 0) < wanted or "boundary" in annotation.context:
        services.want_all(project=project, item_id=item_id)


@receiver(about_to_be_ruled)
def on_about_to_be_ruled(*, reviewer: User, **_: Any) -> Exists:
    return services.not_blind_to(reviewer)


@receiver(reopened)
def on_reopened(*, project: Project, rounds: dict[int, int], **_: Any) -> None:
    services.put_back(project=project, rounds=rounds)


#: Settings that the order or the wanted answers depend on.
ORDERING = frozenset({"strategy", "bands", "answers_per_image", "rule", "agreement_k", "backbone", "levels"})


@receiver(settings_changed)
def on_settings_changed(*, project: Project, changed: Iterable[str], **_: Any) -> None:
    if ORDERING & set(changed) and project.items.exists():
        services.request_ranking(project=project)


@receiver(guideline_changed)
def on_guideline_changed(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Merging or retiring classes changes ladders and what answers count as; better criteria do not.

    Refuses, and with it the new version, where an exemplar is a photo that people are asked about.
    """
    refuse_asked_exemplars(project=project, guideline=guideline)
    states = [
        dict(ClassDefinition.objects.filter(guideline=each).values_list("label_class", "state"))
        for each in Guideline.objects.filter(project=project, number__gte=guideline.number - 1)
    ]
    if len(states) > 1 and states[0] != states[1] and project.items.exists():
        services.request_ranking(project=project)


@receiver(meaning_changed)
def on_meaning_changed(*, project: Project, **_: Any) -> None:
    """Other criteria change what answers mean, and so which ground truths a band still holds."""
    services.look_at_bands_again(project=project, cause=BandOpening.Cause.GUIDELINE)


@receiver(meaning_priced)
def on_meaning_priced(*, project: Project, **_: Any) -> dict[str, int]:
    """All bands that the queue has passed, as each may have lost what it held."""
    return {"bands": pace.reached(project) if GroundTruth.objects.filter(project=project).exists() else 0}


@receiver(ranking_swapped)
def on_ranking_swapped(*, project: Project, **_: Any) -> None:
    if pace.ranked_by_another_model(project):
        services.look_at_bands_again(project=project, cause=BandOpening.Cause.MODEL)


@receiver(promoted)
def on_another_champion(*, project: Project, **_: Any) -> None:
    services.request_ranking(project=project)


@receiver(embedded)
def on_embedded(*, project: Project, **_: Any) -> None:
    services.request_places(project=project)
