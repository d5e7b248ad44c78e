"""Audit for ever: what people said, blind and strictly, of photos that the machine had decided.

Each audit is held against what *its* certificate stated, by the rule for holds that its plan had. So another wish changes
what is stated of later decisions, and forgets no error of earlier ones. An audit that is open counts as right: the wealth
of the watch is then never more than with its answer, whatever that will be (``inference.certify.monitor``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from inference.certify import PrecisionMonitor
from labeling.catalog.meaning import meanings
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier import services
from labeling.frontier.models import AuditWatch, Certificate, EndKind, EndReason, PromiseKind, WatchedPart
from labeling.frontier.policy import policy_of
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion
from labeling.learning.sides import ITS_VERSION_LEARNED_A_TWIN
from labeling.truth.current import SETTLED_STRICTLY
from labeling.truth.first_word import first_word

# In the order of the lot. A word is what people first settled, by a guideline that means what the certificate's does; what a
# sweep showed beside its prediction is not blind, whatever came of it (docs/decisions/0015-a-sweep-is-not-blind.md), and a
# word that was told counts as wrong, so that nobody hides an error by asking for a review. Where people have not settled the
# photo (any more) the audit is open; where they settled it otherwise it never gets a word. Of a near-duplicate of what the
# version learned from it is right by heart, which is no evidence for the others: it is no game at all.
# Of what was erased a word that was given counts on, and where there is none there is no game either.
_AUDITED = """
SELECT c.model_version_id AS model, c.guideline_id AS guideline, c.label_class_id AS label_class, c.id AS certificate,
       c.precision, c.together, p.promise, p.undecided_are_errors AS holds_are_errors, {risks} AS risks, word.kind,
       CASE WHEN NOT word.told THEN word.label_class_id END AS settled_as, {settled} AS settled, a.created_at
FROM {of} a
JOIN catalog_item i ON i.id = a.item_id
JOIN frontier_certificate c ON c.id = a.certificate_id
JOIN learning_modelversion m ON m.id = c.model_version_id
JOIN frontier_certificationrun look ON look.id = c.run_id
JOIN frontier_certificationplan p ON p.id = look.plan_id
{word} AND EXISTS (
         SELECT 1 FROM unnest(%(versions)s::bigint[], %(meanings)s::bigint[]) AS v (id, means)
         WHERE v.id = word.guideline_id AND v.means = c.guideline_id)
     AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto s WHERE s.item_id = a.item_id)
WHERE a.project_id = %(project)s AND a.audit AND {counts}
  AND NOT {twin} AND NOT (i.project_id IS NULL AND word.id IS NULL)
ORDER BY a.id
"""
_COMMON = {
    "settled": f"({SETTLED_STRICTLY} OR i.project_id IS NULL)",
    "word": first_word("a.item_id"),
    "twin": ITS_VERSION_LEARNED_A_TWIN,
}
_BY_MACHINE = _AUDITED.format(
    of="frontier_automaticdecision",
    risks="(SELECT count(*) FROM frontier_closeraudit r WHERE r.project_id = c.project_id AND r.after < a.id)",
    counts="a.mode = 'on'",
    **_COMMON,
)
_BY_ONE_ANSWER = _AUDITED.format(
    of="frontier_assistedlabel",
    risks="(SELECT count(*) FROM frontier_closeraudit r WHERE r.project_id = c.project_id AND r.created_at < a.created_at)",
    counts="NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.annotation_id)",
    **_COMMON,
)


class _Audit(NamedTuple):
    """One audited decision or label, as the SQL above says it; ``kind`` is None without a word."""

    model: int
    guideline: int
    label_class: int
    certificate: int
    precision: float
    together: float | None
    promise: str
    holds_are_errors: bool
    risks: int
    kind: str | None
    settled_as: int | None
    settled: bool
    created_at: datetime


class _Key(NamedTuple):
    """What one watch is over; the fields are the model's. Not the stated precision: a changed wish forgets no error."""

    model_version_id: int
    guideline_id: int
    label_class_id: int | None
    part: str


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
    """Each watch over all of its audits, from the first on. δ is shared by the watches of a version."""
    delta = policy_of(project).delta
    classes = {
        pk: len(names)
        for pk, names in ModelVersion.objects.filter(project=project).values_list("pk", "classes")
    }
    resolution = class_resolution(project)
    watches: dict[_Key, _Watch] = {}
    for key, stated, audit in _games(_audits(project, _BY_MACHINE), _audits(project, _BY_ONE_ANSWER)):
        if key not in watches:
            share = delta / _sharing(audit.promise, classes[audit.model])
            watches[key] = _Watch(PrecisionMonitor(stated, share), stated)
        watch = watches[key]
        right: bool | None = True
        if audit.kind is None:
            watch.silent += 1
            watch.waiting += not audit.settled
        elif audit.kind == "class":
            right = resolution.get(audit.settled_as or 0) == resolution.get(audit.label_class)
        else:
            right = False if audit.holds_are_errors else None
        # A certificate, and anything unusual since: a fall is likelier from here on.
        risk = (audit.certificate, audit.risks)
        watch.monitor.update(right, stated=stated, risk=risk != watch.risk)
        watch.risk, watch.stated = risk, stated
    return watches


def _audits(project: Project, sql: str) -> list[_Audit]:
    means = meanings(project)
    given: dict[str, Any] = {
        "project": project.pk,
        "versions": list(means.keys()),
        "meanings": list(means.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return [_Audit(*row) for row in cursor.fetchall()]


def _games(machine: list[_Audit], one_answer: list[_Audit]) -> Iterator[tuple[_Key, float, _Audit]]:
    """Each audit with the watches that it counts for, and what it is held against there.

    A delivered set promises nothing of a class by itself, nor of what one answer settles.
    """
    for each in machine:
        of = each.label_class if each.together is None else None
        yield _Key(each.model, each.guideline, of, WatchedPart.MACHINE), each.precision, each
    for each in one_answer:
        if each.together is None:
            yield (
                _Key(each.model, each.guideline, each.label_class, WatchedPart.ASSISTED),
                each.precision,
                each,
            )
    both = [each for each in (*machine, *one_answer) if each.together is not None]
    for each in sorted(both, key=lambda audit: audit.created_at):
        assert each.together is not None
        yield _Key(each.model, each.guideline, None, WatchedPart.TOGETHER), each.together, each


def _sharing(promise: str, classes: int) -> int:
    """How many watches of a version share δ."""
    return {PromiseKind.ALONE: classes, PromiseKind.ASSISTED: 2 * classes, PromiseKind.DELIVERED: 2}[
        PromiseKind(promise)
    ]


def _suspend(project: Project, key: _Key, watch: _Watch) -> int:
    """Suspend what the watch speaks of; return how many classes."""
    named = key._asdict() | {"project": project}
    named.pop("part")
    if key.label_class_id is None:
        named.pop("label_class_id")
    standing = Certificate.objects.filter(**named).exclude(ends__kind=EndKind.SUSPENDED)
    newest = {each.label_class_id: each for each in standing.order_by("pk")}
    for certificate in newest.values():
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
                "part": key.part,
            },
        )
    return len(newest)
