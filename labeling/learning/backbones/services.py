"""Add a backbone to a project, drop one, and have a worker measure what one would cost."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog import backbones
from labeling.catalog.models import Item, Project
from labeling.catalog.services import update_settings
from labeling.jobs.models import Job
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.refusals import Refused

JOB_KIND = "measure"
#: An admin looks at the page and waits.
SOON = 5


@transaction.atomic
def add_backbone(*, project: Project, by: User, name: str) -> Project:
    """Let a further backbone look at the photos: a job embeds all of them, and trainings compare it from then on.

    Raises :class:`Refused` ``invalid`` (422): not at hand, there already, or one too many.
    """
    current = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    return update_settings(project=current, by=by, further_backbones=[*current.further_backbones, name])


@transaction.atomic
def drop_backbone(*, project: Project, by: User, name: str) -> Project:
    """Take a further backbone away. What was embedded stays; versions that stand on it go on, and so does its embedding.

    Raises :class:`Refused` ``invalid`` (422) for one that the project does not have.
    """
    current = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if name not in current.further_backbones:
        raise Refused.invalid(
            "backbone", _("%(name)s is none of the project's further backbones.") % {"name": name}
        )
    left = [each for each in current.further_backbones if each != name]
    return update_settings(project=current, by=by, further_backbones=left)


@transaction.atomic
def request_measurement(*, project: Project, by: User | None, name: str) -> Job:
    """A job that embeds a few of the project's photos with a backbone and keeps how long it took; the one under way, if any.

    Raises :class:`Refused` ``invalid`` (422): not at hand, or a project without photos.
    """
    if not backbones.is_choice(name):
        raise Refused.invalid(
            "backbone", _("Choose one of: %(names)s.") % {"names": ", ".join(backbones.choices())}
        )
    if not Item.objects.filter(project=project).exists():
        raise Refused.invalid(
            None, _("Add photos first: the pace is measured on some of them."), code="no_photos"
        )
    registered = project.as_registered(name)
    return enqueue(
        kind=JOB_KIND,
        queue="gpu",
        project_id=project.pk,
        args={"backbone": registered},
        requested_by=by,
        dedupe=f"{JOB_KIND}:{project.pk}:{registered}"[:120],
        priority=SOON,
    )
