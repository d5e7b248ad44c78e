"""What people could do next, most pressing first, as sentences with the page where it is done and who may do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project, Role
from labeling.catalog.permissions import Action
from labeling.catalog.proposals import unanswered, waiting_proposals_say
from labeling.catalog.selectors import active_definitions, class_resolution
from labeling.database.counted_together import counted_together
from labeling.frontier.auditing import pauses
from labeling.frontier.policy import deciding
from labeling.jobs.models import Job, JobState
from labeling.jobs.selectors import live_jobs, newest_job
from labeling.learning.backbone_names import said
from labeling.learning.features import embedded_otherwise, not_embedded, why_not_embedded
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion, new_ground_truths, versions
from labeling.learning.training_set import readiness
from labeling.learning.wording import never_finds
from labeling.monitors.selectors import unacknowledged
from labeling.text.counts import Count
from labeling.truth.models import Pause

#: A training is worth suggesting again after this many new ground truths.
WORTH_TRAINING = 20


@dataclass(frozen=True)
class Step:
    """``page``: where it is done, by those who may do ``needs``."""

    text: str
    why: str
    page: str
    button: str
    needs: Action = Action.ADMIN

    @property
    def within(self) -> str:
        """The text as it goes on in a sentence."""
        return self.text[:1].lower() + self.text[1:]


def next_steps(project: Project, at: dict[str, Any], *, certified: bool = False) -> list[Step]:
    """At most a handful. ``at`` is the queue's progress; ``certified``: whether any certificate stands."""
    return list(_steps(project, at, certified=certified))


def _steps(project: Project, at: dict[str, Any], *, certified: bool) -> Iterator[Step]:
    model = champion(project)
    paused, proposed, waits, people, alerts, decides, *embedding = counted_together(
        Pause.objects.filter(project=project, lifted_at__isnull=True),
        unanswered([project]),
        pauses(project),
        project.memberships.filter(role__in=[Role.LABELER, Role.REVIEWER]),
        unacknowledged([project]),
        deciding(project),
        *([embedded_otherwise(model), not_embedded(model)] if model is not None else []),
    )
    if paused:
        yield Step(
            ngettext("%(n)d labeler is paused", "%(n)d labelers are paused", paused) % {"n": paused},
            _("Their gold answers fell under the bar. Talk to them, then let them go on."),
            "labelers",
            _("Look"),
        )
    if proposed:
        yield Step(
            waiting_proposals_say(proposed),
            _("A certificate rests on what the guideline means, so an admin agrees to it or says why not."),
            "guideline",
            _("Look"),
        )
    if waits:
        yield Step(
            ngettext(
                "The machine waits for the audit of %(n)d class",
                "The machine waits for the audit of %(n)d classes",
                waits,
            )
            % {"n": waits},
            _(
                "It decides no more of it until people have answered. Whoever labels is asked these photos first."
            ),
            "frontier",
            _("Look"),
        )
    if at["pool"] == 0:
        yield Step(_("Add photos"), _("The pool is empty."), "intake", _("Intake"))
    wanted = max(project.more_of_drawn or 0, project.at_boundary or project.answers_per_image)
    if people < wanted:
        yield Step(
            _("Add members"),
            _("Each photo gets %(n)d blind answers, so as many people are needed.") % {"n": wanted},
            "members",
            _("Members"),
        )
    if at["open_disputes"]:
        n = at["open_disputes"]
        yield Step(
            ngettext("%(n)d dispute waits for a ruling", "%(n)d disputes wait for a ruling", n) % {"n": n},
            _("A ruling makes a ground truth, and often better criteria."),
            "review",
            _("Review"),
            Action.REVIEW,
        )
    otherwise, failed = embedding or (0, 0)
    if model is not None and failed:
        yield _failed_step(model)
    elif step := _training_step(project, model, is_outdated=otherwise > 0):
        yield step
    if certified and not decides:
        yield Step(
            _("Let the machine decide what is certified"),
            _("Until that is switched on, people decide all photos."),
            "frontier",
            _("Frontier"),
        )
    if alerts:
        yield Step(
            ngettext("%(n)d alert is not acknowledged", "%(n)d alerts are not acknowledged", alerts)
            % {"n": alerts},
            _("Say what is done about it. It closes by itself once a look finds it fine."),
            "monitors",
            _("Monitors"),
        )
    newest = newest_job(project.pk)
    if newest is not None and newest.state == JobState.FAILED:
        yield Step(_("A job failed"), newest.said, "jobs", _("Jobs"))
    waiting = sum(row["waiting"] for row in at["ladders"])
    if waiting:
        yield Step(
            ngettext("%(n)s photo waits for answers", "%(n)s photos wait for answers", waiting)
            % {"n": f"{waiting:,}"},
            _("Each is asked blind. Where people agree, it is settled."),
            "label",
            _("Label"),
            Action.LABEL,
        )


