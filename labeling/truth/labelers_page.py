"""What the page of the labelers shows: agreement, Dawid-Skene, each labeler's figures, and the gold photos."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.truth import selectors
from labeling.truth.gold import gold_page
from labeling.truth.quality.agreement import agreement, estimates
from labeling.truth.quality.dawid_skene import dawid_skene
from labeling.truth.quality.labelers import labeler_figures


def figures(project: Project) -> dict[str, Any]:
    """What changes by itself while people label."""
    return {
        "agreement": agreement(project),
        "figures": labeler_figures(project),
        "estimates": estimates(project),
        "dawid_skene": dawid_skene(project),
    }


def golds(project: Project, *, page: int, find: str | None) -> dict[str, Any]:
    """A page of the gold photos; with ``find`` (empty: any) also photos that could become gold."""
    shown = gold_page(project, page)
    candidates = [] if find is None else selectors.gold_candidates(project, find)
    return {
        "golds": shown.golds,
        "gold_pages": shown,
        "find": find or "",
        "adding": find is not None,
        "candidates": candidates,
    }
