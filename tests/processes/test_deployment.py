"""What is said for Docker and systemd fits the Hilltop that it starts: variables, commands, files, queues."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from config.database import ROOT
from labeling.gateway.moving.stores import Bucket, of_hilltop

DEPLOY = ROOT / "config" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "hilltop"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def queues_of(command: list[str]) -> set[str]:
    """Those that a worker serves: all of them where it is told none."""
    return {command[command.index("--queues") + 1]} if "--queues" in command else {"cpu", "gpu"}


def is_known(command: str) -> bool:
    """Whether ``manage.py`` knows what follows it, and the queues are those that there are."""
    name, *told = shlex.split(re.split(r"manage\.py", command)[-1])
    queues = {queue for flag, queue in pairwise(told) if flag == "--queues"}
    return name in get_commands() and queues <= {"cpu", "gpu", "%i"}


def environment_file() -> dict[str, str]:
    lines = (DEPLOY / "hilltop.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: shlex.split(value)[0] for name, _, value in pairs}


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_a_command_that_there_is(name: str) -> None:
    service: dict[str, Any] = OURS[name]
    assert is_known(" ".join(service["command"]))
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert {volume.split(":")[0] for volume in service["volumes"]} <= COMPOSE["volumes"].keys()


@pytest.mark.parametrize("profiles", [{"data", "web", "cpu", "gpu"}, {"one"}], ids=["several", "one"])
def test_machines_of_these_profiles_have_every_part_and_serve_every_queue(profiles: set[str]) -> None:
    page = (ROOT / "docs" / "many-machines.md").read_text()
    assert {f"--profile {profile}" for profile in profiles} <= set(re.findall(r"--profile \w+", page))
    started = {
        name: service for name, service in COMPOSE["services"].items() if profiles & set(service["profiles"])
    }
    assert {"db", "s3", "web"} <= started.keys()
    workers = [service for service in started.values() if "worker" in service.get("command", ())]
    assert {queue for worker in workers for queue in queues_of(worker["command"])} == {"cpu", "gpu"}
    needs_a_gpu = [name for name, service in started.items() if "deploy" in service]
    assert needs_a_gpu == (["gpu"] if "gpu" in profiles else [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    started = re.findall(r"^ExecStart(?:Pre)?=(.*)$", unit.read_text(), re.MULTILINE)
    assert started and all(is_known(command) for command in started)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_that_may_write_nowhere_has_a_temporary_folder(unit: Path) -> None:
    told = unit.read_text()
    assert "ProtectSystem=strict" in told, "then /tmp is read-only too"
    assert "PrivateTmp=yes" in told, "a backup is written there first, and so is an upload"


def test_every_variable_is_one_that_hilltop_reads() -> None:
    told = set(environment_file())
    for service in OURS.values():
        told |= service["environment"].keys()
    for unit in UNITS:
        told |= set(re.findall(r"^Environment=(\w+)=", unit.read_text(), re.MULTILINE))
    documented = (ROOT / "docs" / "configuration.md").read_text()
    assert [name for name in told if not name.startswith("AWS_") and f"`{name}`" not in documented] == []


@pytest.mark.parametrize(
    "told", [environment_file()["HILLTOP_STORAGE"], OURS["web"]["environment"]["HILLTOP_STORAGE"]]
)
def test_the_store_is_one_that_can_be_opened(told: str) -> None:
    assert isinstance(of_hilltop(json.loads(told), ROOT / "var"), Bucket)


def test_the_page_names_what_compose_asks_for() -> None:
    page = (ROOT / "docs" / "many-machines.md").read_text()
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert asked and all(f"{name}=" in page for name in asked)
