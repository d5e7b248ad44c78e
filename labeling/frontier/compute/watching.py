"""Audit for ever: what people said, blind and strictly, of photos that the machine had decided."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from inference.certify import PrecisionMonitor
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier import services
from labeling.frontier.models import AuditWatch, Certificate, EndKind, EndReason
from labeling.frontier.policy import policy_of
from labeling.jobs.progress import Progress
from labeling.learning.sides import ITS_VERSION_LEARNED_A_TWIN
from labeling.truth.first_word import first_word

# In the order of the lot; a photo that people have not settled has no word, and one that they settled by
# another guideline than the certificate's says nothing of it. What a sweep showed beside its
# prediction is not blind, whatever came of it (docs/decisions/0015-a-sweep-is-not-blind.md). Of a near-duplicate of what the
# version learned from it is right by heart, which is no evidence for the others, as in the sample that certifies.
_AUDITED = f"""
SELECT c.model_version_id, c.guideline_id, c.label_class_id, c.precision, word.kind,
       CASE WHEN NOT word.told THEN word.label_class_id END
FROM frontier_automaticdecision a
JOIN frontier_certificate c ON c.id = a.certificate_id
JOIN learning_modelversion m ON m.id = c.model_version_id
JOIN catalog_item i ON i.id = a.item_id
{first_word("a.item_id")} AND word.guideline_id = c.guideline_id
WHERE a.project_id = %s AND a.audit AND a.mode = 'on'
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = a.item_id)
  AND NOT {ITS_VERSION_LEARNED_A_TWIN}
ORDER BY a.id
"""  # noqa: S608


class _Key(NamedTuple):
    """What one watch is over; the fields are the model's."""

    model_version_id: int
    guideline_id: int
    label_class_id: int
    precision: float


def watch_project(progress: Progress) -> dict[str, Any]:
    """Bring every watch up to date, and suspend what the audit refutes. Returns {audited, errors, suspended}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    policy = policy_of(project)
    resolution = class_resolution(project)
    with connection.cursor() as cursor:
        cursor.execute(_AUDITED, [project.pk])
        rows = cursor.fetchall()
    outcomes: dict[_Key, list[bool]] = {}
    waiting: dict[_Key, int] = {}
    for model, guideline, label_class, precision, kind, settled_as in rows:
        key = _Key(model, guideline, label_class, precision)
        outcomes.setdefault(key, [])
        # Easy photos are settled first: one that is open holds back those that were drawn after it.
        if kind is None or waiting.get(key):
            waiting[key] = waiting.get(key, 0) + 1
        elif kind == "class":
            outcomes[key].append(resolution.get(settled_as) == resolution.get(label_class))
        elif policy.undecided_are_errors:
            outcomes[key].append(False)
    suspended = 0
    for key, correct in outcomes.items():
        monitor = PrecisionMonitor(key.precision, policy.delta)
        monitor.update_many(correct)
        low, high = monitor.precision_interval()
        AuditWatch.objects.update_or_create(
            **key._asdict(),
            defaults={
                "project": project,
                "n": monitor.n,
                "errors": monitor.errors,
                "waiting": waiting.get(key, 0),
                "low": low,
                "high": high,
                "state": monitor.as_json(),
            },
        )
        if monitor.alarmed:
            suspended += _suspend(project, key, monitor)
    return {
        "audited": sum(len(correct) for correct in outcomes.values()),
        "errors": sum(correct.count(False) for correct in outcomes.values()),
        "suspended": suspended,
    }


def _suspend(project: Project, key: _Key, monitor: PrecisionMonitor) -> int:
    certificate = (
        Certificate.objects.filter(project=project, **key._asdict())
        .exclude(ends__kind=EndKind.SUSPENDED)
        .first()
    )
    if certificate is None:
        return 0
    services.suspend(
        certificate=certificate,
        by=None,
        reason=EndReason.AUDIT,
        figures={
            "audited": monitor.n,
            "errors": monitor.errors,
            "stated": monitor.stated,
            "p_value": monitor.p_value,
        },
    )
    return 1
