"""What fell, and what to do about it: said in red until it stands again."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import class_names, current_guideline
from labeling.frontier.certificates import fallen
from labeling.queue.pace import opened_again_by_guideline


@dataclass(frozen=True)
class Fall:
    """``page``: where it is mended, for those who may do ``needs``."""

    text: str
    why: str
    page: str
    needs: Action
    button: str


def falls(project: Project) -> list[Fall]:
    """Certificates that are void and have no successor, and a band that the guideline opened again."""
    found = []
    names = class_names(current_guideline(project))
    if ends := fallen(project):
        told = {
            "classes": "”, “".join(names.get(end.certificate.label_class_id, "") for end in ends),
            "why": ends[0].get_reason_display(),
        }
        found.append(
            Fall(
                _("The machine decides no more of “%(classes)s”: the certificate fell") % told,
                _(
                    "%(why)s. People decide all photos again. What to do: certify again on the Frontier page, draw random "
                    "photos there, and have people label them."
                )
                % told,
                "frontier",
                Action.OVERRULE,
                _("Frontier"),
            )
        )
    if (opening := opened_again_by_guideline(project)) is not None:
        told_band = {"n": opening.band + 1, "missing": opening.figures.get("missing", 0)}
        found.append(
            Fall(
                _(
                    "Band %(n)d is open again: the guideline asks something else now, and %(missing)d ground truths are "
                    "missing."
                )
                % told_band,
                _("What to do: label. These photos are asked now; then the queue goes on from where it was."),
                "label",
                Action.LABEL,
                _("Label"),
            )
        )
    return found
