"""Audit for ever: what people said, blind and strictly, of photos that the machine had decided.

Each audit is held against what *its* certificate stated, by the rule for holds that its plan had. So another wish changes
what is stated of later decisions, and forgets no error of earlier ones. An audit that is open counts as right: the wealth
of the watch is then never more than with its answer, whatever that will be (``inference.certify.monitor``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from inference.certify import PrecisionMonitor
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier import services
from labeling.frontier.models import AuditWatch, Certificate, EndKind, EndReason
from labeling.frontier.policy import policy_of
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion
from labeling.learning.sides import ITS_VERSION_LEARNED_A_TWIN
from labeling.truth.current import SETTLED
from labeling.truth.first_word import first_word

# In the order of the lot. A word is what people first settled, by the certificate's guideline; what a sweep showed beside
# its prediction is not blind, whatever came of it (docs/decisions/0015-a-sweep-is-not-blind.md), and a word that was told
# counts as wrong, so that nobody hides an error by asking for a review. Where people have not settled the photo (any more)
# the audit is open; where they settled it otherwise it never gets a word. Of a near-duplicate of what the version learned
# from it is right by heart, which is no evidence for the others: it is no game at all.
_AUDITED = f"""
SELECT c.model_version_id, c.guideline_id, c.label_class_id, c.id AS certificate, c.precision, p.undecided_are_errors,
       (SELECT count(*) FROM frontier_closeraudit r WHERE r.project_id = c.project_id AND r.after < a.id) AS risks,
       word.kind, CASE WHEN NOT word.told THEN word.label_class_id END AS settled_as, {SETTLED} AS settled
FROM frontier_automaticdecision a
JOIN catalog_item i ON i.id = a.item_id
JOIN frontier_certificate c ON c.id = a.certificate_id
JOIN learning_modelversion m ON m.id = c.model_version_id
JOIN frontier_certificationrun look ON look.id = c.run_id
JOIN frontier_certificationplan p ON p.id = look.plan_id
{first_word("a.item_id")} AND word.guideline_id = c.guideline_id
     AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto s WHERE s.item_id = a.item_id)
WHERE a.project_id = %s AND a.audit AND a.mode = 'on'
  AND NOT {ITS_VERSION_LEARNED_A_TWIN}
ORDER BY a.id
"""  # noqa: S608


class _Key(NamedTuple):
    """What one watch is over; the fields are the model's. Not the stated precision: a changed wish forgets no error."""

    model_version_id: int
    guideline_id: int
    label_class_id: int


@dataclass
class _Watch:
    """``silent``: audits without a word, which count as right; ``waiting``: those of them that people have not settled."""

    monitor: PrecisionMonitor
    stated: float
    silent: int = 0
    waiting: int = 0
    risk: tuple[int, int] | None = None

    @property
    def audited(self) -> int:
        return self.monitor.n - self.silent


def watch_project(progress: Progress) -> dict[str, Any]:
    """Bring every watch up to date, and suspend what the audit refutes. Returns {audited, errors, suspended}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    watches = _watches(project)
    suspended = 0
    for key, watch in watches.items():
        monitor = watch.monitor
        low, high = monitor.precision_interval(still_open=watch.silent)
        AuditWatch.objects.update_or_create(
            **key._asdict(),
            defaults={
                "project": project,
                "precision": watch.stated,
                "n": watch.audited,
                "errors": monitor.errors,
                "waiting": watch.waiting,
                "low": low,
                "high": high,
                "state": monitor.as_json(),
            },
        )
        if monitor.alarmed:
            suspended += _suspend(project, key, watch)
    services.look_at_open_audits(project=project)
    return {
        "audited": sum(watch.audited for watch in watches.values()),
        "errors": sum(watch.monitor.errors for watch in watches.values()),
        "suspended": suspended,
    }


def _watches(project: Project) -> dict[_Key, _Watch]:
    """Each watch over all of its audits, from the first on. δ is shared by the classes of a version."""
    delta = policy_of(project).delta
    classes = {
        pk: len(names)
        for pk, names in ModelVersion.objects.filter(project=project).values_list("pk", "classes")
    }
    resolution = class_resolution(project)
    with connection.cursor() as cursor:
        cursor.execute(_AUDITED, [project.pk])
        rows = cursor.fetchall()
    watches: dict[_Key, _Watch] = {}
    for (
        model,
        guideline,
        label_class,
        certificate,
        stated,
        holds_are_errors,
        risks,
        kind,
        as_,
        settled,
    ) in rows:
        key = _Key(model, guideline, label_class)
        if key not in watches:
            watches[key] = _Watch(PrecisionMonitor(stated, delta / classes[model]), stated)
        watch = watches[key]
        right: bool | None = True
        if kind is None:
            watch.silent += 1
            watch.waiting += not settled
        elif kind == "class":
            right = resolution.get(as_) == resolution.get(label_class)
        else:
            right = False if holds_are_errors else None
        # A certificate, and anything unusual since: a fall is likelier from here on.
        risk = (certificate, risks)
        watch.monitor.update(right, stated=stated, risk=risk != watch.risk)
        watch.risk, watch.stated = risk, stated
    return watches


def _suspend(project: Project, key: _Key, watch: _Watch) -> int:
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
            "audited": watch.audited,
            "errors": watch.monitor.errors,
            "waiting": watch.waiting,
            "stated": watch.stated,
            "p_value": watch.monitor.p_value,
        },
    )
    return 1
