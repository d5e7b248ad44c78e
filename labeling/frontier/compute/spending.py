"""What the plans of a project spent of δ on which labels, and what another may spend (``inference.certify.ledger``).

A plan holds the labels drawn after it was written, as long as it is *open*. A plan for another version or guideline begins a
sample of its own and closes all before it: who comes back to one of those makes a new plan, with labels of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """The sample that is open, and what each plan spent that may hold a label of another one.

    Attributes:
        sample: its name; of the new one where no plan has looked at any label of this use.
        beside: what was spent by each plan that holds them too.
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
    """What is spent already on the labels that a plan for this version and guideline would hold: those drawn from now on.

    Another wish for the version that is certified now shares them with the plans that go on. A plan for another version or
    guideline closes those, and nobody has seen its labels.
    """
    open_now = open_plans(project)
    if open_now and (open_now[-1].model_version_id, open_now[-1].guideline_id) == (model.pk, guideline.pk):
        return Account(open_now[-1].sample, [each.delta for each in open_now])
    number = CertificationPlan.objects.filter(project=project).count() + 1
    return Account(f"{number}, drawn after version {model.number}", [])
