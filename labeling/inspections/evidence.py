"""What is known of inspections, read for many of them at once: of each check its photo, its answer, and who says so.

Known is what people settled (the ground truth in force), or else what the machine decided, while that stands. A photo that
waits for a reviewer is not known, unless it has a ground truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.functional import cached_property

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_keys, class_resolution
from labeling.inspections.bounding import Resting
from labeling.inspections.rules import Answers, Part

# The last photo of a shot that was taken for it, also where it was erased. Laterals with a limit: whatever the planner
# believes, each is a look-up.
_SEEN = """
SELECT n.id, s.key, s.required, p.id, p.image_id, c.project_id, i.id,
       t.id, t.kind, t.label_class_id, t.origin, t.draw, a.id, a.label_class_id,
       k.id, CASE WHEN t.id IS NULL THEN k.precision
                  WHEN plan.promise = 'assisted' THEN plan.precision END, plan.id, plan.delta,
       EXISTS (SELECT 1 FROM truth_dispute d JOIN truth_opendispute o ON o.dispute_id = d.id WHERE d.item_id = i.id)
FROM inspections_inspection n
JOIN inspections_shot s ON s.version_id = n.version_id
LEFT JOIN LATERAL (
    SELECT p.id, p.image_id FROM inspections_inspectionphoto p
    WHERE p.inspection_id = n.id AND p.shot_id = s.id AND p.faults = '{}' ORDER BY p.number DESC LIMIT 1) p ON true
LEFT JOIN inspections_check c ON c.shot_id = s.id
LEFT JOIN catalog_item i ON i.project_id = c.project_id AND i.image_id = p.image_id
LEFT JOIN LATERAL (
    SELECT t.id, t.kind, t.label_class_id, t.origin, t.draw FROM truth_groundtruth t
    WHERE t.item_id = i.id AND t.kind <> 'withdrawn'
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth later WHERE later.supersedes_id = t.id) LIMIT 1) t ON true
LEFT JOIN LATERAL (
    SELECT a.id, a.label_class_id, a.certificate_id FROM frontier_automaticdecision a
    WHERE t.id IS NULL AND a.item_id = i.id AND a.mode = 'on'
      AND NOT EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)
      AND NOT EXISTS (SELECT 1 FROM frontier_certificateend e
                      WHERE e.certificate_id = a.certificate_id AND e.kind = 'suspended')
    ORDER BY a.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT l.certificate_id FROM frontier_assistedlabel l
    WHERE t.origin = 'assisted' AND l.item_id = i.id ORDER BY l.id DESC LIMIT 1) helped ON true
LEFT JOIN frontier_certificate k ON k.id = COALESCE(a.certificate_id, helped.certificate_id)
LEFT JOIN frontier_certificationrun run ON run.id = k.run_id
LEFT JOIN frontier_certificationplan plan ON plan.id = run.plan_id
WHERE n.id = ANY(%s)
ORDER BY n.id, s.position, c.project_id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """One check of an inspection.

    Attributes:
        item: its photo in the project that asks; none where the shot has no photo.
        answer: key of the class that it counts as today; none where that is not known, and then ``why``: ``no_photo``,
            ``gone`` (erased), ``open`` (people are asked), ``dispute``, ``hold``, ``unusable`` or ``no_class`` (the class
            it was given is asked no more).
        by: ``people`` (by their project's rule), ``reviewer``, ``assisted`` (one answer that agrees with the machine),
            ``sweep`` (given in a grid), ``imported`` or ``machine``.
        error: stated bound of its error, in [0, 1], where a certificate says one. ``plan``, ``delta``: of that certificate.
    """

    shot: str
    project: str
    item: int | None
    answer: str | None = None
    why: str = ""
    by: str = ""
    truth: int | None = None
    decision: int | None = None
    certificate: int | None = None
    error: float | None = None
    plan: int | None = None
    delta: float = 0.0

    @property
    def part(self) -> Part:
        return self.shot, self.project

    @property
    def resting(self) -> Resting:
        return Resting(self.by, self.error, self.plan, self.delta)

    def as_json(self) -> dict[str, Any]:
        """As a verdict keeps it."""
        names = (
            "shot",
            "project",
            "item",
            "answer",
            "by",
            "truth",
            "decision",
            "certificate",
            "error",
            "plan",
            "delta",
        )
        return {name: getattr(self, name) for name in names}


