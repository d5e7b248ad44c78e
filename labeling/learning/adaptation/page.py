"""What the page on adaptations says: the gate's last result in words, and what each adaptation found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.jobs.models import Job
from labeling.learning import domain_backbones, job_lines
from labeling.learning.adaptation import services
from labeling.learning.gate import GateResult, gate_result
from labeling.learning.models import DomainBackbone
from labeling.text.counts import Count

#: Adaptations on the page, and jobs that are looked through, the newest first.
MADE_SHOWN = 20


def state(project: Project) -> dict[str, Any]:
    """What is under way, what the gate said last, and all that was made."""
    jobs = list(services.jobs(project)[:MADE_SHOWN])
    newest = jobs[0] if jobs else None
    lines = [job_lines.line(each) for each in jobs]
    made = list(domain_backbones.made(project)[:MADE_SHOWN])
    gate = gate_result(project, made)
    return {
        "ready": services.readiness(project),
        "live": [line for line in [*lines, *_fine_tuning(project)] if line.job.is_live],
        "failed": job_lines.line(newest)
        if newest and not newest.is_live and newest.state != "succeeded"
        else None,
        "skipped": (newest.result or {}).get("skipped") if newest and newest.state == "succeeded" else None,
        "gate": gate,
        "made": [described(each, gate) for each in made],
    }


def _fine_tuning(project: Project) -> list[job_lines.JobLine]:
    """The training that fine-tunes, if one is under way."""
    trainings = Job.objects.of_project(project.pk).live().filter(kind="train", args__finetune=True)
    return job_lines.lines(trainings.select_related("requested_by"))


@dataclass(frozen=True)
class Described:
    """One adaptation as a line. ``state`` is a short badge: in use, not taken, or not judged."""

    made: DomainBackbone
    state: str
    look: str
    found: str
    kept_out: str


def described(made: DomainBackbone, last: GateResult | None) -> Described:
    state, look = _("Not judged"), ""
    if last is not None and last.version is not None:
        report = last.version.metrics["backbones"]
        if report["chosen"] == made.name:
            state, look = _("Taken by version %(number)d") % {"number": last.version.number}, "good"
        elif made.name in report["judged"]:
            state, look = _("Not taken"), "warn"
        elif made.created_at < last.version.created_at:
            state = _("Replaced")
    return Described(made, state, look, _found(made), _kept_out(made))


def _found(made: DomainBackbone) -> str:
    modes = made.metrics.get("modes") or []
    parts = [ngettext("%(n)s photo", "%(n)s photos", made.photos) % {"n": Count(made.photos)}]
    if len(modes) > 1:
        parts.append(
            _("%(n)s appearances (%(sizes)s photos)")
            % {"n": Count(len(modes)), "sizes": " + ".join(str(Count(n)) for n in modes)}
        )
    elif modes:
        parts.append(_("one appearance"))
    if "seconds" in made.metrics:
        parts.append(_("%(n)s seconds") % {"n": Count(round(made.metrics["seconds"]))})
    return " · ".join(parts)


def _kept_out(made: DomainBackbone) -> str:
    said = {
        "audit": _("%(n)s drawn for the audit"),
        "gold": _("%(n)s gold"),
        "settled": _("%(n)s settled"),
        "alike": _("%(n)s nearly the same as one of those"),
    }
    parts = [text % {"n": Count(made.excluded[key])} for key, text in said.items() if made.excluded.get(key)]
    return _("Kept out: %(what)s.") % {"what": ", ".join(parts)} if parts else ""
