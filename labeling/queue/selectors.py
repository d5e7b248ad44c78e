"""Reads of the queue: what a labeler may know, and how far the project is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_keys, class_resolution
from labeling.database.kept_counts import totals
from labeling.database.read_once import read_once
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue.claiming import taking
from labeling.queue.entry_counts import waiting_of
from labeling.queue.late_counts import Late, late
from labeling.queue.models import Entry, Ranking, Slot
from labeling.queue.places import ARRIVALS
from labeling.queue.placing import current_ranking
from labeling.truth import tallies
from labeling.truth.alpha import alpha_since
from labeling.truth.current import pause_of
from labeling.truth.models import Draw, Origin, Outcome, Ruling


def paused_state(project: Project, labeler: User) -> dict[str, str] | None:
    """What a person is told while labeling is paused for them; ``None`` where it is not."""
    pause = pause_of(project, labeler)
    if pause is None:
        return None
    return {
        "state": "paused",
        "message": _(
            "Labeling is paused for you: %(correct)d of your last %(asked)d check photos were answered as "
            "known. Read the criteria again and talk to an admin of this project, who can let you go on. "
            "Your answers are kept."
        )
        % {"correct": pause.correct, "asked": pause.asked},
    }


def queue_state(project: Project, labeler: User) -> dict[str, str]:
    """Why there is (or is not) a photo for this person. Blind: says nothing of scores, bands or others."""
    paused = paused_state(project, labeler)
    if paused is not None:
        return paused
    holds = Slot.objects.filter(
        project=project, holder=labeler, annotation__isnull=True, skipped_at__isnull=True
    ).exclude(draw=Draw.SWEEP)
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


def waiting_for(labeler: User, projects: Sequence[Project]) -> set[int]:
    """Ids of the projects whose order holds a photo for this person, in two queries. Blind: it says no number."""
    rankings = Ranking.objects.filter(project__in=projects, current=True).values_list("pk", "project_id")
    return taking.offering(labeler, dict(rankings))


def notes_for(slots: list[Slot]) -> dict[int, str]:
    """What the reviewer said who sent a photo back, by item id. Costs nothing while no photo was sent back."""
    again = [slot.item_id for slot in slots if slot.round > 1]
    if not again:
        return {}
    rulings = Ruling.objects.filter(dispute__item__in=again, outcome=Outcome.SEND_BACK).order_by("id")
    return dict(rulings.values_list("dispute__item_id", "comment"))


def labeler_progress(project: Project, labeler: User) -> dict[str, Any]:
    """What a labeler sees at the top of the screen: cheap, and blind. Own answers are of now, the rest ``as_of`` then."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    shown = _pace_shown(project)
    settled, needed = shown.value
    return {
        "answered_today": _answered_since(project, labeler, today),
        "settled_in_band": settled,
        "needed_in_band": needed,
        "as_of": shown.at,
    }


def _answered_since(project: Project, labeler: User, moment: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM truth_annotation a
            WHERE a.project_id = %s AND a.labeler_id = %s AND a.created_at >= %s
              AND NOT EXISTS (SELECT 1 FROM truth_retraction r WHERE r.annotation_id = a.id)
            """,
            [project.pk, labeler.pk, moment],
        )
        return int(cursor.fetchone()[0])


def _within_reach(project: Project, at: pace.BandProgress) -> int:
    """Photos that the present stage needs, but never more than there are: settled ones and those still waiting."""
    left = max(at.needed - at.settled, 0)
    ranking = current_ranking(project)
    waiting = sum(each.waiting for each in waiting_of(ranking)) if ranking and left else 0
    return min(at.needed, at.settled + waiting)


def _pace_shown(project: Project) -> Late[tuple[int, int]]:
    """(settled, needed) in the current band, as it stood a while ago: every claim shows it."""
    return late("pace", project, lambda: _pace(project))


def _pace(project: Project) -> tuple[int, int]:
    inward = pace.current_band(project) + 1 < project.bands
    at = (
        pace.band_progress(project) if inward else None
    )  # at the boundary there is no next band to count towards
    return (at.settled, _within_reach(project, at)) if at else (0, 0)


def _by_class_now(project: Project, counts: dict[int, int]) -> dict[str, int]:
    """Ground truths a class key, each under the class that it counts as today; retired ones under their own."""
    resolution = class_resolution(project)
    keys = class_keys(project)
    folded: Counter[str] = Counter()
    for class_id, number in counts.items():
        folded[keys[resolution.get(class_id) or class_id]] += number
    return dict(sorted(folded.items()))


def progress(project: Project) -> dict[str, Any]:
    """How far the project is, for reviewers and admins: its position, and what people did and hold."""
    answers, rulings = tallies.human_decisions(project)
    return position(project) | {
        "answers": answers,
        "rulings": rulings,
        "human_decisions": answers + rulings,
        "on_loan": Slot.objects.filter(
            project=project,
            annotation__isnull=True,
            skipped_at__isnull=True,
            expires_at__gt=timezone.now(),
        ).count(),
    }


@read_once
def position(project: Project) -> dict[str, Any]:
    """Where the queue stands, what is settled and what waits. Shares are 0 to 1, or ``None`` before any."""
    ranking = current_ranking(project)
    at = pace.band_progress(project)
    truths = tallies.truths(project)
    people = [each for each in truths if each.origin != Origin.GOLD]
    classes = Counter[int]()
    for each in people:
        if each.class_id is not None:
            classes[each.class_id] += each.n
    by_kind = Counter[str]()
    for each in people:
        by_kind[each.kind] += each.n
    kept = totals(project)
    photos = {each.key[0]: each.n for each in kept["photos"]}
    disputes = {each.key[0]: each.n for each in kept["disputes"]}
    waiting: list[dict[str, Any]] = []
    if ranking is not None:
        keys = class_keys(project)
        found = [
            (keys[each.ladder] if each.ladder is not None else None, each)
            for each in waiting_of(ranking)
            # Beyond the arrivals lies what the machine decided: it waits for nobody.
            if each.band <= ARRIVALS
        ]
        found.sort(key=lambda pair: (pair[0] is None, pair[0], pair[1].band))
        waiting = [
            {
                "ladder": key,
                "band": None if each.band == ARRIVALS else each.band,
                "waiting": each.waiting,
                "begun": each.begun,
            }
            for key, each in found
        ]
    return {
        "current_band": at.band,
        "reached_band": at.reached,
        "bands": project.bands,
        "has_bands": pace.has_bands(project),
        "boundary_after": project.boundary_after,
        "settled_in_band": at.settled,
        "needed_in_band": _within_reach(project, at),
        "agreement": at.agreement,
        "agreement_needed": project.band_agreement,
        "alpha": alpha_since(project, at.since).alpha,
        "alpha_needed": project.band_alpha,
        "ground_truths": by_kind["class"],
        "classes": _by_class_now(project, classes),
        "held": by_kind["hold"],
        "unusable": by_kind["unusable"],
        "assisted": sum(each.n for each in people if each.origin == Origin.ASSISTED),
        "gold": sum(each.n for each in truths if each.origin == Origin.GOLD),
        "open_disputes": disputes.get("waiting", 0),
        "held_disputes": disputes.get("held", 0),
        "pool": sum(photos.values()),
        "audited": photos.get("drawn", 0),
        "strategy": project.strategy,
        "ranking": ranking.number if ranking else None,
        "model": ranking.model_version.number if ranking and ranking.model_version else None,
        "ladders": waiting,
    }
