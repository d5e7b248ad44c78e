"""What people did, how fast, and how often it was right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import Project, Role
from labeling.catalog.selectors import class_resolution
from labeling.database.kept_counts import counts
from labeling.people.models import User
from labeling.truth.estimates import Proportion
from labeling.truth.gold import gold_records
from labeling.truth.models import AnswerKind, Pause


@dataclass(frozen=True)
class LabelerFigures:
    """One person's work in a project. ``seconds``: median time from photo shown to answer given, of the newest
    :data:`NEWEST`; ``None`` where nothing was shown, as of answers that were imported."""

    user: User
    role: str
    answers: int
    today: int
    seconds: float | None
    last_at: datetime | None
    holds: Proportion
    agreed: Proportion
    gold: Proportion
    pause: Pause | None

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label) if self.role else ""


def labeler_figures(project: Project) -> list[LabelerFigures]:
    """One row a person who answered or may answer here; paused ones first, then the busiest."""
    answered = _answered(project)
    roles = dict(project.memberships.exclude(role=Role.VIEWER).values_list("user_id", "role"))
    pauses = {
        pause.labeler_id: pause
        for pause in Pause.objects.filter(project=project, lifted_at__isnull=True).select_related("labeler")
    }
    agreed = _agreed_with_truth(project)
    lately = _lately(project, answered)
    people = User.objects.in_bulk({*answered, *roles, *pauses})
    gold = gold_records(project, people.keys())
    figures = [
        LabelerFigures(
            user=user,
            role=roles.get(pk, ""),
            answers=answered[pk].total(),
            today=lately[pk].today if pk in lately else 0,
            seconds=lately[pk].seconds if pk in lately else None,
            last_at=lately[pk].last_at if pk in lately else None,
            holds=Proportion(answered[pk][AnswerKind.HOLD], answered[pk].total()),
            agreed=agreed.get(pk, Proportion(0, 0)),
            gold=Proportion(sum(gold[pk]), len(gold[pk])),
            pause=pauses.get(pk),
        )
        for pk, user in people.items()
    ]
    return sorted(figures, key=lambda f: (f.pause is None, -f.answers, f.user.username))


def own_figures(project: Project, user: User) -> dict[str, Any]:
    """A labeler's own numbers, and nothing that tells about others, the model or gold."""
    mine = _answered(project, user)[user.pk]
    lately = _lately(project, [user.pk], since=_today() - timedelta(days=6)).get(user.pk)
    return {
        "answers": mine.total(),
        "today": lately.today if lately else 0,
        "week": lately.since if lately else 0,
        "holds": mine[AnswerKind.HOLD],
        "seconds": lately.seconds if lately else None,
    }


#: Whoever looks at how long somebody takes means now, and a median is of these.
NEWEST = 50
_LATELY = """
SELECT asked.id, newest.median, newest.last, since.today, since.n
FROM unnest(%(people)s::bigint[]) AS asked (id), LATERAL (
    SELECT count(*) FILTER (WHERE a.created_at >= %(today)s) AS today, count(*) AS n FROM truth_annotation a
    WHERE a.project_id = %(project)s AND a.labeler_id = asked.id AND a.created_at >= %(since)s
      AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)) since, LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY view_ms) FILTER (WHERE view_ms > 0) AS median, max(created_at) AS last
    FROM (SELECT a.view_ms, a.created_at FROM truth_annotation a
          WHERE a.project_id = %(project)s AND a.labeler_id = asked.id
            AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)
          ORDER BY a.id DESC LIMIT %(newest)s) each) newest
WHERE newest.last IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Lately:
    seconds: float | None
    last_at: datetime
    today: int
    since: int


def _lately(project: Project, people: Iterable[int], *, since: datetime | None = None) -> dict[int, _Lately]:
    """What is newest of those of ``people`` who have answered, and their answers ``since`` a day before today."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LATELY,
            {
                "project": project.pk,
                "people": list(people),
                "today": _today(),
                "since": since or _today(),
                "newest": NEWEST,
            },
        )
        return {
            labeler: _Lately(None if median is None else median / 1000, last, today, n)
            for labeler, median, last, today, n in cursor.fetchall()
        }


def _today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _answered(project: Project, labeler: User | None = None) -> dict[int, Counter[str]]:
    """Labeler -> kind -> standing answers; ``labeler``: of one person only."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for each in counts(project, "labelers", first=str(labeler.pk) if labeler else None):
        person, kind, _draw, stands = each.key
        if stands == "stands":
            found[int(person)][kind] += each.n
    return found


def _agreed_with_truth(project: Project) -> dict[int, Proportion]:
    """For each labeler: how many answers equal what the photo was finally settled as.

    Where one answer settled it, that answer would be compared with itself.
    """
    now = {str(old): str(new) for old, new in class_resolution(project).items() if new is not None}
    right, compared = Counter[int](), Counter[int]()
    for each in counts(project, "compared"):
        labeler, said, settled = each.key
        compared[int(labeler)] += each.n
        right[int(labeler)] += each.n * (now.get(said, said) == now.get(settled, settled))
    return {labeler: Proportion(right[labeler], n) for labeler, n in compared.items()}