def _failed_step(model: ModelVersion) -> Step:
    """Another training is no way out by itself: it may well stand on the same backbone, once that is there again."""
    backbone, why = why_not_embedded(model)
    return Step(
        _("Version %(n)d scores no photos that come in: its backbone fails") % {"n": model.number},
        _(
            "Photos cannot be embedded with %(backbone)s: %(why)s. Restore its weights, or promote a version that does not "
            "stand on it; train one if there is none. People are asked about all of these photos until then."
        )
        % {"backbone": said(backbone), "why": why.rstrip(".")},
        "backbones",
        _("Backbones"),
    )


def _training_step(project: Project, model: ModelVersion | None, *, is_outdated: bool) -> Step | None:
    if any(job.kind == "train" for job in live_jobs(project.pk)):
        return None
    ready = readiness(project)
    newest = versions(project).first()
    current = set(class_resolution(project).values())
    promoted = newest is not None and getattr(newest, "promoted_at") is not None  # noqa: B009 - annotated
    usable = newest is not None and not promoted and set(newest.classes) <= current
    fresh = new_ground_truths(project)
    if newest is not None and usable and (model is None or newest.number > model.number):
        if blind := never_finds(newest.metrics):
            return _blind_step(project, newest.number, blind, fresh=fresh)
        return Step(
            _("Compare version %(n)d, and promote it if it is better") % {"n": newest.number},
            _("Only a promoted version orders the queue."),
            "models",
            _("Models"),
        )
    if model is not None and (blind := never_finds(model.metrics)):
        return _blind_step(project, model.number, blind, fresh=fresh)
    if model is None and ready.can_train:
        return Step(
            _("Train a first model"),
            ngettext("%(n)s ground truth is there.", "%(n)s ground truths are there.", ready.total)
            % {"n": Count(ready.total)},
            "models",
            _("Models"),
        )
    if model is not None and ready.can_train and is_outdated:
        return Step(
            _("Train again: photos are embedded otherwise now"),
            _("Version %(n)d scores no photos that come in. People are asked about all of them until then.")
            % {"n": model.number},
            "models",
            _("Models"),
        )
    if model is not None and fresh >= WORTH_TRAINING and ready.can_train:
        return Step(
            _("Train again"),
            _("%(n)s ground truths came since the last training.") % {"n": Count(fresh)},
            "models",
            _("Models"),
        )
    return None


def _blind_step(project: Project, number: int, keys: list[str], *, fresh: int) -> Step:
    """A model that never finds a class: promoting it helps nobody, more labels of that class do."""
    definitions = active_definitions(project)
    names = [each.name for each in definitions if each.label_class.key in keys] or keys
    told = {"n": number, "classes": "”, “".join(names), "fresh": Count(fresh)}
    if fresh >= WORTH_TRAINING:
        return Step(
            _("Train again: version %(n)d never finds “%(classes)s”") % told,
            _("%(fresh)s ground truths came since the last training.") % told,
            "models",
            _("Models"),
        )
    return Step(
        _("Version %(n)d never finds “%(classes)s”: label more photos of it") % told,
        _("Its accuracy only says how rare that class is. A dozen more examples usually change that."),
        "label",
        _("Label"),
        Action.LABEL,
    )


def failed_jobs(projects: Sequence[Project]) -> dict[int, Job]:
    """Project id -> its newest job, if that failed: older failures are history. One query."""
    newest = Job.objects.filter(project_id=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    of_each = Project.objects.filter(pk__in=[each.pk for each in projects]).values(newest=Subquery(newest))
    failed = Job.objects.filter(pk__in=of_each, state=JobState.FAILED)
    return {job.project_id: job for job in failed if job.project_id}
