"""Whether what the machine says of a photo is certified: told without deciding anything, for whoever asks it.

A certificate speaks of one version, class and margin, and of photos like the pool that it was proven on. Of a photo that is
not in the project the newest arrivals speak: while they are told apart from the pool, or none were looked at, it is not
certified either (:mod:`labeling.frontier.arrivals`). What people have taken of the pool since the look is for who decides
the rest of it to count: that costs a pass over the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import Project
from labeling.frontier.arrivals import why_unlike
from labeling.frontier.auditing import paused_classes
from labeling.frontier.models import Certificate
from labeling.frontier.standing import promise_of


@dataclass(frozen=True)
class Proof:
    """``reason``: why it is not certified: ``no_certificate``, ``outside``, ``audits_wait``, or what
    :func:`labeling.frontier.arrivals.why_unlike` says. ``promise`` and ``stated``: under which promise, and the precision
    that is stated of it."""

    certified: bool
    reason: str = ""
    promise: str = ""
    stated: float | None = None


NONE = Proof(False, "no_certificate")


class Proofs:
    """What is proven of a version now. ``item_ids``: photos of the project that are going to be asked about."""

    def __init__(self, project: Project, version_id: int, item_ids: Sequence[int]) -> None:
        found = Certificate.objects.in_force().filter(project=project, model_version=version_id)
        # Of the run, its plan and the version no more than is told: they hold the whole sample and all steps of its walks.
        told = (
            "label_class",
            "guideline",
            "threshold",
            "run__plan__promise",
            "run__plan__precision",
            "model_version__manifest",
            "model_version__backbone",
            "model_version__backbone_hash",
        )
        certificates = list(found.select_related("run__plan", "model_version").only(*told))
        meaning = meaning_now(project).pk if certificates else None
        self._certificates = {
            each.label_class_id: each for each in certificates if each.guideline_id == meaning
        }
        self._paused: set[int] = set()
        self._unlike: dict[int | None, str] = {}
        if self._certificates:
            self._paused = paused_classes(project)
            self._unlike = why_unlike(next(iter(self._certificates.values())), project, item_ids)

    def of(self, class_id: int, margin: float, item_id: int | None = None) -> Proof:
        """``margin``: of the predicted class over the second."""
        certificate = self._certificates.get(class_id)
        if certificate is None:
            return NONE
        if margin < certificate.threshold:
            return Proof(False, "outside")
        if class_id in self._paused:
            return Proof(False, "audits_wait")
        if reason := self._unlike[item_id]:
            return Proof(False, reason)
        return Proof(True, "", *promise_of(certificate))
