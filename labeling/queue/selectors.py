"""Reads of the queue: what a labeler may know, and how far the project is."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue.models import ARRIVALS, Entry, Ranking, Slot
from labeling.truth.current import pause_of
from labeling.truth.models import Annotation, Dispute, GroundTruth, Origin, Outcome, Ruling


def current_ranking(project: Project) -> Ranking | None:
    return Ranking.objects.filter(project=project, current=True).first()


def queue_state(project: Project, labeler: User) -> dict[str, str]:
    """Why there is (or is not) a photo for this person. Blind: says nothing of scores, bands or others."""
    pause = pause_of(project, labeler)
    if pause is not None:
        return {
            "state": "paused",
            "message": _(
                "Labeling is paused for you: %(correct)d of your last %(asked)d check photos were answered as "
                "known. Read the criteria again and talk to an admin of this project, who can let you go on. "
                "Your answers are kept."
            )
            % {"correct": pause.correct, "asked": pause.asked},
        }
    holds = Slot.objects.filter(
        project=project, holder=labeler, annotation__isnull=True, skipped_at__isnull=True
    )
    if holds.exists():
        return {"state": "open", "message": ""}
    ranking = current_ranking(project)
    if ranking is None or not Entry.objects.filter(ranking=ranking).exists():
        if Job.objects.live().of_project(project.pk).filter(kind__in=["intake", "embed", "rank"]).exists():
            return {
                "state": "preparing",
                "message": _("Photos are being prepared. They appear here by themselves."),
            }
        if not project.items.exists():
            return {
                "state": "preparing",
                "message": _("This project has no photos yet. An admin can add them under Intake."),
            }
    return {
        "state": "empty",
        "message": _(
            "Nothing is waiting for you now. What you answered goes on to other people, to review, and into the "
            "next model; new photos appear here by themselves."
        ),
    }


def notes_for(slots: list[Slot]) -> dict[int, str]:
    """What the reviewer said who sent a photo back, by item id. Costs nothing while no photo was sent back."""
    again = [slot.item_id for slot in slots if slot.round > 1]
    if not again:
        return {}
    rulings = Ruling.objects.filter(dispute__item__in=again, outcome=Outcome.SEND_BACK).order_by("id")
    return dict(rulings.values_list("dispute__item_id", "comment"))


def labeler_progress(project: Project, labeler: User) -> dict[str, int]:
    """What a labeler sees at the top of the screen: cheap, and blind."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    settled, needed = _pace_shown(project)
    return {
        "answered_today": Annotation.objects.standing()
        .filter(project=project, labeler=labeler, created_at__gte=today)
        .count(),
        "settled_in_band": settled,
        "needed_in_band": needed,
    }


def _pace_shown(project: Project) -> tuple[int, int]:
    """(settled, needed) in the current band, at most two seconds old: every claim shows it."""
    key = f"pace:{project.pk}"
    shown: tuple[int, int] | None = cache.get(key)
    if shown is None:
        inward = pace.current_band(project) + 1 < project.bands
        at = (
            pace.standing(project) if inward else None
        )  # at the boundary there is no next band to count towards
        shown = (at.settled, at.needed) if at else (0, 0)
        cache.set(key, shown, timeout=2)
    return shown


def _by_class_now(project: Project, counts: dict[int, int]) -> dict[str, int]:
    """Ground truths a class key, each under the class that it counts as today; retired ones under their own."""
    resolution = class_resolution(project)
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    folded: Counter[str] = Counter()
    for class_id, number in counts.items():
        folded[keys[resolution.get(class_id) or class_id]] += number
    return dict(sorted(folded.items()))


def progress(project: Project) -> dict[str, Any]:
    """How far the project is, for reviewers and admins. Shares are 0 to 1, or ``None`` before any."""
    ranking = current_ranking(project)
    at = pace.standing(project)
    truths = GroundTruth.objects.current().filter(project=project)
    people = truths.exclude(origin=Origin.GOLD)
    counts = people.filter(kind="class").values_list("label_class").annotate(n=Count("id"))
    answers = Annotation.objects.standing().filter(project=project).count()
    rulings = Ruling.objects.filter(dispute__project=project, reviewer__isnull=False).count()
    waiting: list[dict[str, Any]] = []
    if ranking is not None:
        waiting = [
            {
                "ladder": row["ladder__key"],
                "band": None if row["band"] == ARRIVALS else row["band"],
                "waiting": row["waiting"],
                "begun": row["begun"],
            }
            for row in Entry.objects.filter(ranking=ranking)
            .values("ladder__key", "band")
            .annotate(waiting=Count("id"), begun=Count("id", filter=Q(taken__gt=0)))
            .order_by("ladder__key", "band")
        ]
    return {
        "current_band": at.band,
        "bands": project.bands,
        "boundary_after": project.boundary_after,
        "settled_in_band": at.settled,
        "needed_in_band": at.needed,
        "agreement": at.agreement,
        "agreement_needed": project.band_agreement,
        "ground_truths": people.filter(kind="class").count(),
        "classes": _by_class_now(project, dict(counts)),
        "held": people.filter(kind="hold").count(),
        "unusable": people.filter(kind="unusable").count(),
        "gold": truths.filter(origin=Origin.GOLD).count(),
        "answers": answers,
        "rulings": rulings,
        "human_decisions": answers + rulings,
        "open_disputes": Dispute.objects.open().filter(project=project).count(),
        "pool": project.items.count(),
        "audited": project.items.filter(audit_drawn_at__isnull=False).count(),
        "on_loan": Slot.objects.filter(
            project=project,
            annotation__isnull=True,
            skipped_at__isnull=True,
            expires_at__gt=timezone.now(),
        ).count(),
        "strategy": project.strategy,
        "ranking": ranking.number if ranking else None,
        "model": ranking.model_version.number if ranking and ranking.model_version else None,
        "ladders": waiting,
    }
