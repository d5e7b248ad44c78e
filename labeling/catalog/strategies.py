"""Orders of the queue that a project may choose, by their plug-ins' names (``inference.strategies``), as pages call them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

STRATEGIES: dict[str, Any] = {
    "inward": _("Inward: from the extremes to the boundary"),
    "hybrid": _("Typical first, then inward"),
    "random": _("Random"),
    "uncertain": _("Least confidence"),
    "margin": _("Margin sampling"),
    "entropy": _("Entropy sampling"),
    "committee": _("Query by committee"),
    "dropquery": _("Feature dropout (DropQuery)"),
    "coverage": _("Coverage (ProbCover)"),
    "typical": _("Typicality (TypiClust)"),
}

#: Those whose order says when a photo is due, band by band; a test holds them to the plug-ins.
PACED = frozenset({"inward", "hybrid"})
