"""One look of all monitors of a project."""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_noop

from labeling.catalog.models import Item, Project
from labeling.jobs.progress import Progress
from labeling.learning.selectors import champion
from labeling.monitors import services
from labeling.monitors.compute.calibration import calibration_reading
from labeling.monitors.compute.drift import drift_readings
from labeling.monitors.readings.audit import audit_reading
from labeling.monitors.readings.labelers import agreement_reading, speed_reading
from labeling.monitors.readings.queue import queue_reading
from labeling.truth.models import Annotation


def look(progress: Progress) -> dict[str, Any]:
    """Returns {readings, alerts, newest_item, newest_answer, model}: the last three are where the next look goes on."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    thresholds = services.thresholds_of(project)
    model = champion(project)
    newest_item = Item.objects.filter(project=project).aggregate(newest=Max("id"))["newest"]
    newest_answer = Annotation.objects.filter(project=project).aggregate(newest=Max("id"))["newest"]
    progress.report(0, 3, gettext_noop("Looking at people and the queue"))
    readings = [
        agreement_reading(project, thresholds),
        speed_reading(project, thresholds),
        queue_reading(project, thresholds),
        audit_reading(project, model),
    ]
    if model is not None:
        progress.report(1, 3, gettext_noop("Comparing new photos with those that the model was made for"))
        readings += drift_readings(project, model, thresholds, asked=bool(progress.args.get("asked")))
        progress.report(2, 3, gettext_noop("Holding the model's confidence against random labels"))
        readings.append(calibration_reading(project, model, thresholds))
    kept, opened = services.record(project=project, readings=readings, job=progress.job)
    return {
        "readings": kept,
        "alerts": opened,
        "newest_item": newest_item or 0,
        "newest_answer": newest_answer or 0,
        "model": model.pk if model else None,
    }
