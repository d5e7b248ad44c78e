"""What fell, and what to do about it: said in red until it stands again."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import class_names, current_guideline
from labeling.frontier.at_a_glance import Glance
from labeling.frontier.saying import why
from labeling.queue.pace import opened_again_by_guideline
from labeling.text.counts import Count
from labeling.text.plain import isolated


@dataclass(frozen=True)
class Fall:
    """``page``: where it is mended, for those who may do ``needs``; ``within``: what to do, as it goes on in a sentence."""

    text: str
    why: str
    page: str
    needs: Action
    button: str
    within: str


def falls(project: Project, seen: Glance) -> list[Fall]:
    """Certificates that were suspended, or are void and have no successor, and a band that the guideline opened again."""
    names = class_names(current_guideline(project))
    found = [
        Fall(
            _("The machine decides no more of “%(class)s”: its certificate is suspended")
            % {"class": names.get(end.certificate.label_class_id, "")},
            _(
                "%(why)s. What it had decided went back to people. What to do: see what it got wrong on the Frontier page; "
                "another version, trained with these answers, can be certified anew."
            )
            % {"why": isolated(why(end).rstrip("."))},
            "frontier",
            Action.OVERRULE,
            _("Frontier"),
            _("see why a certificate is suspended"),
        )
        for end in seen.suspended
    ]
    if ends := seen.fallen:
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
                _("certify again"),
            )
        )
    if (opening := opened_again_by_guideline(project)) is not None:
        told_band = {"n": opening.band + 1, "missing": Count(opening.figures.get("missing", 0))}
        found.append(
            Fall(
                ngettext(
                    "Band %(n)d is open again: the guideline asks something else now, and %(missing)s ground truth is "
                    "missing.",
                    "Band %(n)d is open again: the guideline asks something else now, and %(missing)s ground truths are "
                    "missing.",
                    told_band["missing"],
                )
                % told_band,
                _("What to do: label. These photos are asked now; then the queue goes on from where it was."),
                "label",
                Action.LABEL,
                _("Label"),
                _("label what is missing"),
            )
        )
    return found
