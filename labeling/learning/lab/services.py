"""The strategy lab: ask for a replay of labeling on a project's own ground truths, and read what came of it.

What a run measured is the result of its job, so earlier runs stay readable. The replay itself is a worker's
(``compute/lab.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.catalog.services import update_settings
from labeling.catalog.strategies import STRATEGIES
from labeling.database.kept_counts import counts
from labeling.jobs.models import Job, JobQuerySet, JobState
from labeling.jobs.services import LAST, enqueue
from labeling.learning.training_set import readiness
from labeling.people.models import User
from labeling.refusals import Refused

JOB_KIND = "lab"
#: With fewer ground truths there is nothing left to judge on after a few steps.
LEAST = 60
#: Of at least two classes each: so many are needed for a model and for judging it.
LEAST_A_CLASS = 8
#: So many audit photos make a test set; with fewer, a random part of everything is held out.
LEAST_AUDIT = 60
MOST_SEEDS = 20
#: With fewer repetitions an interval over them says more about luck than about the strategy: none is shown.
LEAST_SEEDS_FOR_BANDS = 3
LABELERS = ("clean", "noisy", "strict")

#: What the page calls what is asked for.
FIELD_NAMES = {
    "strategies": gettext_lazy("Strategies to compare"),
    "labelers": gettext_lazy("Simulated labelers"),
    "seeds": gettext_lazy("Repetitions"),
}

LABELER_NAMES = {
    "clean": gettext_lazy("Clean: always as the ground truth says"),
    "noisy": gettext_lazy("One labeler who errs where your people do"),
    "strict": gettext_lazy("Two such labelers, blind, and a reviewer where they differ"),
}


@dataclass(frozen=True)
class LabReadiness:
    """Whether the lab can say anything yet; if not, ``reason`` says what is missing. ``audit``: random photos settled."""

    total: int
    audit: int
    reason: str

    @property
    def can_run(self) -> bool:
        return not self.reason


def lab_readiness(project: Project) -> LabReadiness:
    ready = readiness(project)
    settled = sum(each.n for each in counts(project, "drawn", first="settled"))
    audit = min(settled, ready.total)  # those on hold are settled too, and do not train
    reason = ""
    if ready.total < LEAST:
        reason = _(
            "The lab replays labeling on your own ground truths. It needs %(least)d of them, and there are %(total)d."
        ) % {"least": LEAST, "total": ready.total}
    elif sum(each.count >= LEAST_A_CLASS for each in ready.counts) < 2:
        reason = _("The lab needs two classes with %(least)d ground truths each. There are: %(counts)s.") % {
            "least": LEAST_A_CLASS,
            "counts": ", ".join(f"{each.name} {each.count}" for each in ready.counts),
        }
    return LabReadiness(ready.total, audit, reason)


def runs(project: Project) -> JobQuerySet:
    """All runs, newest first."""
    return (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND)
        .select_related("requested_by")
        .order_by("-created_at")
    )


def finished(project: Project, run_id: UUID | None = None) -> Job | None:
    """A run that has a result: this one, or the newest."""
    done = runs(project).filter(state=JobState.SUCCEEDED)
    return done.filter(pk=run_id).first() if run_id else done.first()


@transaction.atomic
def request_lab(
    *,
    project: Project,
    by: User,
    strategies: Sequence[str],
    labelers: str = "strict",
    seeds: int = 5,
) -> Job:
    """A job that replays labeling. ``seeds``: repetitions, each with other people and another order.

    Raises :class:`Refused`: ``invalid`` (422) with the field that is wrong; ``too_few`` (422) ground truths;
    ``under_way`` (409) with the job that runs or waits.
    """
    chosen = [name for name in STRATEGIES if name in set(strategies)]
    fields: dict[str, Any] = {}
    if unknown := sorted(set(strategies) - set(STRATEGIES)):
        fields["strategies"] = _("There is no strategy called %(name)s. Choose from: %(names)s.") % {
            "name": ", ".join(unknown),
            "names": ", ".join(STRATEGIES),
        }
    elif len(chosen) < 2:
        fields["strategies"] = _("Choose at least two strategies, so that there is something to compare.")
    if labelers not in LABELERS:
        fields["labelers"] = _("Choose one of: %(names)s.") % {"names": ", ".join(LABELERS)}
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not 2 <= seeds <= MOST_SEEDS:
        fields["seeds"] = _("A whole number from 2 to %(most)d.") % {"most": MOST_SEEDS}
    if fields:
        raise Refused.invalid_fields(
            fields, " ".join(f"{FIELD_NAMES[name]}: {text}" for name, text in fields.items())
        )
    ready = lab_readiness(project)
    if not ready.can_run:
        raise Refused.invalid(None, ready.reason, code="too_few")
    # Of two requests at once, the second is to see the first one's job.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    running = runs(project).live().first()
    if running is not None:
        raise Refused(
            "under_way",
            _("A comparison is under way (job %(job)s). Wait until it is over, or cancel it.")
            % {"job": running.pk},
            fields={"job": str(running.pk)},
        )
    return enqueue(
        kind=JOB_KIND,
        queue="cpu",
        project_id=project.pk,
        args={"strategies": chosen, "labelers": labelers, "seeds": seeds},
        requested_by=by,
        dedupe=f"{JOB_KIND}:{project.pk}",
        lock=f"{JOB_KIND}:{project.pk}",
        priority=LAST,
    )


def adopt(*, project: Project, by: User, strategy: str) -> Project:
    """Let the project's queue follow ``strategy`` from now on. Raises what ``update_settings`` raises."""
    return update_settings(project=project, by=by, strategy=strategy)


