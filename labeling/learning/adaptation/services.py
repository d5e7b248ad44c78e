"""Ask for a domain backbone: one that is fitted to the project's own photos, without their labels.

Making one decides nothing. Each training judges the candidates by held-out labels and takes one only if it gains
(``compute/contest.py``). Photos that judge models at that time (drawn for the audit, gold, or settled) have no part in it.
Those that had one may be settled or drawn later, and judge with the rest then: their pixels had a part, their labels none.
To leave them out would leave the gate hardly a label, as in a small pool nearly every photo is fitted to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item, Project
from labeling.database.kept_counts import totals
from labeling.jobs.models import Job, JobQuerySet
from labeling.jobs.services import LAST, enqueue
from labeling.learning import selectors, services
from labeling.learning import training_set as labels
from labeling.learning.domain_backbones import made
from labeling.learning.models import DomainBackbone
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import tallies
from labeling.truth.models import Gold, GroundTruth, Origin

JOB_KIND = "adapt"
#: With fewer photos to learn from, what is usual at a place cannot be told.
LEAST = 64
#: Photos that are looked at, drawn at random: statistics settle long before.
MOST = 2_000
#: A gradient needs more photos, and more of them help.
LEAST_SELF_SUPERVISED = 500
MOST_SELF_SUPERVISED = 50_000
#: Fewer labels a class teach a network nothing that a frozen one's head would not learn.
LEAST_TO_FINE_TUNE = 20

METHODS = {
    DomainBackbone.Method.STATISTICS: gettext_lazy("Statistics of the pool: minutes, on any machine"),
    DomainBackbone.Method.SELF_SUPERVISION: gettext_lazy("Self-supervised training: hours, on a GPU"),
}
FLIPS = {
    "": gettext_lazy("None: a mirrored photo would be another photo"),
    "flip": gettext_lazy("Left and right"),
    "flips": gettext_lazy("Left and right, up and down"),
}


FINE_TUNING_NAME = gettext_lazy("Fine-tune on the labels, in a training: many minutes, best on a GPU")

_SETTLED = GroundTruth.objects.current().filter(item_id=OuterRef("pk"))


@dataclass(frozen=True)
class Readiness:
    """Photos of the project, those that may be learned from, those kept out by reason, and what is missing."""

    pool: int
    usable: int
    excluded: dict[str, int]
    reason: str

    @property
    def can_run(self) -> bool:
        return not self.reason


def usable(project: Project) -> QuerySet[Item]:
    """Photos that no figure is computed on so far: neither drawn for the audit, gold or settled, nor nearly such a one."""
    judging = _judging(project).filter(twins_of__isnull=False).values("twins_of")
    return _free(project).exclude(twins_of__in=judging)


def _free(project: Project) -> QuerySet[Item]:
    items = Item.objects.filter(project=project, audit_drawn_at__isnull=True, gold__isnull=True)
    return items.exclude(Exists(_SETTLED))


def _judging(project: Project) -> QuerySet[Item]:
    return Item.objects.filter(
        Exists(_SETTLED) | Q(audit_drawn_at__isnull=False) | Q(gold__isnull=False), project=project
    )


def readiness(project: Project, *, least: int = LEAST) -> Readiness:
    """By counts that are kept. Gold photos and near-duplicates, of which there are few, are looked at one by one."""
    pool, kept = tallies.photos(project), totals(project)
    by_people = GroundTruth.objects.current().exclude(origin=Origin.GOLD).filter(item=OuterRef("item"))
    left = Q(item__audit_drawn_at__isnull=True)
    golds = Gold.objects.filter(project=project).aggregate(
        n=Count("pk"), left=Count("pk", filter=left), settled=Count("pk", filter=left & Q(Exists(by_people)))
    )
    gold = golds["n"]
    audit = sum(each.n for each in kept["photos"] if each.key == ("drawn",)) - (gold - golds["left"])
    settled = sum(each.n for each in kept["truths"] if each.key[2] != Origin.GOLD)
    settled -= sum(each.n for each in kept["drawn"] if each.key == ("settled",)) + golds["settled"]
    judging = _judging(project).filter(twins_of__isnull=False).values("twins_of")
    alike = _free(project).filter(twins_of__isnull=False, twins_of__in=judging).count()
    free = pool - audit - gold - settled - alike
    reason = ""
    if free < least:
        reason = _(
            "Adapting needs %(least)d photos that no figure is computed on, and there are %(n)d. Add photos."
        ) % {"least": least, "n": free}
    excluded = {"audit": audit, "gold": gold, "settled": settled, "alike": alike}
    return Readiness(pool, free, excluded, reason)


def jobs(project: Project) -> JobQuerySet:
    """All adaptations asked for, newest first."""
    return (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND)
        .select_related("requested_by")
        .order_by("-created_at")
    )


@transaction.atomic
def request_adaptation(
    *,
    project: Project,
    by: User | None,
    method: str = DomainBackbone.Method.STATISTICS,
    flips: str = "",
    auto: bool = False,
    on_cpu: bool = False,
    base: str = "",
) -> Job:
    """A job that makes a domain backbone; the one under way, if there is one.

    ``base``: the project's backbone that is adapted; empty: its own.
    ``on_cpu``: self-supervised training may run on a worker without a GPU, which takes hours to days. Without it, the job
    fails there at once and says so: only the worker that takes it up knows what it runs on.

    Raises :class:`Refused`: ``too_few`` (422) photos; ``invalid`` (422) with the field that is wrong.
    """
    fields: dict[str, Any] = {}
    if method not in DomainBackbone.Method.values:
        fields["method"] = _("Choose one of the methods listed.")
    if flips not in FLIPS:
        fields["flips"] = _("Choose one of the mirror images listed.")
    base = base or project.backbone_name
    if base not in project.backbone_names:
        fields["base"] = _("Choose one of the project's backbones.")
    if fields:
        raise Refused.invalid_fields(fields)
    least = LEAST if method == DomainBackbone.Method.STATISTICS else LEAST_SELF_SUPERVISED
    ready = readiness(project, least=least)
    if not ready.can_run:
        raise Refused.invalid(None, ready.reason, code="too_few")
    return enqueue(
        kind=JOB_KIND,
        queue="gpu",
        project_id=project.pk,
        args={
            "method": str(method),
            "flips": flips,
            "base": base,
            "pool": ready.pool,
            "auto": auto,
            "on_cpu": on_cpu,
        },
        requested_by=by,
        dedupe=f"{JOB_KIND}:{project.pk}:{hashlib.sha256(base.encode()).hexdigest()[:16]}",
        # One at a time over all projects, and last: people elsewhere wait for trainings and orders, nobody for this.
        lock=JOB_KIND,
        priority=LAST,
    )


@transaction.atomic
def request_adaptations(*, project: Project, bases: Sequence[str] = (), **asked: Any) -> list[Job]:
    """The same of several of the project's backbones, a job each; of all of them where none is named."""
    return [
        request_adaptation(project=project, base=base, **asked) for base in bases or project.backbone_names
    ]


