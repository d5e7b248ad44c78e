"""Which shot a photo shows, by the head of the protocol's own project of shots.

The classes of ``shots_project`` are the keys of the shots. What the photographer said of a photo becomes an imported ground
truth there: it trains, and never certifies. Where the champion is sure that a photo shows another shot than was said, and
has learned both of them, the photo is refused for its shot, and what was said of it trains nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes, class_keys, class_resolution, current_guideline
from labeling.frontier.models import AssistedLabel, AutomaticDecision, DrawnPhoto
from labeling.inspections.models import Fault, InspectionPhoto, Protocol
from labeling.inspections.recording import refuse_later
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from labeling.jobs.services import enqueue
from labeling.learning.models import ModelVersion, Score
from labeling.learning.selectors import champion
from labeling.learning.training_set import FIRST_A_CLASS
from labeling.queue import services as queue
from labeling.truth import services as truth
from labeling.truth.current import truth_in_force
from labeling.truth.models import Annotation, AnswerKind, Gold, GroundTruth, Origin

KIND = "recognise_shots"
#: Of the score's confidence: the top probability minus the second.
SURE = 0.9
#: For so long whoever photographed may still be at the car. An older photo is seen as what it is, and its verdict stays.
RETAKEN_WITHIN = timedelta(days=1)
AT_ONCE = 500
#: What somebody says of a photo, or is about to be asked.
_WORDS = (GroundTruth, Annotation, Gold, DrawnPhoto, AutomaticDecision, AssistedLabel)


@transaction.atomic
def request_recognising(*, project: Project) -> Job | None:
    """A job that looks at what is new in a project of shots; ``None`` where it is no protocol's. One that waits will do."""
    if not Protocol.objects.filter(shots_project=project).exists():
        return None
    waiting = Job.objects.of_project(project.pk).filter(
        kind=KIND, state=JobState.QUEUED, cancel_requested_at__isnull=True
    )
    return waiting.select_for_update().first() or enqueue(
        kind=KIND, project_id=project.pk, lock=f"{KIND}:{project.pk}", priority=1
    )


def recognise(progress: Progress) -> dict[str, Any]:
    """Do the job. Returns {seen, wrong, taught}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    told = {"seen": 0, "wrong": 0, "taught": 0}
    last = 0
    while some := list(_pending(project, last)[:AT_ONCE]):
        last = some[-1].pk
        for name, count in _recognise(project, some).items():
            told[name] += count
        progress.check()
    return told


def _pending(project: Project, after: int) -> QuerySet[InspectionPhoto]:
    """Photos that are taken for their shot, and that no champion has seen yet."""
    return (
        InspectionPhoto.objects.filter(
            inspection__protocol__shots_project=project,
            pk__gt=after,
            faults=[],
            seen_as="",
            image__isnull=False,
        )
        .select_related("shot")
        .order_by("pk")
    )


def _recognise(project: Project, photos: Sequence[InspectionPhoto]) -> dict[str, int]:
    model = champion(project)
    keys = {row.label_class_id: row.label_class.key for row in active_classes(project)}
    resolution = class_resolution(project)
    learned = _learned(model) if model else set()
    images = [photo.image_id for photo in photos]
    items = dict(Item.objects.filter(project=project, image__in=images).values_list("image", "pk"))
    scores = {
        each.item_id: each
        for each in Score.objects.filter(model_version=model, item__in=items.values())
    } if model else {}  # fmt: skip
    seen, wrong, said = [], 0, {}
    for photo in photos:
        item = items.get(photo.image_id or 0)
        score = scores.get(item or 0)
        shown = keys.get(resolution.get(score.predicted_id) or 0, "") if score else ""
        if score and shown:
            photo.seen_as, photo.seen_confidence = shown, score.confidence
            is_other = shown != photo.shot.key and {shown, photo.shot.key} <= learned
            if is_other and score.confidence >= SURE:
                if photo.created_at > timezone.now() - RETAKEN_WITHIN:
                    _refuse(project, photo, score.item_id)
                    wrong += 1
                    continue
                item = None
            seen.append(photo)
        if item is not None and (model is None or score):
            said[item] = photo.shot.key
    InspectionPhoto.objects.bulk_update(seen, ["seen_as", "seen_confidence"])
    return {"seen": len(seen), "wrong": wrong, "taught": _teach(project, said)}


def _learned(model: ModelVersion) -> set[str]:
    """Keys, as they count today, of the shots that it learned from as many photos as a first model takes.

    A head is sure of one of the shots that it knows, also where it is shown one that it does not know. If that photo were
    refused, what was said of it would train nobody, and the shot would stay unknown for good.
    """
    keys, resolution = class_keys(model.project), class_resolution(model.project)
    counts: Counter[str] = Counter()
    for class_id in model.classes:
        if (today := resolution.get(class_id)) is not None:
            counts[keys[today]] += model.snapshot.counts.get(keys[class_id], 0)
    return {key for key, photos in counts.items() if photos >= FIRST_A_CLASS}


@transaction.atomic
def _refuse(project: Project, photo: InspectionPhoto, item: int) -> None:
    """What was said of it before there was a champion is taken back: people say what it is."""
    # First the photo, then its inspection, as whoever answers locks them: the other way round each would wait for the other.
    said = truth_in_force(item)
    if said is not None and said.origin == Origin.IMPORTED:
        truth.take_truths_back(project=project, ids={said.pk})
    refuse_later(
        photo=photo,
        fault=Fault.WRONG_SHOT,
        seen_as=photo.seen_as,
        seen_confidence=photo.seen_confidence,
    )


@transaction.atomic
def _teach(project: Project, said: dict[int, str]) -> int:
    """``said``: item id -> key of the shot. Photos of which anybody else has said anything, or may, are left to them."""
    classes = {row.label_class.key: row.label_class_id for row in active_classes(project)}
    queue.share_ranking(project)
    truth.lock_photos(said)
    free = Item.objects.filter(
        *(~Exists(each.objects.filter(item=OuterRef("pk"))) for each in _WORDS),
        pk__in=said,
        audit_drawn_at__isnull=True,
    )
    words = [
        truth.Word(item, AnswerKind.CLASS, classes[said[item]])
        for item in free.order_by("pk").values_list("pk", flat=True)
        if said[item] in classes
    ]
    made = truth.bring_truths(
        project=project, words=words, guideline=current_guideline(project), supersedes={}
    )
    return len(made)
