"""What a version's own rows say of it, against the limits: figures, slices, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labeling.frontier.models import Certificate
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import diagnostics
from labeling.serving.gate.limits import Limits


@dataclass(frozen=True)
class Check:
    """``passed``: ``None`` where nothing was asked. ``seconds``: what measuring took."""

    group: str
    name: str
    passed: bool | None
    says: str
    seconds: float = 0.0


def at_least(group: str, name: str, value: float | None, limit: float | None, of: str = "") -> Check:
    """``value`` is ``None`` where it is not known, which is not enough where a limit is set. ``of``: what it rests on."""
    told = "unknown" if value is None else f"{value:.4g}"
    passed = None if limit is None else value is not None and value >= limit
    asked = "" if limit is None else f", at least {limit:g} asked for"
    return Check(group, name, passed, f"{told}{asked}{of and f' ({of})'}")


def at_most(
    group: str, name: str, value: float | None, limit: float | None, says: str, seconds: float
) -> Check:
    passed = None if limit is None else value is not None and value <= limit
    asked = "" if limit is None else f", at most {limit:g} asked for"
    return Check(group, name, passed, f"{says}{asked}", seconds)


def checks_of(version: ModelVersion, limits: Limits) -> Iterator[Check]:
    cross, audit = version.metrics["cross_validated"], version.metrics.get("audit") or {}
    yield at_least("metrics", "accuracy", _value(cross.get("accuracy")), limits.accuracy, _n(cross))
    yield at_least(
        "metrics", "audit_accuracy", _value(audit.get("accuracy")), limits.audit_accuracy, _n(audit)
    )
    for figure, limit in (("recall", limits.recall), ("precision", limits.precision)):
        for key in version.metrics["order"]:
            told = cross["classes"][key]
            yield at_least(
                "metrics", f"{figure} of {key}", _value(told[figure]), limit, f"{told['support']} of it"
            )
    yield from _slices(version, limits)
    found = Certificate.objects.in_force().filter(model_version=version)
    classes = ", ".join(sorted(found.values_list("label_class__key", flat=True)))
    yield at_least("certificate", "certified", float(found.count()), limits.certified, classes)


def _slices(version: ModelVersion, limits: Limits) -> Iterator[Check]:
    made = diagnostics(version)
    slices = made.findings["slices"] if made is not None else []
    if not slices:
        yield at_least("slices", "slice_accuracy", None, limits.slice_accuracy, "no slice is large enough")
    for each in slices:
        name = f"accuracy of {each['dimension']} {each['slice']}"
        yield at_least("slices", name, _value(each["accuracy"]), limits.slice_accuracy, _n(each))


def _value(figure: dict[str, Any] | None) -> float | None:
    return None if figure is None else float(figure["value"])


def _n(figures: dict[str, Any]) -> str:
    return f"n = {figures.get('n', 0)}"