@transaction.atomic
def request_fine_tuning(*, project: Project, by: User | None, flips: str = "") -> Job:
    """A training that also tunes the backbone's last layers on the labels, judged in the same folds as all others.

    Raises :class:`Refused`: ``too_few`` (422) labels; ``invalid`` (422) mirror images; ``busy`` (409) while another
    training is under way, as that one would not tune.
    """
    if flips not in FLIPS:
        told = _("Choose one of the mirror images listed.")
        raise Refused.invalid("flips", told)
    if not labels.readiness(project).has(2, of=LEAST_TO_FINE_TUNE):
        raise Refused.invalid(
            None,
            _("Fine-tuning needs two classes with %(least)d ground truths each.")
            % {"least": LEAST_TO_FINE_TUNE},
            code="too_few",
        )
    job = enqueue(
        kind="train",
        queue="gpu",
        project_id=project.pk,
        args={
            "seed": 0,
            "auto": False,
            "up_to": selectors.newest_ground_truth_id(project),
            "finetune": True,
            "flips": flips,
        },
        requested_by=by,
        dedupe=f"train:{project.pk}",
        lock=f"train:{project.pk}",
    )
    if not job.args.get("finetune"):
        raise Refused("busy", _("A training is under way. Fine-tune when it is over."))
    return job


def adapt_when_due(*, project: Project) -> list[Job]:
    """Adapt by itself each of the project's backbones (statistics, which any machine can).

    At ``ADAPT_AFTER`` photos, and each time the pool has doubled.
    """
    if settings.ADAPT_AFTER < 1:
        return []
    pool = tallies.photos(project)
    if pool < settings.ADAPT_AFTER:
        return []
    asked = []
    for base in project.backbone_names:
        earlier = jobs(project).filter(args__method=DomainBackbone.Method.STATISTICS.value, args__base=base)
        last = earlier.values_list("args", flat=True).first()
        if last is not None and pool < 2 * int(last["pool"]):
            continue
        with suppress(Refused):
            asked.append(request_adaptation(project=project, by=None, auto=True, base=base))
    return asked


def train_when_adapted(*, project: Project) -> Job | None:
    """Have a new domain backbone judged, in a project that trains by itself and has trained before."""
    newest = made(project).filter(base__in=project.backbone_names).first()
    if project.retrain_every < 1 or newest is None:
        return None
    asked = Job.objects.of_project(project.pk).filter(kind="train")
    if not asked.exists() or asked.filter(created_at__gt=newest.created_at).exists():
        return None
    try:
        return services.request_training(project=project, by=None, auto=True)
    except Refused:
        return None
