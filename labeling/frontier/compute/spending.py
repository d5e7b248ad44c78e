"""What the plans of a project spent of δ on which labels, and what another may spend (``inference.certify.ledger``).

A plan holds the labels drawn after its version and guideline were fixed, up to the last one that it looked at, or all to
come as long as it is *open*. A plan whose labels nobody has looked at yet begins a sample of its own, and closes all before
it: who comes back to one of those makes a new plan, which shares the labels since then with those that hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from inference.certify import Overspent, next_share
from labeling.catalog.models import Guideline, Project
from labeling.frontier.models import CertificationPlan
from labeling.jobs.progress import JobError
from labeling.learning.models import ModelVersion


def labels_from(model: ModelVersion, guideline: Guideline) -> datetime:
    """Labels that were drawn later may count."""
    return max(model.snapshot.created_at, guideline.created_at)


def open_plans(project: Project) -> list[CertificationPlan]:
    """Those that go on as labels come: all of the newest one's sample."""
    of_project = CertificationPlan.objects.filter(project=project)
    newest = of_project.order_by("-pk").values("sample")[:1]
    return list(of_project.filter(sample=newest).order_by("pk"))


@dataclass(frozen=True, slots=True)
class Account:
    """The sample that is open, and what each plan spent that may hold a label of another one.

    Attributes:
        sample: its name; of the new one where no plan has looked at any label of this use.
        beside: for each stretch of labels, what was spent by each plan that holds them.
    """

    sample: str
    beside: list[list[float]]

    def share(self, delta: float) -> float:
        """What another plan may spend. Raises :class:`JobError` where earlier ones, when δ was greater, left nothing."""
        try:
            return min(next_share(delta, spent) for spent in self.beside)
        except Overspent:
            raise JobError(
                _(
                    "More δ than you now allow was spent on these random labels by earlier wishes. Raise δ again, or "
                    "train and promote another version: labels drawn after that bring their own."
                )
            ) from None


def account(project: Project, model: ModelVersion, guideline: Guideline) -> Account:
    """What is spent already on the labels that a plan for this version and guideline would hold."""
    since = labels_from(model, guideline)
    earlier = list(
        CertificationPlan.objects.filter(project=project)
        .select_related("model_version__snapshot", "guideline")
        .annotate(seen=Max("runs__last_drawn_at"))
        .order_by("pk")
    )
    if not any(each.seen is not None and each.seen > since for each in earlier):
        return Account(f"{len(earlier) + 1}, drawn after version {model.number}", [[]])
    sample = earlier[-1].sample
    held = []
    for each in earlier:
        begins = labels_from(each.model_version, each.guideline)
        ends = None if each.sample == sample else each.seen or begins
        held.append((begins, ends, each.delta))
    moments = [since, *(begins for begins, _ends, _spent in held if begins > since)]
    beside = [
        [spent for begins, ends, spent in held if begins <= moment and (ends is None or moment < ends)]
        for moment in moments
    ]
    return Account(sample, beside)
