"""What stands beside a precision and its δ: over how much they speak, with the project's own figures."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.frontier.models import CertificationPlan, CertificationRun, FrontierPolicy
from labeling.text.percentage import percentage
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class Promise:
    """δ is each model version's and guideline's: fresh labels bring their own (``inference.certify.ledger``).

    Attributes:
        plans: how many have looked at labels in the project's life.
        delta_ever: what they may have spent together, at most 1: bounds the chance that any of them ever stated a falsehood.
        held: random labels of the newest look that people held or called unusable, where these do not count as errors.
        precision_of_all: what is stated, taken of all photos: those that people would hold are not among the clear ones.
    """

    precision: float
    delta: float
    plans: int
    delta_ever: float
    held: Proportion | None

    @property
    def precision_of_all(self) -> float | None:
        if self.held is None or self.held.share is None:
            return None
        return self.precision * (1.0 - self.held.share)

    @property
    def of_version(self) -> str:
        return _(
            "wrongly certified with a chance of at most %(delta)s, for each model version and guideline"
        ) % {"delta": per_cent(self.delta)}

    @property
    def further(self) -> list[str]:
        """What else must be known of it, in sentences."""
        told = []
        if self.plans > 1:
            told.append(
                _(
                    "%(n)d plans have looked at random labels in this project's life: that any of them ever stated "
                    "something false has a chance of at most %(ever)s."
                )
                % {"n": self.plans, "ever": per_cent(self.delta_ever)}
            )
        if self.held is not None:
            told.append(self._says_of_holds())
        return told

    def _says_of_holds(self) -> str:
        if self.held is None or self.precision_of_all is None:
            return _(
                "Photos that people would hold do not count: what is stated is of clear photos only, and of all that the "
                "machine decides less is right. The first look says how much less."
            )
        return _(
            "Photos that people would hold do not count. Of %(n)d random labels %(held)d were held or unusable, so "
            "%(stated)s of the clear photos mean about %(all)s of all that the machine decides."
        ) % {
            "n": self.held.whole,
            "held": self.held.part,
            "stated": per_cent(self.precision),
            "all": per_cent(self.precision_of_all),
        }


def promise(project: Project, policy: FrontierPolicy, look: CertificationRun | None) -> Promise:
    """``look``: the newest one of the champion under today's guideline."""
    looked = CertificationPlan.objects.filter(project=project, runs__last_drawn_at__isnull=False)
    spent = [delta for _plan, delta in looked.values_list("pk", "delta").distinct()]
    return Promise(
        precision=policy.precision,
        delta=policy.delta,
        plans=len(spent),
        delta_ever=min(1.0, sum(spent)),
        held=None if policy.undecided_are_errors else _held(look),
    )


def _held(look: CertificationRun | None) -> Proportion:
    if look is None or look.plan.undecided_are_errors:
        return Proportion(0, 0)
    held = look.counts["undecided"]
    return Proportion(held, held + look.counts["used"])


def per_cent(share: float) -> str:
    """95 %, 85.5 %: not rounded to what it is not."""
    return percentage(share, ".3g")
