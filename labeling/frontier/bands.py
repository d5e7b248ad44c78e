"""Every band with its gate: what it holds, what it needs, and in words why it has not settled yet.

A *gate* is a band of the queue's pace, over all ladders; the frontier picture draws it once on each ladder. What a
certificate says goes before what the gate says (:class:`BandState`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.catalog.models import Project
from labeling.database.kept_counts import totals
from labeling.queue import pace
from labeling.queue.models import BandOpening
from labeling.queue.placing import TruthsByBand, truths_by_band
from labeling.text.percentage import percentage
from labeling.text.plain import isolated
from labeling.truth.alpha import Reliability, alpha_by_band
from labeling.truth.estimates import Proportion
from labeling.truth.models import OpenDispute


class BandState(StrEnum):
    """``certified``, ``ring`` and ``suspended`` go before where the queue is: they say what the machine may do with a band,
    in a ring as second reader.

    ``settled``: it holds what it needs, and people agreed. ``passed``: the queue has gone on from it, and it does not.
    """

    CERTIFIED = "certified"
    RING = "ring"
    SUSPENDED = "suspended"
    SETTLED = "settled"
    PASSED = "passed"
    OPEN = "open"
    CLOSED = "closed"

    @property
    def said(self) -> str:
        """The state in the reader's language."""
        return str(_SAID[self])

    @property
    def look(self) -> str:
        """How a badge shows it."""
        return _LOOKS.get(self, "")


_SAID = {
    BandState.CERTIFIED: gettext_lazy("certified"),
    BandState.RING: gettext_lazy("one answer"),
    BandState.SUSPENDED: gettext_lazy("suspended"),
    BandState.SETTLED: gettext_lazy("settled"),
    BandState.PASSED: gettext_lazy("passed"),
    BandState.OPEN: gettext_lazy("open"),
    BandState.CLOSED: gettext_lazy("closed"),
}

_LOOKS = {
    BandState.CERTIFIED: "good",
    BandState.RING: "good",
    BandState.SUSPENDED: "bad",
    BandState.SETTLED: "good",
    BandState.OPEN: "accent",
}


@dataclass(frozen=True)
class Gate:
    """One band of the pace. ``ground_truths`` of the ``needed`` ones: since it opened where the queue is (``here``), else
    those in it or further out that still count."""

    number: int
    state: BandState
    here: bool
    ground_truths: int
    needed: int
    says: str
    passed: bool


def gates(project: Project, at: Mapping[str, Any], now: TruthsByBand | None = None) -> list[Gate]:
    """All bands, outermost first; none before a model's order. ``at`` is the queue's progress, ``now`` where it is known."""
    if not at["has_bands"]:
        return []
    now = now or truths_by_band(project)
    departures = pace.departures(project)
    count = max(project.bands, 1)
    return [_gate(project, number, count, at, now, departures.get(number)) for number in range(count)]


def holding(project: Project) -> set[int]:
    """The bands that hold what they need by the order of today."""
    now = truths_by_band(project)
    return {
        number
        for number in range(max(project.bands, 1))
        if now.outward(number) >= pace.needed_for(project, number + 1)
    }


def _gate(
    project: Project,
    number: int,
    count: int,
    at: Mapping[str, Any],
    now: TruthsByBand,
    left: pace.Departure | None,
) -> Gate:
    current, reached = at["current_band"], at["reached_band"]
    wanted = pace.needed_for(project, number + 1)
    has = now.outward(number)
    if number == current:
        state, says = BandState.OPEN, band_needs(at)
        has, wanted = at["settled_in_band"], at["needed_in_band"]
    elif number < reached:
        state = BandState.SETTLED if has >= wanted else BandState.PASSED
        says = _left_words(left, has, wanted)
    elif number == reached:
        state = BandState.CLOSED
        says = _("The queue comes back here when band %(n)d has what it lacks.") % {"n": current + 1}
    else:
        state = BandState.CLOSED
        says = (
            _("Opens next, when the open band is settled.")
            if number == reached + 1
            else _("Opens after the bands outside it.")
        )
    return Gate(
        number=number,
        state=state,
        here=number == current,
        ground_truths=has,
        needed=wanted,
        says=says,
        passed=number < current,
    )


def _left_words(left: pace.Departure | None, has: int, wanted: int) -> str:
    """How the queue went on from a band, and what it lacks now."""
    if left is None:
        said = _("The queue has moved on from here. What still waits is asked later.")
    elif left.opening.cause == BandOpening.Cause.ADMIN:
        said = _("%(who)s let the queue go on: “%(reason)s”.") % {
            "who": isolated(str(left.opening.by)),
            "reason": isolated(left.opening.reason),
        }
    elif left.opening.cause == BandOpening.Cause.EXHAUSTED:
        said = _("Its photos were used up, so the queue went on.")
    elif has < wanted:
        said = _("The queue has gone on from here, and a later model puts fewer ground truths here.")
    else:
        return _settled_words(left.opening.figures)
    return said if has >= wanted else said + " " + _still_missing(wanted - has)


