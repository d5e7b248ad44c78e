"""Orders of the queue that a project may choose, by their plug-ins' names (``inference.strategies``), as pages call them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

STRATEGIES: dict[str, Any] = {
    "inward": _("Inward: from the extremes to the boundary"),
    "hybrid": _("Typical first, then inward"),
    "random": _("Random"),
    "uncertain": _("Most uncertain first"),
    "margin": _("Smallest margin between two classes first"),
    "entropy": _("Most spread over all classes first"),
    "committee": _("What a committee of models disagrees about"),
    "dropquery": _("What changes when features are dropped"),
    "coverage": _("What covers most of the pool"),
    "typical": _("Most typical first"),
}
