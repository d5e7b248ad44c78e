"""The templates of protocols that there are."""

from __future__ import annotations

from pathlib import Path

from labeling.catalog.project_templates.shelf import Shelf
from labeling.inspections.models import KeptProtocolTemplate
from labeling.inspections.protocol_templates.template import KIND, ProtocolTemplate, check

PROTOCOLS = Shelf(KIND, Path(__file__).parent / "ready_made", KeptProtocolTemplate, check, ProtocolTemplate)