def _settled_words(told: Mapping[str, Any]) -> str:
    parts = []
    if told.get("agreement") is not None:
        parts.append(_("%(share)s agreed") % {"share": percentage(told["agreement"])})
    if told.get("alpha") is not None:
        parts.append(_("alpha %(alpha).2f") % {"alpha": told["alpha"]})
    if not parts:
        return _("Settled. What still waits is asked later.")
    return _("Settled: %(what)s. What still waits is asked later.") % {"what": ", ".join(parts)}


def _still_missing(n: int) -> str:
    return ngettext("%(n)d ground truth is missing.", "%(n)d ground truths are missing.", n) % {"n": n}


def band_needs(at: Mapping[str, Any]) -> str:
    """What the open band still needs before the queue goes on, in words."""
    back = at["reached_band"] if at["reached_band"] > at["current_band"] else None
    if back is None and at["current_band"] + 1 >= at["bands"]:
        return _("This is the boundary: the queue stays here, with photos that differ from each other.")
    missing = max(at["needed_in_band"] - at["settled_in_band"], 0)
    parts = []
    if missing:
        parts.append(
            ngettext("%(n)d more ground truth", "%(n)d more ground truths", missing) % {"n": missing}
        )
    if at["agreement"] is not None and at["agreement"] < at["agreement_needed"]:
        parts.append(
            _("agreement of %(needed)s (now %(now)s)")
            % {"needed": percentage(at["agreement_needed"]), "now": percentage(at["agreement"])}
        )
    if at["alpha"] is not None and 0 < at["alpha_needed"] > at["alpha"]:
        parts.append(
            _("an alpha of %(needed).2f (now %(now).2f)") % {"needed": at["alpha_needed"], "now": at["alpha"]}
        )
    what = _(" and ").join(parts)
    if back is not None:
        if not parts:
            return _("Nothing more: the queue goes back to band %(n)d with the next answer.") % {
                "n": back + 1
            }
        return _("Open again. The queue goes back to band %(n)d with %(what)s.") % {
            "n": back + 1,
            "what": what,
        }
    if not parts:
        return _("Nothing more: the next band opens with the next answer.")
    return _("The next band opens with %(what)s.") % {"what": what}


# -- the table -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proven:
    """A class whose part of a band is certified or suspended; ``position`` is the class's in the guideline."""

    key: str
    name: str
    position: int
    state: BandState


@dataclass(frozen=True)
class BandRow:
    """A gate with what people said there.

    ``waiting`` and ``settled`` are photos of all ladders; ``agreement``, ``reliability``, ``holds`` (photos that somebody
    held) and ``disputes`` (open ones) are of photos that were shown from this band. ``proven`` is what certificates say;
    ``ladders``: keys of all classes that have a part of it.
    """

    gate: Gate
    waiting: int
    settled: int
    agreement: Proportion | None
    reliability: Reliability | None
    holds: int
    disputes: int
    proven: list[Proven]
    ladders: list[str]

    @property
    def photos(self) -> int:
        return self.waiting + self.settled

    @property
    def state(self) -> BandState:
        """Certified where every ladder's part of it is, which goes before where the queue is; else the gate's."""
        certified = {each.key for each in self.proven if each.state is BandState.CERTIFIED}
        whole = bool(self.ladders) and certified >= set(self.ladders)
        return BandState.CERTIFIED if whole else self.gate.state

    @property
    def says(self) -> str:
        if self.state is BandState.CERTIFIED:
            return _("Certified on every ladder: people are asked for the audit here.")
        return self.gate.says


def band_table(project: Project, seen: Any) -> list[BandRow]:
    """Every band of the pace, outermost first. ``seen`` is the frontier picture (:func:`selectors.picture`)."""
    answered = OpenDispute.objects.filter(project=project, answers__gt=0).order_by().values_list("band")
    disputes = dict(answered.annotate(n=Count("pk")))
    holds = {each.key[0]: each.n for each in totals(project)["held"]}
    alpha = alpha_by_band(project)
    agreed = {each.band: each.unanimous for each in seen.agreement}
    drawn: dict[int, list[Any]] = {}
    for line in seen.lines:
        for ladder in filter(None, (line.left, line.right)):
            for band in ladder.bands:
                drawn.setdefault(band.number, []).append((band, ladder.position))
    waiting: dict[int, int] = {}
    for row in seen.progress["ladders"]:
        if row["band"] is not None:
            waiting[row["band"]] = waiting.get(row["band"], 0) + row["waiting"]
    proven = (BandState.CERTIFIED, BandState.RING, BandState.SUSPENDED)
    return [
        BandRow(
            gate=gate,
            waiting=waiting.get(gate.number, 0),
            settled=sum(band.settled for band, _position in drawn.get(gate.number, [])),
            agreement=agreed.get(gate.number),
            reliability=alpha.get(gate.number),
            holds=holds.get(str(gate.number), 0),
            disputes=disputes.get(gate.number, 0),
            proven=[
                Proven(band.key, band.name, position, band.state)
                for band, position in drawn.get(gate.number, [])
                if band.state in proven
            ],
            ladders=[band.key for band, _position in drawn.get(gate.number, [])],
        )
        for gate in seen.gates
    ]
