"""What the plans of a project spent of δ on which labels, and what another may spend (``inference.certify.ledger``).

A plan holds the labels drawn after it was written, as long as it is *open*. A plan for another version or guideline begins a
sample of its own and closes all before it: who comes back to one of those makes a new plan, with labels of its own. As δ is
said for each version and guideline, the new plan pays all the same for what the earlier ones have looked at. One that never
looked at a label has cost nothing: it is closed by the next.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max
from django.utils.translation import gettext as _

from inference.certify import Overspent, next_share
from labeling.catalog.models import Guideline, Project
from labeling.frontier.models import CertificationPlan
from labeling.jobs.progress import JobError
from labeling.learning.models import ModelVersion


def open_plans(project: Project) -> list[CertificationPlan]:
    """Those that go on as labels come: all of the newest one's sample."""
    of_project = CertificationPlan.objects.filter(project=project)
    newest = of_project.order_by("-pk").values("sample")[:1]
    return list(of_project.filter(sample=newest, cohort__isnull=False).order_by("pk"))


@dataclass(frozen=True, slots=True)
class Account:
    """The sample that another plan joins or begins, and what it shares δ with.

    Attributes:
        sample: its name; of a new one where the plans that are open do not go on.
        beside: what was spent by each plan for the same version and guideline.
    """

    sample: str
    beside: list[float]

    def share(self, delta: float) -> float:
        """What another plan may spend. Raises :class:`JobError` where earlier ones, when δ was greater, left nothing."""
        try:
            return next_share(delta, self.beside)
        except Overspent:
            raise JobError(
                _(
                    "More δ than you now allow was spent on these random labels by earlier wishes. Raise δ again, or "
                    "train and promote another version: labels drawn after that bring their own."
                )
            ) from None


def account(project: Project, model: ModelVersion, guideline: Guideline) -> Account:
    """What plans for this version and guideline have spent, which another one shares: its labels are drawn from now on."""
    plans = list(
        CertificationPlan.objects.filter(project=project)
        .annotate(seen=Max("runs__last_drawn_at"))
        .order_by("pk")
    )
    of_use = [
        each for each in plans if (each.model_version_id, each.guideline_id) == (model.pk, guideline.pk)
    ]
    open_now = {each.pk for each in open_plans(project)}
    # They go on beside the new one where any of them has looked at a label, and share those to come.
    go_on = any(each.pk in open_now and each.seen is not None for each in of_use)
    beside = [each.delta for each in of_use if each.seen is not None or (go_on and each.pk in open_now)]
    sample = plans[-1].sample if go_on else f"{len(plans) + 1}, drawn after version {model.number}"
    return Account(sample, beside)
