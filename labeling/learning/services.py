"""Ask for embeddings and trainings, and decide which model version is the champion."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning import events, selectors
from labeling.learning.models import LikenessSearch, ModelVersion, Promotion
from labeling.learning.on_disk import is_whole
from labeling.learning.training_set import FIRST_A_CLASS, readiness
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole
from labeling.truth.models import DisputeCause
from labeling.truth.services import request_review

MAX_SEED = 2**31 - 1


@transaction.atomic
def request_embedding(*, project: Project, by: User | None = None, compare_all: bool = False) -> Job:
    """A job that embeds every photo of the project that has no embedding yet, and looks for near-duplicates by them.

    ``compare_all``: photos that had none, and so could not be compared in their turn, may get one now.

    A job that still waits will see the caller's photos too, and is returned instead. A running one may have
    passed them by, so it is not: the row lock keeps a waiting job from starting before the caller commits.
    """
    if compare_all:
        LikenessSearch.objects.filter(project=project).update(up_to=0)
    waiting = (
        Job.objects.of_project(project.pk)
        .filter(kind="embed", state=JobState.QUEUED, cancel_requested_at__isnull=True)
        .select_for_update()
        .first()
    )
    if waiting is not None:
        return waiting
    return enqueue(
        kind="embed",
        queue="gpu",
        project_id=project.pk,
        requested_by=by,
        lock=f"embed:{project.pk}",
    )


@transaction.atomic
def request_training(*, project: Project, by: User | None, seed: int = 0, auto: bool = False) -> Job:
    """A job that trains a model version on what is settled by then; the one under way, if there is one.

    ``auto``: nobody asked, the number of new ground truths did. The job then promotes what it trained if
    the project allows it and the result is not worse.

    Raises :class:`Refused`: ``one_class`` (422) with fewer than two classes of two ground truths; ``same_data`` (409)
    when a version was made of exactly these ground truths with this seed and backbone: it would be the same again;
    ``invalid`` (422) for a seed that is no integer from 0 to 2^31 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise Refused.invalid(
            "seed",
            _("The seed must be a whole number from 0 to %(most)d.") % {"most": MAX_SEED},
            short=_("A whole number from 0 to %(most)d.") % {"most": MAX_SEED},
        )
    ready = readiness(project)
    if not ready.can_train:
        raise Refused.invalid(None, ready.reason, code="one_class")
    same = selectors.trained_on_the_same(project, seed=seed)
    if same is not None:
        raise Refused(
            "same_data",
            _(
                "Version %(number)d was trained on exactly these ground truths, with the same backbone and seed. "
                "Training again would make the same model. Label more photos first."
            )
            % {"number": same.number},
        )
    return enqueue(
        kind="train",
        queue="gpu",
        project_id=project.pk,
        args={"seed": seed, "auto": auto, "up_to": selectors.newest_ground_truth_id(project)},
        requested_by=by,
        dedupe=f"train:{project.pk}",
        lock=f"train:{project.pk}",
    )


def retrain_when_due(*, project: Project) -> Job | None:
    """Train by itself, where the project does that (``retrain_every``).

    The first time when two classes have five ground truths each; from then on after every ``retrain_every`` new ones
    since a training was last asked for.
    """
    if project.retrain_every < 1:
        return None
    if selectors.was_training_asked_for(project):
        due = selectors.new_ground_truths(project) >= project.retrain_every and readiness(project).can_train
    else:
        due = readiness(project).has(2, of=FIRST_A_CLASS)
    if not due:
        return None
    try:
        return request_training(project=project, by=None, auto=True)
    except Refused:
        # A ruling that confirmed what was settled is a new ground truth, and nothing new to learn from.
        return None


@transaction.atomic
def send_to_review(*, model_version: ModelVersion, item_ids: Sequence[int], by: User | None) -> int:
    """Put photos whose ground truth this version doubts before a reviewer; return how many went there just now.

    Safe to repeat: a photo that is in review, or was ruled on since the version was trained, is passed over. The
    ground truth stays in force until the ruling.

    Raises :class:`Refused` ``not_suspicious`` (422) for a photo that this version does not doubt.
    """
    doubted = {each["item"]: each for each in selectors.suspicious(model_version)}
    if strange := [item for item in item_ids if item not in doubted]:
        raise Refused.invalid(
            None,
            _(
                "Version %(number)d does not doubt %(n)d of these photos. Send only those that it lists as doubted."
            )
            % {"number": model_version.number, "n": len(strange)},
            code="not_suspicious",
        )
    states = selectors.review_states(model_version, item_ids)
    names = selectors.class_names(model_version)
    sent = 0
    # Always in the same order, so that two requests at once cannot lock each other.
    for item in Item.objects.filter(pk__in=item_ids, project=model_version.project_id).order_by("pk"):
        if item.pk in states:
            continue
        each = doubted[item.pk]
        request_review(
            project=model_version.project,
            item=item,
            by=by,
            cause=DisputeCause.SUSPICIOUS,
            note=_("Version %(number)d would say %(class)s (%(share)s)")
            % {
                "number": model_version.number,
                "class": names[each["suggested"]],
                "share": f"{each['p_suggested']:.0%}",
            },
        )
        sent += 1
    return sent


@transaction.atomic
def promote(*, model_version: ModelVersion, by: User | None, reason: str = "") -> Promotion:
    """Make this version the champion, and tell the rooms above. Rolling back is promoting an earlier version.

    ``by`` is empty when the project promoted it automatically.

    Raises :class:`Refused`: ``already_champion``, ``outdated_classes`` or ``damaged`` (409); ``invalid`` (422)
    for a reason of over 300 letters.
    """
    reason = kept_whole(reason, field="reason")
    # Two promotions at once would each see the same champion. Rows that point to the project go on meanwhile.
    project = Project.objects.select_for_update(no_key=True).get(pk=model_version.project_id)
    before = selectors.champion(project)
    if before is not None and before.pk == model_version.pk:
        raise Refused(
            "already_champion",
            _("Version %(number)d is the champion already. Nothing was changed.")
            % {"number": model_version.number},
        )
    if not selectors.knows_todays_classes(model_version):
        raise Refused(
            "outdated_classes",
            _(
                "Version %(number)d knows classes that were merged or retired since. Train again, and promote that."
            )
            % {"number": model_version.number},
        )
    if not is_whole(model_version):
        raise Refused(
            "damaged",
            _(
                "The files of version %(number)d are missing or damaged, so it cannot be loaded. Restore the models "
                "folder from a backup, or train again and promote the new version."
            )
            % {"number": model_version.number},
        )
    promotion = Promotion.objects.create(
        project=project, model_version=model_version, by=by, reason=reason.strip()
    )
    log_activity(
        project=project,
        kind="model_promoted",
        actor=by,
        number=model_version.number,
        before=before.number if before else None,
        reason=promotion.reason,
    )
    events.promoted.send(sender=ModelVersion, project=project, model_version=model_version)
    return promotion
