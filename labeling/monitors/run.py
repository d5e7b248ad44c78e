"""One look of all monitors of a project."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from labeling.catalog.models import Item, Project
from labeling.jobs.progress import Progress
from labeling.learning.selectors import champion
from labeling.monitors import services
from labeling.monitors.reading import Look, Reading
from labeling.monitors.registry import SPECS
from labeling.truth.models import Annotation


def look(progress: Progress) -> dict[str, Any]:
    """Returns {readings, alerts, newest_item, newest_answer, model}: the last three are where the next look goes on."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    model = champion(project)
    seen = Look(project, model, services.thresholds_of(project), asked=bool(progress.args.get("asked")))
    newest_item = Item.objects.filter(project=project).aggregate(newest=Max("id"))["newest"]
    newest_answer = Annotation.objects.filter(project=project).aggregate(newest=Max("id"))["newest"]
    readers = list(dict.fromkeys(spec.reader for spec in SPECS))
    readings: list[Reading] = []
    for done, reader in enumerate(readers):
        progress.report(done, len(readers), reader.says)
        readings += reader.read(seen)
    kept, opened = services.record(project=project, readings=readings, job=progress.job)
    return {
        "readings": kept,
        "alerts": opened,
        "newest_item": newest_item or 0,
        "newest_answer": newest_answer or 0,
        "model": model.pk if model else None,
    }
