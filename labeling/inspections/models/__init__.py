"""Protocols, inspections, verdicts and links, one idea a file."""

from labeling.inspections.models.inspection import Asset, Fault, Inspection, InspectionPhoto, Origin
from labeling.inspections.models.link import CaptureLink
from labeling.inspections.models.overdue import OverdueInspection
from labeling.inspections.models.protocol import Check, Protocol, ProtocolVersion, Shot
from labeling.inspections.models.template import KeptProtocolTemplate
from labeling.inspections.models.verdict import Outcome, Verdict

__all__ = [
    "Asset",
    "CaptureLink",
    "Check",
    "Fault",
    "Inspection",
    "InspectionPhoto",
    "KeptProtocolTemplate",
    "Origin",
    "Outcome",
    "OverdueInspection",
    "Protocol",
    "ProtocolVersion",
    "Shot",
    "Verdict",
]
