"""Templates of protocols that people of this site made or brought along."""

from __future__ import annotations

from labeling.catalog.models import KeptTemplate


class KeptProtocolTemplate(KeptTemplate):
    """Shots, what is asked of them, and rules of a protocol to come."""