@dataclass
class Evidence:
    """``photos``: shot -> id of the :class:`InspectionPhoto` that is taken for it; ``missing``: keys of required shots
    without one; ``erased``: a photo that it had is no more."""

    known: list[Known] = field(default_factory=list)
    photos: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    erased: bool = False

    @cached_property
    def by_part(self) -> dict[Part, Known]:
        return {each.part: each for each in self.known}

    @property
    def answers(self) -> Answers:
        return {each.part: each.answer for each in self.known}

    @property
    def asked(self) -> dict[str, list[str]]:
        """Project -> shots that it is asked of."""
        found: dict[str, list[str]] = defaultdict(list)
        for each in self.known:
            found[each.project].append(each.shot)
        return found


@dataclass(frozen=True)
class Classes:
    """Of one project: class id -> key that it counts as today, and the same by key. None: it is asked no more."""

    slug: str
    by_id: Mapping[int, str | None]
    by_key: Mapping[str, str | None]


class Reader:
    """Reads evidence; what it once learned of projects it keeps, so let it live for one piece of work."""

    def __init__(self) -> None:
        self._classes: dict[int, Classes] = {}

    def read(self, inspection_ids: Collection[int]) -> dict[int, Evidence]:
        """Inspection id -> its evidence, in one query for all, and two for each project that is new to this reader."""
        found = {inspection_id: Evidence() for inspection_id in inspection_ids}
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [list(inspection_ids)])
            rows = cursor.fetchall()
        self.learn({row[5] for row in rows if row[5] is not None})
        for row in rows:
            self._take(found[row[0]], row)
        return found

    def learn(self, project_ids: Collection[int]) -> None:
        for project in Project.objects.filter(pk__in=set(project_ids) - self._classes.keys()):
            keys, resolution = class_keys(project), class_resolution(project)
            by_id = {
                class_id: None if (now := resolution.get(class_id)) is None else keys[now]
                for class_id in keys
            }
            by_key = {keys[class_id]: key for class_id, key in by_id.items()}
            self._classes[project.pk] = Classes(project.slug, by_id, by_key)

    def counts_as(self, slug: str, key: str) -> str:
        """What a class that a rule names counts as today: classes may have been merged since it was written."""
        for classes in self._classes.values():
            if classes.slug == slug:
                return classes.by_key.get(key) or key
        return key

    def _take(self, evidence: Evidence, row: tuple[Any, ...]) -> None:
        _inspection, shot, required, photo, image, project_id, item, *said = row
        if photo is not None:
            evidence.photos[shot] = photo
            evidence.erased |= image is None or (project_id is not None and item is None)
        if required and image is None:
            evidence.missing.add(shot)
        if project_id is not None:
            nothing = "no_photo" if photo is None else "gone" if item is None else ""
            evidence.known.append(_known(shot, self._classes[project_id], item, nothing, *said))


def _known(
    shot: str,
    classes: Classes,
    item: int | None,
    nothing: str,
    truth: int | None,
    kind: str | None,
    settled: int | None,
    origin: str | None,
    draw: str | None,
    decision: int | None,
    decided: int | None,
    certificate: int | None,
    precision: float | None,
    plan: int | None,
    delta: float | None,
    disputed: bool,
) -> Known:
    def unknown(why: str) -> Known:
        return Known(shot, classes.slug, item, why=why, truth=truth)

    if nothing:
        return unknown(nothing)
    if truth is not None and kind != "class":
        return unknown(kind or "")
    if truth is None and (disputed or decision is None):
        return unknown("dispute" if disputed else "open")
    answer = classes.by_id.get((settled if truth is not None else decided) or 0)
    if answer is None:
        return unknown("no_class")
    return Known(
        shot,
        classes.slug,
        item,
        answer,
        by="machine" if truth is None else _who_settled(origin, draw),
        truth=truth,
        decision=decision,
        certificate=certificate,
        error=None if precision is None else 1.0 - precision,
        plan=plan,
        delta=delta or 0.0,
    )


def _who_settled(origin: str | None, draw: str | None) -> str:
    """Who said beforehand what gold is said it as a reviewer does. Of what people saw in a grid, or beside an earlier photo,
    nothing is proven."""
    if origin in ("assisted", "imported"):
        return origin
    if draw == "sweep":
        return "sweep"
    return "people" if origin == "agreement" else "reviewer"
