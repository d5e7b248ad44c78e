"""What the machine may decide, on what proof, what it decided, and what became of it, one idea a file.

Everything is appended. Whether a certificate is in force follows from the rows: it has no :class:`CertificateEnd`.
"""

from labeling.frontier.models.certificate import (
    Certificate,
    CertificateEnd,
    CertificationRun,
    EndKind,
    EndReason,
)
from labeling.frontier.models.decision import (
    AssistedLabel,
    AutomaticDecision,
    DecisionExplanation,
    DecisionOverruled,
    DecisionQuerySet,
)
from labeling.frontier.models.plan import ArrivalCheck, BandDraw, CertificationPlan, DrawnPhoto, PlanCohort
from labeling.frontier.models.policy import FrontierPolicy, Mode, PromiseKind
from labeling.frontier.models.watch import AuditWatch, CloserAudit, DecidingPause, WatchedPart

__all__ = [
    "ArrivalCheck",
    "AssistedLabel",
    "AuditWatch",
    "AutomaticDecision",
    "BandDraw",
    "Certificate",
    "CertificateEnd",
    "CertificationPlan",
    "CertificationRun",
    "CloserAudit",
    "DecidingPause",
    "DecisionExplanation",
    "DecisionOverruled",
    "DecisionQuerySet",
    "DrawnPhoto",
    "EndKind",
    "EndReason",
    "FrontierPolicy",
    "Mode",
    "PlanCohort",
    "PromiseKind",
    "WatchedPart",
]
