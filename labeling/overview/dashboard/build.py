"""The dashboard: what a project decided, by whom, at what cost and on what proof, as panels that each say one thing.

A panel is a finding, the rows behind it and, where rows make a picture, a chart. The page, the API and the CSV files
show the same panels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.frontier.models import FrontierPolicy
from labeling.frontier.policy import policy_of
from labeling.frontier.selectors import certified_share
from labeling.learning.accuracy import Accuracy, champion_accuracy
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.overview.dashboard import frontier_panel, model_panels, work_panels
from labeling.overview.dashboard.history import Bucket, History, history
from labeling.overview.dashboard.panel import Panel
from labeling.overview.dashboard.timeline import Frame, frames
from labeling.text.percentage import percentage
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class Headline:
    """What somebody with two minutes reads. Shares are 0 to 1; ``None`` where nothing is known yet.

    ``by_one_answer``: of those by people, what one answer settled that agreed with the machine. ``per_decision``: images
    decided for each answer or ruling; ``all_human``: the same had people decided them all, at the rate at which they settled
    theirs without the machine; ``times``: the one over the other.
    """

    images: int
    by_people: int
    by_machine: int
    by_one_answer: int
    human_decisions: int
    per_decision: float | None
    all_human: float | None
    times: float | None
    hours: float
    hours_per_1000: float | None
    hours_per_1000_all_human: float | None
    certified: float
    precision: float
    promise: str
    mode: str
    model: int | None
    accuracy: Accuracy | None
    agreement: Proportion


@dataclass(frozen=True)
class Dashboard:
    """``total``: what was done from the first day on; ``frames``: how the frontier moved, oldest first."""

    at: datetime
    by: str
    zone: str
    started: bool
    headline: Headline
    total: Bucket
    panels: list[Panel]
    frames: list[Frame] = field(default_factory=list)

    def panel(self, key: str) -> Panel | None:
        return next((panel for panel in self.panels if panel.key == key), None)


def dashboard(project: Project, *, by: str = "", newest: int | None = None) -> Dashboard:
    """Everything, counted now. ``by``: day, week or month; what keeps the plots readable where it is empty.

    ``newest``: rows of a panel over time at most, for a page; a file holds them all.
    """
    past = history(project, by, newest=newest)
    moved = frames(project)
    model = champion(project)
    policy = policy_of(project)
    return Dashboard(
        at=timezone.now(),
        by=past.by,
        zone=past.zone,
        started=bool(past.buckets),
        headline=_headline(project, past, model, policy),
        total=past.total,
        panels=[
            frontier_panel.moved(moved, project),
            work_panels.per_decision(past),
            work_panels.decided(past),
            work_panels.hours(past),
            work_panels.agreement(past, project.band_agreement),
            model_panels.learning(project, model),
            model_panels.confusion(project, model),
            model_panels.reliability(model),
            model_panels.drift(project),
        ],
        frames=moved,
    )


#: Panel key -> how it alone is made: a CSV file needs no more.
_ALONE: dict[str, Callable[[Project, str], Panel]] = {
    "frontier": lambda project, by: frontier_panel.moved(frames(project), project),
    "per-decision": lambda project, by: work_panels.per_decision(history(project, by)),
    "decided": lambda project, by: work_panels.decided(history(project, by)),
    "hours": lambda project, by: work_panels.hours(history(project, by)),
    "agreement": lambda project, by: work_panels.agreement(history(project, by), project.band_agreement),
    "learning": lambda project, by: model_panels.learning(project, champion(project)),
    "confusion": lambda project, by: model_panels.confusion(project, champion(project)),
    "reliability": lambda project, by: model_panels.reliability(champion(project)),
    "drift": lambda project, by: model_panels.drift(project),
}
PANELS = tuple(_ALONE)


def panel(project: Project, key: str, *, by: str = "") -> Panel:
    """One of :data:`PANELS`. Raises :class:`KeyError` for another key."""
    return _ALONE[key](project, by)


def _headline(
    project: Project, past: History, model: ModelVersion | None, policy: FrontierPolicy
) -> Headline:
    total = past.total
    per_decision, all_human = total.per_decision, total.strict_per_decision
    hours = total.seconds / 3600
    return Headline(
        images=total.images,
        by_people=total.by_people,
        by_machine=total.by_machine,
        by_one_answer=total.by_one_answer,
        human_decisions=total.human,
        per_decision=per_decision,
        all_human=all_human,
        times=per_decision / all_human if per_decision and all_human else None,
        hours=hours,
        hours_per_1000=1000 * hours / total.images if total.images > 0 else None,
        hours_per_1000_all_human=(
            1000 * total.strict_seconds / 3600 / total.strict if total.strict > 0 else None
        ),
        certified=certified_share(project) or 0.0,
        precision=policy.precision,
        promise=policy.promise,
        mode=policy.mode,
        model=model.number if model else None,
        accuracy=champion_accuracy(project),
        agreement=Proportion(total.agreed, total.compared),
    )


def says(headline: Headline) -> str:
    """The dashboard in one sentence."""
    if not headline.images:
        return _("Nothing is decided yet.")
    if headline.by_machine + headline.by_one_answer <= 0 or headline.times is None:
        return _("People decided all %(n)s images so far.") % {"n": f"{headline.images:,}"}
    if headline.by_one_answer > 0:
        return _(
            "The machine decided %(share)s of %(n)s images, and one answer that agreed with it settled %(one)s: "
            "each human decision settles %(times).1f times as many as people alone would."
        ) % {
            "share": percentage(headline.by_machine / headline.images),
            "one": percentage(headline.by_one_answer / headline.images),
            "n": f"{headline.images:,}",
            "times": headline.times,
        }
    return _(
        "The machine decided %(share)s of %(n)s images: each human decision settles %(times).1f times as many "
        "as people alone would."
    ) % {
        "share": percentage(headline.by_machine / headline.images),
        "n": f"{headline.images:,}",
        "times": headline.times,
    }
