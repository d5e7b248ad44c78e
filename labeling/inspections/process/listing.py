"""Inspections as they come: newest first, each with its verdict, how long that took, and what a held one waits for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.inspections.looking import judged_today
from labeling.inspections.models import Inspection, Outcome, Protocol, Shot, Verdict
from labeling.inspections.process.service_level import due_at, is_overdue
from labeling.inspections.process.wanted import Wanted
from labeling.inspections.rules import Judged
from labeling.refusals import Refused

#: Inspections of a page; and the most that are looked through for them, where what is wanted is rare.
A_PAGE, LOOKED_THROUGH = 50, 5_000
#: Held ones are counted up to here.
COUNTED = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(-?\d{1,17})-(\d{1,18})")


@dataclass(frozen=True)
class Row:
    """``took``: to the first verdict that was none of *held*; ``waits_for``: (project or ``None``: the photo; shots);
    ``late``: for how long it is held beyond the protocol's service level."""

    inspection: Inspection
    says: str
    took: timedelta | None
    waits_for: list[tuple[str | None, list[str]]]
    late: timedelta | None

    @property
    def minutes(self) -> float | None:
        return self.took / timedelta(minutes=1) if self.took is not None else None

    @property
    def late_minutes(self) -> float | None:
        return self.late / timedelta(minutes=1) if self.late is not None else None


@dataclass(frozen=True)
class Page:
    """``older``: where the next page begins; ``looked_through``: it begins there because so many were looked at."""

    rows: list[Row] = field(default_factory=list)
    older: str = ""
    looked_through: bool = False


def page(protocol: Protocol, wanted: Wanted, before: str = "") -> Page:
    """Those that are wanted, from ``before`` on. Raises :class:`Refused` (422) where that is no place."""
    rows = _of(protocol, wanted, before)
    narrowed = Q(**{name: value for name in ("site", "event") if (value := getattr(wanted, name))})
    near = rows.order_by("-happened_at", "-pk")
    if narrowed:
        looked_at = near.values("pk")[:LOOKED_THROUGH]
        found = list(_shown(Inspection.objects.filter(narrowed, pk__in=looked_at))[: A_PAGE + 1])
    else:
        found = list(_shown(near)[: A_PAGE + 1])
    if len(found) > A_PAGE:
        found.pop()
        return Page(_rows(found, protocol), place_of(found[-1]))
    last = near[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first() if narrowed else None
    return Page(_rows(found, protocol), place_of(last) if last else "", looked_through=last is not None)


def held(protocol: Protocol) -> tuple[int, datetime | None]:
    """How many are held, up to :data:`COUNTED` + 1, and since when the one that waits longest."""
    rows = Inspection.objects.filter(protocol=protocol, outcome=Outcome.HELD)
    first = rows.order_by("happened_at", "pk").values_list("happened_at", flat=True).first()
    return rows.values("pk")[: COUNTED + 1].count(), first


def _of(protocol: Protocol, wanted: Wanted, before: str) -> QuerySet[Inspection]:
    rows = Inspection.objects.filter(protocol=protocol)
    if wanted.outcome:
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.overdue:
        rows = rows.filter(is_overdue(protocol))
    if wanted.asset:
        rows = rows.filter(asset__kind=protocol.asset_kind, asset__identifier=wanted.asset)
    if wanted.begins:
        rows = rows.filter(happened_at__gte=wanted.begins)
    if wanted.ends:
        rows = rows.filter(happened_at__lte=wanted.ends)
    if before:
        at, pk = place_read(before)
        rows = rows.filter(Q(happened_at__lt=at) | Q(happened_at=at, pk__lt=pk), happened_at__lte=at)
    return rows


def _shown(rows: QuerySet[Inspection]) -> QuerySet[Inspection]:
    decided = Verdict.objects.filter(inspection=OuterRef("pk")).exclude(outcome=Outcome.HELD).order_by()
    return (
        rows.select_related("asset", "version", "verdict")
        .annotate(
            decided_at=Subquery(decided.values("inspection").annotate(at=Min("created_at")).values("at")),
            begun_at=Coalesce(F("submitted_at"), F("created_at")),
        )
        .order_by("-happened_at", "-pk")
    )


def _rows(found: Sequence[Inspection], protocol: Protocol) -> list[Row]:
    held = [each for each in found if each.outcome == Outcome.HELD and each.verdict.by_id is None]  # type: ignore[union-attr]
    today = judged_today(held) if held else {}
    waiting = {each.pk: waits_for(today.get(each.pk)) for each in found}
    names = Names.of(found, [pair for pairs in waiting.values() for pair in pairs])
    return [
        Row(
            each,
            each.version.name_of(each.outcome) if each.outcome else "",
            max(each.decided_at - each.begun_at, timedelta()) if each.decided_at else None,  # type: ignore[attr-defined]
            names.said(each.version_id, waiting[each.pk]),
            _late(each, protocol),
        )
        for each in found
    ]


def _late(inspection: Inspection, protocol: Protocol) -> timedelta | None:
    due, now = due_at(inspection, protocol), timezone.now()
    return now - due if due is not None and due < now else None


def waits_for(judged: Judged | None) -> list[tuple[str, str]]:
    """(key of a shot, slug of the project that asks, or nothing: the photo is missing) of one that the rules hold."""
    if judged is None or judged.outcome != Outcome.HELD:
        return []
    missing = [(shot, "") for shot in judged.missing]
    return missing + [part for part in judged.unknown if part[0] not in judged.missing]


@dataclass(frozen=True)
class Names:
    """What keys of shots, by version, and slugs of projects are called."""

    shots: Mapping[tuple[int, str], str]
    projects: Mapping[str, str]

    @classmethod
    def of(cls, found: Sequence[Inspection], pairs: Sequence[tuple[str, str]]) -> Names:
        if not pairs:
            return cls({}, {})
        shots = Shot.objects.filter(version__in={each.version_id for each in found})
        projects = Project.objects.filter(slug__in={project for _shot, project in pairs})
        return cls(
            {(version, key): name for version, key, name in shots.values_list("version", "key", "name")},
            dict(projects.values_list("slug", "name")),
        )

    def said(self, version: int, pairs: Iterable[tuple[str, str]]) -> list[tuple[str | None, list[str]]]:
        shots: dict[str, list[str]] = {}
        for shot, project in pairs:
            shots.setdefault(project, []).append(self.shots.get((version, shot), shot))
        return [(self.projects.get(each, each) if each else None, of) for each, of in shots.items()]


def place_of(inspection: Inspection) -> str:
    return f"{(inspection.happened_at - _EPOCH) // timedelta(microseconds=1)}-{inspection.pk}"


def place_read(place: str) -> tuple[datetime, int]:
    match = _PLACE.fullmatch(place)
    try:
        if match:
            return _EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        pass
    raise Refused.invalid("before", _("This is no place in the list. Begin at its first page."))
