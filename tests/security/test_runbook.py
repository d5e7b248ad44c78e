"""The runbook of docs/operating.md has a line for each alert, log line, health message and metric, and none for others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils.translation import override
from prometheus_client import REGISTRY

from config.database import ROOT
from labeling.monitors.models import Monitor
from labeling.serving.compute import metrics

_LEVELS = {"warning", "error", "exception", "critical"}
_HEALTH = {"database unreachable", "database read only", "disk full", "disk unusable"}


def section(title: str) -> list[str]:
    """The first cells of its table."""
    text = (ROOT / "docs/operating.md").read_text().split(f"\n### {title}\n", 1)[1]
    rows = re.split(r"\n##", text, maxsplit=1)[0].splitlines()
    return [row.split(" | ")[0].removeprefix("| ") for row in rows if row.startswith("| ")][1:]


def logged() -> Iterator[str]:
    for room in ("labeling", "config", "inference"):
        for file in (ROOT / room).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr in _LEVELS
                    and isinstance(call.func.value, ast.Name)
                    and call.func.value.id in {"logger", "log"}
                ):
                    assert isinstance(call.args[0], ast.Constant), f"{file}:{call.lineno}: say it in one text"
                    yield re.sub(r"%[.\d]*[a-z]", "…", str(call.args[0].value))


def test_every_log_line_has_its_line_in_the_runbook() -> None:
    said = set(logged())
    assert len(said) > 30
    assert sorted(cell.strip("`") for cell in section("Log lines")) == sorted(said)


def test_every_monitor_and_every_message_of_health_has_its_line() -> None:
    with override("en"):
        assert section("Alerts of the monitors") == [str(label) for label in Monitor.labels]
    assert {cell.strip("`") for cell in section("What `/healthz` says")} == _HEALTH
    texts = {
        node.value
        for node in ast.walk(ast.parse((ROOT / "labeling/gateway/vitals.py").read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    returned = {text for text in texts if re.fullmatch(r"(database|disk) [a-z ]+", text)}
    assert returned == _HEALTH


@pytest.mark.django_db
def test_every_metric_has_its_line() -> None:
    assert Client().get("/healthz").status_code in {
        200,
        503,
    }  # the middleware makes its metrics with the first request
    shown = {each.name for each in REGISTRY.collect()}
    assert set(re.findall(r"`(\w+)`", " ".join(section("Metrics")))) == shown


def test_every_metric_of_predictions_has_its_line() -> None:
    kinds = re.findall(r"^# TYPE (\w+) ", metrics.exposition().decode(), re.MULTILINE)
    shown = {name for name in kinds if not name.endswith("_created")}
    assert set(re.findall(r"`(\w+)`", " ".join(section("Metrics of predictions")))) == shown
