"""How the frontier moved: the picture as it stood after each thing that moved it, put together from appended rows.

Promotions say which model ordered the pool, rankings where its bands lay, openings where people worked, certificates
and their ends what was proven, and policies whether the machine decided by it.

Another model puts settled photos elsewhere, so a band that had settled may hold too little by its order. Where each order
put them is known of today's only: under an earlier one a band is *settled* if it settled under it, and else *passed*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.selectors import active_classes
from labeling.frontier.bands import BandState, holding
from labeling.frontier.models import Certificate, EndKind, EndReason, FrontierPolicy, Mode
from labeling.learning.models import Promotion
from labeling.queue.models import BandOpening, Ranking
from labeling.text.percentage import percentage

#: The newest of each kind of row that are read, and the newest frames that are shown.
READ = 400
SHOWN = 120
#: Ladders that are drawn, where a project has more.
LADDERS = 12
#: What follows within this time came of the same cause: a promotion and the certificates that it voids.
TOGETHER = timedelta(seconds=3)
_EPSILON = 1e-6


@dataclass(frozen=True)
class LadderThen:
    """One class's ladder: the state of each band, outermost first; ``certified``: share of the class's photos."""

    key: str
    name: str
    position: int
    bands: list[BandState]
    certified: float
    photos: int


@dataclass(frozen=True)
class Frame:
    """The frontier from ``at`` on. ``certified``: of the whole pool; ``open``: number of the open band, 1 the outermost.

    ``ladders`` is empty before a model had put the pool in order.
    """

    at: datetime
    says: list[str]
    model: int | None
    mode: str
    open: int
    bands: int
    precision: float | None
    certified: float
    ladders: list[LadderThen]

    @property
    def lines(self) -> list[list[BandState]]:
        """As the picture draws them: two ladders meet at the boundary, more are stacked."""
        if len(self.ladders) == 2:
            left, right = self.ladders
            return [[*left.bands, *reversed(right.bands)]]
        return [ladder.bands for ladder in self.ladders]

    @property
    def drawn(self) -> str:
        """The same for a script: bands parted by spaces, lines by bars."""
        return "|".join(" ".join(line) for line in self.lines)


@dataclass
class _State:
    model_id: int | None = None
    model: int | None = None
    band: int = 0
    reached: int = 0
    #: Band -> the model by whose order it settled.
    settled: dict[int, int | None] = field(default_factory=dict)
    mode: str = Mode.OFF
    in_force: dict[int, dict[str, Any]] = field(default_factory=dict)
    suspended: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Event:
    at: datetime
    order: int
    kind: str
    row: Mapping[str, Any]


def frames(project: Project) -> list[Frame]:
    """Oldest first; the last is how it stands. Five statements of at most :data:`READ` rows, and what bands hold now."""
    events = _events(project)
    rankings = _rankings(project)
    definitions = active_classes(project)
    drawn = _drawn(definitions, events, rankings)
    champion = next(
        (event.row["model_version_id"] for event in reversed(events) if event.kind == "promotion"), None
    )
    holds = holding(project) if champion else set()
    state = _State()
    found: list[Frame] = []
    said: list[str] = []
    for event, following in pairwise([*events, None]):
        assert event is not None
        said += filter(None, [_apply(state, event, definitions)])
        if following is not None and following.at - event.at <= TOGETHER:
            continue
        # An order by the new model comes a moment after its promotion: until the next event it is the one.
        until = following.at if following is not None else None
        if following is None:
            settled = holds
        elif state.model_id == champion:
            settled = holds & state.settled.keys()
        else:
            settled = {band for band, model in state.settled.items() if model == state.model_id}
        frame = _frame(
            project, state, event.at, said, drawn, _ranking(rankings, state.model_id, until), settled
        )
        if said or not found or frame.drawn != found[-1].drawn:
            found.append(frame)
        said = []
    return found[-SHOWN:]


def _events(project: Project) -> list[_Event]:
    certificates = (
        Certificate.objects.filter(project=project)
        .order_by("-id", "-ends__id")
        .values(
            "id", "label_class_id", "model_version_id", "threshold", "assisted", "coverage", "precision", "created_at",
            planned=F("run__plan__planned"), kind=F("ends__kind"), reason=F("ends__reason"), ended=F("ends__created_at"),
        )[:READ]
    )  # fmt: skip
    by_id = {row["id"]: row for row in certificates}
    promotions = Promotion.objects.filter(project=project).order_by("-id")
    openings = BandOpening.objects.filter(project=project).order_by("-id")
    policies = FrontierPolicy.objects.filter(project=project).order_by("-id")
    events = [_Event(row["created_at"], 3, "certificate", row) for row in by_id.values()]
    events += [_Event(row["ended"], 2, "end", row) for row in certificates if row["kind"]]
    events += [
        _Event(row["created_at"], 1, "promotion", row)
        for row in promotions.values("created_at", "model_version_id", number=F("model_version__number"))[
            :READ
        ]
    ]
    events += [
        _Event(row["created_at"], 0, "opening", row)
        for row in openings.values("created_at", "band", "figures", "cause")[:READ]
    ]
    events += [
        _Event(row["created_at"], 4, "policy", row) for row in policies.values("created_at", "mode")[:READ]
    ]
    return sorted(events, key=lambda event: (event.at, event.order))


def _rankings(project: Project) -> dict[int, list[dict[str, Any]]]:
    """Model version id -> its orders, oldest first."""
    found: dict[int, list[dict[str, Any]]] = {}
    rows = Ranking.objects.filter(project=project, model_version__isnull=False).order_by("-id")
    for row in reversed(rows.values("model_version_id", "bands", "summary", "created_at")[:READ]):
        if row["summary"]:
            found.setdefault(row["model_version_id"], []).append(dict(row))
    return found


def _drawn(
    definitions: Sequence[ClassDefinition],
    events: Sequence[_Event],
    rankings: Mapping[int, list[dict[str, Any]]],
) -> list[ClassDefinition]:
    """The classes whose ladders are drawn: of many those that were certified last, then those with the most photos."""
    if len(definitions) <= LADDERS:
        return list(definitions)
    certified = {event.row["label_class_id"]: event.at for event in events if event.kind == "certificate"}
    newest = max((row for rows in rankings.values() for row in rows), key=_made, default=None)
    photos = {
        int(ladder): sum(int(each[2]) for each in bands.values())
        for ladder, bands in (newest["summary"] if newest else {}).items()
    }

    def last(each: ClassDefinition) -> tuple[float, int]:
        at = certified.get(each.label_class_id)
        return -at.timestamp() if at else 0.0, -photos.get(each.label_class_id, 0)

    chosen = {each.pk for each in sorted(definitions, key=last)[:LADDERS]}
    return [each for each in definitions if each.pk in chosen]


def _made(ranking: Mapping[str, Any]) -> datetime:
    made: datetime = ranking["created_at"]
    return made


def _ranking(
    rankings: Mapping[int, list[dict[str, Any]]], model_id: int | None, until: datetime | None
) -> dict[str, Any] | None:
    of_model = rankings.get(model_id or 0, [])
    before = [row for row in of_model if until is None or row["created_at"] < until]
    return before[-1] if before else of_model[0] if of_model else None


def _apply(state: _State, event: _Event, definitions: Sequence[ClassDefinition]) -> str:
    """Move ``state`` on; return what is told of it, empty where nothing moved."""
    row = event.row
    names = {each.label_class_id: each.name for each in definitions}
    match event.kind:
        case "opening":
            back = row["band"] < state.band
            for left in range(state.band, row["band"]):
                if row["cause"] in (BandOpening.Cause.ADMIN, BandOpening.Cause.EXHAUSTED):
                    state.settled.pop(left, None)
                else:
                    state.settled[left] = state.model_id
            state.band = row["band"]
            state.reached = max(int(row["figures"].get("back_to", 0)), row["band"])
            told = {"n": row["band"] + 1}
            return _("back to band %(n)d") % told if back else _("band %(n)d opened") % told
        case "promotion":
            state.model_id, state.model = row["model_version_id"], row["number"]
            state.suspended = {}
            return _("version %(n)d promoted") % {"n": row["number"]}
        case "certificate":
            known = state.in_force.get(row["label_class_id"])
            state.in_force[row["label_class_id"]] = dict(row)
            state.suspended.pop(row["label_class_id"], None)
            if known is not None and abs(known["coverage"] - row["coverage"]) < _EPSILON:
                return ""
            return _("%(class)s certified for %(share)s") % {
                "class": names.get(row["label_class_id"], "?"),
                "share": percentage(row["coverage"]),
            }
        case "end":
            return _end(state, row, names.get(row["label_class_id"], "?"))
        case _:
            before, state.mode = state.mode, row["mode"]
            if before == state.mode:
                return ""
            return {
                Mode.OFF.value: _("deciding switched off"),
                Mode.SHADOW.value: _("deciding in shadow"),
                Mode.ON.value: _("the machine decides"),
            }[state.mode]


def _end(state: _State, row: Mapping[str, Any], name: str) -> str:
    known = state.in_force.get(row["label_class_id"])
    in_force = known is not None and known["id"] == row["id"]
    if row["kind"] == EndKind.RENEWED:
        return ""  # its successor tells
    if in_force:
        del state.in_force[row["label_class_id"]]
    if row["kind"] == EndKind.SUSPENDED:
        if row["model_version_id"] == state.model_id and (in_force or known is None):
            state.suspended[row["label_class_id"]] = dict(row)
        return _("%(class)s suspended") % {"class": name}
    if not in_force:
        return ""
    if row["reason"] == EndReason.MODEL:
        return _("certificate of %(class)s void: another model") % {"class": name}
    return _("certificate of %(class)s void") % {"class": name}


def _frame(
    project: Project,
    state: _State,
    at: datetime,
    said: list[str],
    definitions: Sequence[ClassDefinition],
    ranking: Mapping[str, Any] | None,
    settled: set[int],
) -> Frame:
    ladders = []
    bands = int(ranking["bands"]) if ranking else project.bands
    band, reached = min(state.band, bands - 1), min(state.reached, bands - 1)
    for position, definition in enumerate(definitions):
        summary = ranking["summary"].get(str(definition.label_class_id)) if ranking else None
        if summary is None:
            continue
        proof = state.in_force.get(definition.label_class_id)
        doubt = state.suspended.get(definition.label_class_id)
        ladders.append(
            LadderThen(
                key=definition.label_class.key,
                name=definition.name,
                position=position,
                bands=[
                    _state(low, n, band, _left(n, reached, settled), proof, doubt)
                    for n, low in enumerate(_lows(summary, bands))
                ],
                certified=proof["coverage"] if proof else 0.0,
                photos=sum(int(each[2]) for each in summary.values()),
            )
        )
    return Frame(
        at=at,
        says=said,
        model=state.model,
        mode=state.mode,
        open=band + 1,
        bands=bands,
        precision=max((row["precision"] for row in state.in_force.values()), default=None),
        certified=_of_the_pool(state),
        ladders=ladders,
    )


def _left(number: int, reached: int, settled: set[int]) -> BandState:
    if number >= reached:
        return BandState.CLOSED
    return BandState.SETTLED if number in settled else BandState.PASSED


def _state(
    low: float,
    number: int,
    band: int,
    left: BandState,
    proof: Mapping[str, Any] | None,
    doubt: Mapping[str, Any] | None,
) -> BandState:
    if proof is not None and low >= _covered(proof) - _EPSILON:
        return BandState.CERTIFIED
    if proof is not None and proof["assisted"] is not None and low >= proof["assisted"] - _EPSILON:
        return BandState.RING
    inner = None if doubt is None else _covered(doubt) if doubt["assisted"] is None else doubt["assisted"]
    if proof is None and inner is not None and low >= inner - _EPSILON:
        return BandState.SUSPENDED
    if number == band:
        return BandState.OPEN
    return left


def _covered(proof: Mapping[str, Any]) -> float:
    """The lowest margin; what is certified to the boundary covers the band that begins at 0."""
    return 0.0 if proof["coverage"] >= 1 - _EPSILON else float(proof["threshold"])


def _lows(summary: Mapping[str, Sequence[float]], bands: int) -> list[float]:
    """Lowest margin of each band, outermost first; one that was empty begins where the one outside it begins."""
    lows: list[float] = []
    for number in range(bands):
        said = summary.get(str(number))
        low = float(said[0]) if said else (lows[-1] if lows else 1.0)
        lows.append(min(low, lows[-1]) if lows else low)
    lows[-1] = 0.0
    return lows


def _of_the_pool(state: _State) -> float:
    """Share of the pool inside the frontier: each class's by its part of the labels that its run had planned."""
    share = 0.0
    for row in state.in_force.values():
        planned: dict[str, int] = row["planned"]
        share += row["coverage"] * planned.get(str(row["label_class_id"]), 0) / max(sum(planned.values()), 1)
    return share
