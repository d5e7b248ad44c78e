"""What the page on adaptations says: the gate's last result in words, and what each adaptation found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.jobs.models import Job
from labeling.learning import domain_backbones, job_lines, selectors
from labeling.learning.adaptation import services
from labeling.learning.adaptation.services import FINE_TUNING
from labeling.learning.models import DomainBackbone, ModelVersion
from labeling.learning.templatetags.figures import share

#: Adaptations on the page, and jobs that are looked through, the newest first.
MADE_SHOWN = 20


@dataclass(frozen=True)
class Compared:
    """One backbone in the gate, in words. ``gain``: log-loss saved against the project's, with its standard error."""

    label: str
    accuracy: float | None
    log_loss: str
    gain: str
    chosen: bool
    note: str


@dataclass(frozen=True)
class GateResult:
    """``look``: good where the adapted one was taken. ``version``: whose training decided; None while none has."""

    headline: str
    sentences: list[str]
    look: str
    version: ModelVersion | None
    compared: list[Compared]
    ground_truths: int


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


def gate_result(project: Project, made: Sequence[DomainBackbone]) -> GateResult | None:
    """What the newest training said; ``None`` before anything was made."""
    version = _judging(project)
    if version is None:
        return _not_judged() if made else None
    report = version.metrics["backbones"]
    taken = report["chosen"] != report["reference"]
    headline, sentence = _taken(version, report) if taken else _kept(version)
    sentences = [sentence]
    if made and made[0].created_at > version.created_at:
        sentences.append(_("The newest adaptation came later. The next training judges it."))
    champion = selectors.champion(project)
    if champion is not None and champion.backbone != version.backbone:
        sentences.append(
            _("The champion, version %(number)d, stands on %(name)s until another version is promoted.")
            % {"number": champion.number, "name": _name(champion.backbone)}
        )
    return GateResult(
        headline,
        sentences,
        "good" if taken else "",
        version,
        compared(version, made),
        int(version.metrics["cross_validated"]["n"]),
    )


def _not_judged() -> GateResult:
    return GateResult(
        _("Not judged yet"),
        [
            _(
                "The next training compares it with the project's own backbone, on the same ground truths in the same "
                "folds, and takes it only if answers that were held out gain."
            )
        ],
        "",
        None,
        [],
        0,
    )


def _taken(version: ModelVersion, report: Mapping[str, Any]) -> tuple[str, str]:
    chosen = next(each for each in report["candidates"] if each["name"] == report["chosen"])
    return (
        _("Version %(number)d stands on the adapted backbone") % {"number": version.number},
        _(
            "Held-out log-loss is lower by %(gain)s ± %(error)s, and accuracy goes from %(before)s to %(after)s."
        )
        % {
            "gain": thousandths(-chosen["difference"]),
            "error": thousandths(chosen["error"]),
            "before": share(report["candidates"][0]["accuracy"]),
            "after": share(chosen["accuracy"]),
        },
    )


def _kept(version: ModelVersion) -> tuple[str, str]:
    return (
        _("Version %(number)d keeps the project's own backbone") % {"number": version.number},
        _(
            "The adapted one did not lower the held-out log-loss. With more ground truths the next training judges "
            "again."
        ),
    )


def compared(version: ModelVersion, made: Sequence[DomainBackbone]) -> list[Compared]:
    """The backbones that a version's training judged, the project's own first; empty where there was one only."""
    report = version.metrics.get("backbones")
    return [_row(each, report, made) for each in report["candidates"]] if report else []


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
    parts = [ngettext("%(n)d photo", "%(n)d photos", made.photos) % {"n": made.photos}]
    if len(modes) > 1:
        parts.append(
            _("%(n)d appearances (%(sizes)s photos)")
            % {"n": len(modes), "sizes": " + ".join(map(str, modes))}
        )
    elif modes:
        parts.append(_("one appearance"))
    if "seconds" in made.metrics:
        parts.append(_("%(n)d seconds") % {"n": round(made.metrics["seconds"])})
    return " · ".join(parts)


def _kept_out(made: DomainBackbone) -> str:
    said = {
        "audit": _("%(n)d drawn for the audit"),
        "gold": _("%(n)d gold"),
        "settled": _("%(n)d settled"),
        "alike": _("%(n)d nearly the same as one of those"),
    }
    parts = [text % {"n": made.excluded[key]} for key, text in said.items() if made.excluded.get(key)]
    return _("Kept out: %(what)s.") % {"what": ", ".join(parts)} if parts else ""


def _judging(project: Project) -> ModelVersion | None:
    """The newest version whose training had a candidate to judge."""
    for version in selectors.versions(project)[:20]:
        if version.metrics.get("backbones"):
            return version
    return None


def _row(each: dict[str, Any], report: dict[str, Any], made: Sequence[DomainBackbone]) -> Compared:
    reference = each["name"] == report["reference"]
    when = next((one.created_at for one in made if one.name == each["name"]), None)
    label = each["name"] if reference else _name(each["name"])
    if when is not None:
        label = _("Adapted %(date)s") % {"date": f"{when:%Y-%m-%d %H:%M}"}
    if each["method"] == FINE_TUNING:
        label = _("Fine-tuned in this training")
    failed = "log_loss" not in each
    return Compared(
        label=label,
        accuracy=each.get("accuracy"),
        log_loss="–" if failed else thousandths(each["log_loss"]),
        gain="–"
        if reference or failed
        else f"{thousandths(-each['difference'])} ± {thousandths(each['error'])}",
        chosen=each["name"] == report["chosen"],
        note=each["note"] if failed else (_("the project's own") if reference else ""),
    )


def thousandths(value: float) -> str:
    """-0.0312 as "−.031": log-losses differ in the third digit."""
    text = f"{abs(value):.3f}"
    sign = "−" if value < 0 and float(text) > 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def _name(backbone: str) -> str:
    return _("an adapted backbone") if backbone.startswith("domain:") else backbone
