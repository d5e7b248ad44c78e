"""The gate says what a version reaches, and closes where it reaches less than was asked for."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from labeling.catalog.models import Project
from labeling.learning.models import Score
from labeling.serving.gate.limits import BadLimits, Limits
from tests.factories import make_project
from tests.serving.test_bundles import champion_of


def gate(project: Project, *options: str) -> str:
    out = io.StringIO()
    call_command("gate", project.slug, *options, "--photos", "4", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_limits_that_are_met_pass_and_one_that_is_missed_closes_it(tmp_path: Path) -> None:
    project, version, items = champion_of({})
    limits = tmp_path / "gate.toml"
    limits.write_text("[gate]\naccuracy = 0.5\nrecall = 0.2\nlatency_ms = 60_000\n")
    report = tmp_path / "gate.xml"
    said = gate(project, "--config", str(limits), "--junit", str(report))
    assert "Version 1 passes." in said and "p99" in said
    suite = ElementTree.parse(report).getroot()
    cases = {each.get("name"): each for each in suite}
    assert suite.get("failures") == "0" and cases["audit_accuracy"].find("skipped") is not None
    assert cases["parity"].find("system-out") is not None and int(suite.get("tests", 0)) == len(cases)

    # An option takes the place of what the file says; what is not known is not enough.
    with pytest.raises(CommandError, match=r"does not pass: audit_accuracy, certified\.") as missed:
        gate(
            project,
            "--config",
            str(limits),
            "--audit-accuracy",
            "0.1",
            "--certified",
            "1",
            "--junit",
            str(report),
        )
    assert missed.value.returncode == 1
    failed = [
        each.get("name") for each in ElementTree.parse(report).getroot() if each.find("failure") is not None
    ]
    assert failed == ["audit_accuracy", "certified"]

    # Scores that are not the version's are found, without any limit asked for.
    Score.objects.filter(model_version=version, item=items[-1]).update(probabilities=[0.4, 0.6])
    with pytest.raises(CommandError, match="does not pass: parity"):
        gate(project)


@pytest.mark.django_db
def test_a_wrong_call_is_told_from_a_version_that_does_not_pass(tmp_path: Path) -> None:
    project = make_project()
    limits = tmp_path / "gate.toml"
    limits.write_text("gate = 3")
    for slug, config in (("nobody", None), (project.slug, None), (project.slug, limits)):
        with pytest.raises(CommandError) as wrong:
            call_command("gate", slug, **({"config": config} if config else {}))
        assert wrong.value.returncode == 2


@pytest.mark.parametrize(
    "text",
    ["accuracy = 'high'", "accurcy = 0.9", "accuracy = -1", "photos = 0", "gate = 3", "=", "accuracy = nan"],
)
def test_limits_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(BadLimits):
        Limits.read(text, {})
