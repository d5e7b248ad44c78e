"""What the gate of backbones said, in words: which backbones a training compared, and which its version stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.learning import selectors
from labeling.learning.backbone_names import said
from labeling.learning.domain_backbones import FINE_TUNED, FUSED
from labeling.learning.models import DomainBackbone, ModelVersion
from labeling.learning.templatetags.figures import share


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
    """``look``: good where another than the project's own was taken. ``version``: whose training decided; None: none yet."""

    headline: str
    sentences: list[str]
    look: str
    version: ModelVersion | None
    compared: list[Compared]
    ground_truths: int


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
            % {"number": champion.number, "name": said(champion.backbone)}
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
    headlines = {
        FUSED: _("Version %(number)d fuses %(n)d backbones"),
        "": _("Version %(number)d stands on another backbone"),
    }
    headline = headlines.get(chosen["method"], _("Version %(number)d stands on the adapted backbone"))
    return (
        headline % {"number": version.number, "n": len(version.parts)},
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
        _("No other lowered the held-out log-loss. With more ground truths the next training judges again."),
    )


def compared(version: ModelVersion, made: Sequence[DomainBackbone]) -> list[Compared]:
    """The backbones that a version's training judged, the project's own first; empty where there was one only."""
    report = version.metrics.get("backbones")
    return [_row(each, report, made) for each in report["candidates"]] if report else []


def _judging(project: Project) -> ModelVersion | None:
    """The newest version whose training had a candidate to judge."""
    for version in selectors.versions(project)[:20]:
        if version.metrics.get("backbones"):
            return version
    return None


def _row(each: dict[str, Any], report: dict[str, Any], made: Sequence[DomainBackbone]) -> Compared:
    reference = each["name"] == report["reference"]
    label = said(each["name"])
    adaptation = next((one for one in made if one.name == each["name"]), None)
    if adaptation is not None:
        label = _("%(name)s, adapted %(date)s") % {
            "name": adaptation.base,
            "date": f"{adaptation.created_at:%Y-%m-%d %H:%M}",
        }
    if each["method"] == FINE_TUNED:
        label = _("Fine-tuned in this training")
    note = _("the project's own") if reference else ""
    if each["method"] == FUSED:
        note = _("fused: the mean of their calibrated logits")
    failed = "log_loss" not in each
    return Compared(
        label=label,
        accuracy=each.get("accuracy"),
        log_loss="–" if failed else thousandths(each["log_loss"]),
        gain="–"
        if reference or failed
        else f"{thousandths(-each['difference'])} ± {thousandths(each['error'])}",
        chosen=each["name"] == report["chosen"],
        note=each["note"] if failed else note,
    )


def thousandths(value: float) -> str:
    """-0.0312 as "−.031": log-losses differ in the third digit."""
    text = f"{abs(value):.3f}"
    sign = "−" if value < 0 and float(text) > 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)
