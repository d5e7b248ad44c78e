"""What the strategy lab's pages show: the form, what is under way, and results in words."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.catalog.strategies import STRATEGIES
from labeling.jobs.models import Job
from labeling.learning import job_lines
from labeling.learning.lab import services as lab
from labeling.learning.lab.chart import lab_figure

RUNS_SHOWN = 20
#: Ticked when the page is opened: the question that most admins have.
USUAL = ("inward", "random", "uncertain")


def form(project: Project, chosen: dict[str, Any] | None) -> dict[str, Any]:
    """``chosen``: what somebody sent, where it was refused."""
    given = chosen or {
        "strategies": list(dict.fromkeys([*USUAL, project.strategy])),
        "labelers": "strict",
        "seeds": 5,
    }
    return {
        "given": given,
        "strategies": [(name, STRATEGIES[name], name in given["strategies"]) for name in STRATEGIES],
        "labelers": [(name, lab.LABELER_NAMES[name]) for name in lab.LABELERS],
        "most_seeds": lab.MOST_SEEDS,
    }


def state(project: Project) -> dict[str, Any]:
    """What is under way, the newest result, and the earlier ones."""
    found = list(lab.runs(project)[: RUNS_SHOWN + 1])
    newest = found[0] if found else None
    newest_result = lab.finished(project)
    lines = [job_lines.line(each) for each in found[:RUNS_SHOWN]]
    return {
        "ready": lab.lab_readiness(project),
        "least": lab.LEAST,
        "live": [line for line in lines if line.job.is_live],
        "failed": job_lines.line(newest) if newest and not newest.is_live and newest.result is None else None,
        "runs": [
            {
                "line": line,
                "strategies": [STRATEGIES.get(name, name) for name in line.job.args.get("strategies", [])],
            }
            for line in lines
            if not line.job.is_live and (newest_result is None or line.job.pk != newest_result.pk)
        ],
        **(shown(project, newest_result) if newest_result else {"run": None}),
    }


def shown(project: Project, run: Job) -> dict[str, Any]:
    """The result of one finished run."""
    result: dict[str, Any] = run.result or {}
    names = STRATEGIES
    told = lab.advice(result, project.strategy)
    at = {row["name"]: row for row in result["at"]["strategies"]}
    bands = result["seeds"] >= lab.LEAST_SEEDS_FOR_BANDS
    return {
        "run": run,
        "result": result,
        "advice": told,
        "best_name": names.get(told.best, told.best),
        "labelers_name": lab.LABELER_NAMES[result["labelers"]],
        "bands": bands,
        "least_for_bands": lab.LEAST_SEEDS_FOR_BANDS,
        "figure": lab_figure(
            result["curves"], names, result["at"]["decisions"], title=told.headline, bands=bands
        ),
        "at_rows": [
            {"look": index, "label": names.get(curve["name"], curve["name"]), **at[curve["name"]]}
            for index, curve in enumerate(result["curves"])
        ],
        "curve_rows": [
            {"look": index, "label": names.get(curve["name"], curve["name"]), "points": curve["points"]}
            for index, curve in enumerate(result["curves"])
        ],
        "pairs": [
            {
                "left": names.get(pair["left"], pair["left"]),
                "right": names.get(pair["right"], pair["right"]),
                "difference": lab.points(pair["difference"]),
                "half": lab.points(pair["half_interval"]),
                "clear": pair["clear"],
            }
            for pair in result["at"]["pairs"]
            if pair["difference"] > 0 or (pair["difference"] == 0 and pair["left"] < pair["right"])
        ],
    }
