"""What is in force now, of everything that was ever appended."""

from __future__ import annotations

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.truth.models import Annotation, Dispute, Draw, GroundTruth, Outcome, Pause, Ruling, TruthKind


def newest_truth(item_id: int) -> GroundTruth | None:
    """The end of the photo's chain of ground truths, a withdrawal included."""
    return GroundTruth.objects.filter(item_id=item_id, superseded_by__isnull=True).first()


def truth_in_force(item_id: int) -> GroundTruth | None:
    truth = newest_truth(item_id)
    return None if truth is None or truth.kind == TruthKind.WITHDRAWN else truth


def open_dispute(item_id: int) -> Dispute | None:
    return Dispute.objects.open().filter(item_id=item_id).first()


def current_round(item_id: int) -> int:
    """1, and one more for each time that a reviewer sent the photo back."""
    return 1 + Ruling.objects.filter(dispute__item_id=item_id, outcome=Outcome.SEND_BACK).count()


def standing_answers(item_id: int, round: int) -> list[Annotation]:
    return list(Annotation.objects.for_agreement().filter(item_id=item_id, round=round).order_by("id"))


def pause_of(project: Project, labeler: User) -> Pause | None:
    return Pause.objects.filter(project=project, labeler=labeler, lifted_at__isnull=True).first()


def gold_record(project: Project, labeler: User) -> list[bool]:
    """Right or wrong for the last ``gold_window`` gold answers since the last lifted pause, newest first."""
    answers = Annotation.objects.standing().filter(project=project, labeler=labeler, draw=Draw.GOLD)
    lifted = (
        Pause.objects.filter(project=project, labeler=labeler, lifted_at__isnull=False)
        .order_by("-lifted_at")
        .values_list("lifted_at", flat=True)
        .first()
    )
    if lifted is not None:
        answers = answers.filter(created_at__gt=lifted)
    newest = answers.order_by("-id").values_list("label_class_id", "item__gold__label_class_id")
    return [given is not None and given == known for given, known in newest[: project.gold_window]]