@dataclass(frozen=True)
class Advice:
    """``headline`` states the finding; ``best`` is a strategy to adopt, or empty where no difference can be told."""

    headline: str
    best: str
    sentences: list[str]


def advice(result: dict[str, Any], current: str) -> Advice:
    """What a run says, in words. ``current``: the project's strategy of today."""
    at = result["at"]
    names = STRATEGIES
    rows = sorted(at["strategies"], key=lambda row: -row["accuracy"])
    first = rows[0]["name"]
    clear = [pair for pair in at["pairs"] if pair["clear"] and pair["difference"] > 0]
    beaten_by_first = [pair for pair in clear if pair["left"] == first]
    told = {"n": at["decisions"]}
    if not clear:
        headline = _("At %(n)d human decisions, no difference between these strategies can be told") % told
        sentences = [_("Keep the one you have, or run more repetitions when there are more ground truths.")]
        return Advice(headline, "", sentences)
    sentences = [
        _("%(left)s is better than %(right)s by %(d)s ± %(e)s at %(n)d decisions.")
        % {
            "left": names.get(pair["left"], pair["left"]),
            "right": names.get(pair["right"], pair["right"]),
            "d": points(pair["difference"]),
            "e": points(pair["half_interval"]),
            "n": at["decisions"],
        }
        for pair in sorted(clear, key=lambda pair: -pair["difference"])
    ]
    if not beaten_by_first:
        pair = max(clear, key=lambda pair: pair["difference"])
        first = pair["left"]
        beaten_by_first = [pair]
    beats_current = any(pair["right"] == current for pair in beaten_by_first)
    worst = max(beaten_by_first, key=lambda pair: pair["difference"])
    against = next((pair for pair in beaten_by_first if pair["right"] == current), worst)
    headline = _("At %(n)d human decisions, “%(left)s” is better than “%(right)s” by %(d)s ± %(e)s") % {
        "n": at["decisions"],
        "left": names.get(first, first),
        "right": names.get(against["right"], against["right"]),
        "d": points(against["difference"]),
        "e": points(against["half_interval"]),
    }
    if not beats_current and first != current:
        sentences.append(
            _("It is not clearly better than the strategy you have (%(name)s).")
            % {"name": names.get(current, current)}
        )
    return Advice(headline, first if beats_current and first != current else "", sentences)


def points(difference: float) -> str:
    """0.0214 as "2.1 points": hundredths of the photos."""
    return _("%(n)s points") % {"n": f"{100 * difference:.1f}"}
