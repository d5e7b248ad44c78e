"""What is asked of the frontier's jobs: requests that come while one waits are one."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.frontier.models import CertificationRun, FrontierPolicy
from labeling.jobs.models import Job
from labeling.jobs.services import enqueue_once
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth, Origin

#: New random labels after which a certification that was asked for once looks again by itself.
LOOK_AFTER = 10


@transaction.atomic
def request_certification(*, project: Project, by: User | None = None) -> Job:
    """Walk inward on the random labels there are, in the background.

    Raises :class:`Refused` ``no_model`` (409) before a version is promoted.
    """
    if champion(project) is None:
        raise Refused(
            "no_model", _("A certificate is of a model version. Train one and promote it, then certify.")
        )
    return enqueue_once(kind="certify", project_id=project.pk, by=by)


def certify_when_wanted(*, project: Project) -> Job | None:
    """Look again, where somebody has asked for certificates before (or set a policy) and there is a champion."""
    wanted = (
        FrontierPolicy.objects.filter(project=project).exists()
        or CertificationRun.objects.filter(project=project).exists()
    )
    return request_certification(project=project) if wanted and champion(project) is not None else None


def look_again_when_due(*, project: Project) -> Job | None:
    """After every ``LOOK_AFTER`` random labels since the last look: looks are free, but a walk takes its second."""
    newest = CertificationRun.objects.filter(project=project).first()
    if newest is None:
        return certify_when_wanted(project=project)
    # What was settled while the look was at work may not be in it.
    since = (newest.job.started_at if newest.job else None) or newest.created_at
    fresh = GroundTruth.objects.filter(
        Q(item__audit_drawn_at__isnull=False) | Q(item__drawn_for_band__isnull=False),
        project=project,
        created_at__gt=since,
    ).exclude(origin=Origin.ASSISTED)
    return (
        certify_when_wanted(project=project) if len(fresh.values("pk")[:LOOK_AFTER]) >= LOOK_AFTER else None
    )


def request_watching(*, project: Project) -> Job:
    """Hold what people settled against what the machine had decided, in the background; no ordering holds it up."""
    return enqueue_once(kind="watch", project_id=project.pk, lock=f"watch:{project.pk}")


def request_deciding(*, project: Project, by: User | None = None) -> Job:
    """Let the machine decide all of the pool that lies inside the frontier, in the background: in line with the queue's
    orderings, which write the scores that it reads."""
    return enqueue_once(kind="decide", project_id=project.pk, by=by)
