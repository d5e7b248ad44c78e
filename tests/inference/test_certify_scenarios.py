"""The benchmark of certificates finds its scenarios, and counts what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.certify.__main__ import main
from benchmarks.certify.outcomes import Outcomes, interval
from benchmarks.certify.scenarios import all_scenarios


@pytest.mark.parametrize("name", all_scenarios())
def test_each_scenario_tells_of_every_project(name: str) -> None:
    scenario = all_scenarios()[name]
    arms = scenario.simulate(np.random.default_rng(1), 3)
    assert scenario.name == name
    assert {"before", "after"} <= arms.keys()
    assert all(outcomes.violated.shape == (3,) for outcomes in arms.values())


def test_a_row_says_how_often_and_how_sure() -> None:
    outcomes = Outcomes(np.array([True, False, False, False]), np.array([0.5, np.nan, 0.1, 0.3]))
    assert outcomes.row() == {"violated": 0.25, "interval": [0.00631, 0.80588], "coverage": 0.3}
    assert interval(0, 0) == (0.0, 1.0)


def test_one_scenario_alone_prints_its_row_last(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--only", "fresh_versions", "--runs", "60"])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    row = told["scenarios"]["fresh_versions"]
    assert "rules" not in told
    assert row["runs"] == 60
    assert not row["held_before"]
    assert row["holds"]
