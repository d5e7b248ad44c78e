"""Why the machine leaves checks that an inspection waits for to people, as far as that may be told of a photo that they are
asked about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.frontier.waiting import why_told
from labeling.inspections.evidence import Known
from labeling.inspections.sentences import Names

#: Where the machine is switched off there is nothing to explain.
_WHY = {
    "shadow": gettext_lazy("the machine decides in the shadow only, so people do."),
    "no_model": gettext_lazy("the machine may decide nothing here, as no model is in service."),
    "no_certificate": gettext_lazy("the machine may decide nothing here, as nothing is certified."),
    "not_scored": gettext_lazy("the machine has not looked at it yet."),
    "not_looked_at": gettext_lazy(
        "the machine may not decide it yet: it came with many others, which are compared first with the photos that the "
        "certificate speaks of."
    ),
    "only_the_pool": gettext_lazy(
        "the machine may not decide it: it came later than the photos that the certificate speaks of, and what was trained "
        "elsewhere is certified of no others."
    ),
    "unlike_the_pool": gettext_lazy(
        "the machine may not decide it: it came with photos that differ from those that the certificate speaks of."
    ),
    "not_told": gettext_lazy(
        "the machine may not decide it: it lies outside of what is certified, or it was drawn for people, or too many of "
        "its audits wait. Which of these is not told, so that answers stay blind."
    ),
}


def why_undecided(waiting: Iterable[Known], projects: Mapping[str, Project], names: Names) -> list[str]:
    """A sentence for each project and reason. ``waiting``: checks that people are asked; others are passed over."""
    items: dict[str, dict[int, str]] = defaultdict(dict)
    for known in waiting:
        if known.item is not None and known.why == "open":
            items[known.project][known.item] = names.shots.get(known.shot, known.shot)
    said = []
    for slug, shots in items.items():
        by_reason: dict[str, list[str]] = defaultdict(list)
        for item, why in why_told(projects[slug], shots).items():
            by_reason[why].append(shots[item])
        said += [
            _("%(project)s (%(shots)s): %(why)s")
            % {"project": names.projects.get(slug, slug), "shots": ", ".join(found), "why": _WHY[why]}
            for why, found in by_reason.items()
            if why in _WHY
        ]
    return said
