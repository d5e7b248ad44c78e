"""Whom a project of the demo has work in it, and how its waiting jobs are done in the demo's own time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from labeling.catalog.models import Project, Role
from labeling.catalog.services import set_role
from labeling.gateway.demo.people import OfCells, Opinion, People
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import JobError, Progress
from labeling.people.models import User
from labeling.people.services import create_account

#: Only the worker that the demo starts for it looks here.
QUEUE = "demo"
#: Who works there beside the demo's own accounts. Nobody can sign in as them.
SIMULATED = {"sim-ada": Role.LABELER, "sim-ben": Role.LABELER, "sim-cleo": Role.REVIEWER}


def let_in(project: Project, *, by: User, members: Mapping[str, str]) -> None:
    """``members``: name of an account -> role; beside them those who are simulated."""
    for username, role in {**members, **SIMULATED}.items():
        user = User.objects.filter(username=username).first() or create_account(username=username, by=by)
        if user != by:
            set_role(project=project, user=user, role=role, by=by)


def crew(
    project: Project,
    dice: random.Random,
    think: Callable[[float], None],
    opinion: Opinion | None = None,
    *,
    simulated: bool = True,
) -> People:
    """Those of the project's people whom nobody can sign in as; or all, where it is not only the ``simulated``."""
    members = project.memberships.select_related("user").order_by("user__username")
    if simulated:
        members = members.filter(user__username__in=SIMULATED)
    return People(
        project=project,
        admin=project.created_by,
        labelers=[each.user for each in members if each.role == Role.LABELER],
        reviewers=[each.user for each in members if each.role == Role.REVIEWER],
        dice=dice,
        think=think,
        opinion=opinion or OfCells(),
    )


def work_off(project: Project, progress: Progress, *, more: tuple[str, ...] = ()) -> None:
    """Do the project's waiting jobs here but ``progress``'s own, and what they cause, oldest first, as a worker would.

    ``more``: kinds of jobs of no project that are done along.
    """
    live = Job.objects.live().exclude(kind=progress.job.kind)
    waiting = (live.filter(project_id=project.pk) | live.filter(kind__in=more)).order_by("created_at")
    while job := waiting.first():
        runner.run(job.pk)
        job.refresh_from_db()
        if job.state == JobState.FAILED:
            raise JobError(f"The {job.kind} failed: {job.error}")
        progress.check()
