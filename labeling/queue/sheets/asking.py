"""Which of a sheet's projects it can ask, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.queue.models import QuestionSheet


def asked(sheet: QuestionSheet) -> list[Project]:
    """The projects whose questions the sheet asks, in its order."""
    return [each for each in sheet.projects if not why_not(each, sheet.projects)]


def left_out(sheet: QuestionSheet) -> list[tuple[Project, str]]:
    """Projects that changed since they were put on the sheet, and why it cannot ask their questions now."""
    return [(each, reason) for each in sheet.projects if (reason := why_not(each, sheet.projects))]


def why_not(project: Project, projects: Sequence[Project]) -> str:
    """Why a sheet of these projects cannot ask this one's question; empty where it can."""
    if project.checklist_required:
        return _(
            "It asks for a ticked checklist with each answer, which a sheet has no room for. Label it on its own page, or "
            "change that under Settings."
        )
    if project.decoded_with != projects[0].decoded_with:
        return _(
            "It shows photos of more than 8 bits in another way than the first project of the sheet, and a photo can be "
            "shown in one way only."
        )
    return ""
