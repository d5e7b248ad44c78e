"""Rules are tried on past inspections before they take effect: what would have changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.inspections import rules as ruling
from labeling.inspections.looking import Judge, in_force
from labeling.inspections.models import Inspection, Outcome, Protocol, ProtocolVersion
from labeling.inspections.protocols import described, shape_of
from labeling.refusals import Refused

#: The newest inspections that are tried, at most, how many at once, and how many of those that change are listed.
MOST, AT_ONCE, LISTED = 2_000, 250, 50


@dataclass(frozen=True)
class Change:
    inspection: Inspection
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """``tried``: how many inspections, the newest; ``counts``: (outcome by the rules in force, by these) -> how many;
    ``changes``: the newest of those that differ; ``overruled``: of all, those with a verdict of a person, which stays.
    """

    tried: int
    counts: dict[tuple[str, str], int]
    changes: list[Change]
    overruled: int

    @property
    def changed(self) -> int:
        return sum(n for (before, after), n in self.counts.items() if before != after)


@transaction.atomic
def try_rules(*, protocol: Protocol, rules: Any, otherwise: str, most: int = MOST) -> Trial:
    """Judge the newest inspections by these rules, and by those in force, from what is known now. Nothing is written.

    Raises :class:`Refused` ``invalid`` (422) where they are no rules for this protocol.
    """
    version = in_force([protocol.pk])[protocol.pk]
    checked_rules(version, rules, otherwise)
    now, then = Judge(), Judge(tried=(rules, otherwise))
    then.reader = now.reader
    counts: Counter[tuple[str, str]] = Counter()
    changes: list[Change] = []
    overruled = 0
    newest = Inspection.objects.filter(protocol=protocol, submitted_at__isnull=False)
    rows = list(newest.select_related("asset", "verdict").order_by("-happened_at", "-pk")[: min(most, MOST)])
    for first in range(0, len(rows), AT_ONCE):
        batch = rows[first : first + AT_ONCE]
        evidence = now.reader.read([each.pk for each in batch])
        for inspection in batch:
            seen = evidence[inspection.pk]
            before, after = (each.judge(inspection, seen, version).outcome for each in (now, then))
            overruled += inspection.verdict is not None and inspection.verdict.by_id is not None
            counts[before, after] += 1
            if before != after and len(changes) < LISTED:
                changes.append(Change(inspection, before, after))
    return Trial(len(rows), dict(counts), changes, overruled)


def checked_rules(version: ProtocolVersion, rules: Any, otherwise: str) -> list[ruling.Rule]:
    """The rules, if this version's shots and projects can be judged by them."""
    if otherwise not in (Outcome.HELD, Outcome.FAILED):
        raise Refused.invalid(
            "otherwise", _("Nothing passes without a rule that says so: choose held or failed.")
        )
    shots = described(version)["shots"]
    asked = {slug for shot in shots for slug in shot["checks"]}
    return ruling.parse(rules, shape_of(shots, Project.objects.filter(slug__in=asked).order_by("slug")))
