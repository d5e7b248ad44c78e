"""What the page of all model versions shows: whether one can be trained, those that there are, and the curve they make."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.learning import job_lines, selectors, version_charts, wording
from labeling.learning.accuracy import accuracy_of
from labeling.learning.on_disk import is_whole
from labeling.learning.training_set import readiness


def training(project: Project) -> dict[str, Any]:
    live = selectors.jobs(project).live().filter(kind__in=("train", "embed"))
    ended = selectors.jobs(project).filter(kind="train").exclude(pk__in=[job.pk for job in live]).first()
    under_way = job_lines.lines(live)
    return {
        "ready": readiness(project),
        "live": under_way,
        "is_training": any(line.job.kind == "train" for line in under_way),
        "last": job_lines.line(ended) if ended else None,
        "new": selectors.new_ground_truths(project),
    }


def versions(project: Project) -> dict[str, Any]:
    found = list(selectors.versions(project))
    names = class_names_by_key(current_guideline(project))
    champion = selectors.champion(project)
    is_damaged = champion is not None and not is_whole(champion)
    return {
        "versions": [
            {
                "version": version,
                "recalls": [
                    (names.get(key, key), version.metrics["cross_validated"]["classes"][key]["recall"])
                    for key in version.metrics["order"]
                ],
                "never_finds": [names.get(key, key) for key in wording.never_finds(version.metrics)],
            }
            for version in found
        ],
        "champion": champion,
        "accuracy": accuracy_of(champion) if champion else None,
        "is_damaged": is_damaged,
        "back": selectors.roll_back_to(champion) if champion and is_damaged else None,
        "curve": version_charts.learning_curve(found, champion.pk if champion else None, project.slug),
    }
