"""The frontier picture: where on each ladder people have settled, where they work, and what is still closed.

A *ladder* holds the photos that the champion predicts as one class, from the surest (band 0) to the boundary.
The queue says which photos wait and which band is open; the champion's scores say where settled photos belong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import ClassDefinition, Item, Project
from labeling.catalog.selectors import active_classes
from labeling.frontier.bands import BandState as BandState  # part of what a picture says
from labeling.frontier.bands import Gate, gates
from labeling.frontier.certificates import in_force, suspended
from labeling.frontier.models import AutomaticDecision, Certificate
from labeling.jobs.models import Job, JobState
from labeling.learning import cold_start
from labeling.learning import selectors as learning
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import Readiness, readiness
from labeling.queue.models import Entry, Ranking
from labeling.queue.placing import EPSILON, audited_by_band, current_ranking, ladders_of, truths_by_band
from labeling.queue.selectors import position
from labeling.truth.estimates import Proportion
from labeling.truth.quality.agreement import BandAgreement, agreement_by_band
from labeling.truth.tallies import settled_count

RIDGE_HEIGHT = 100.0
PHOTOS_PER_BAND = 6
MOST_DOTS = 12
#: Jobs that end in another order.
ORDERING = ("embed", "rank", "rescore")


@dataclass(frozen=True)
class Band:
    """One slice of a ladder. ``number`` 0 is the outermost; ``low`` to ``high`` is the margin of its photos.

    ``waiting``: photos in it that still want answers. ``settled``: photos that people settled and that the
    champion now puts here. ``agreement``: of photos shown from the band of this number, on either ladder.
    """

    key: str
    name: str
    number: int
    state: BandState
    waiting: int
    begun: int
    settled: int
    low: float
    high: float
    agreement: Proportion | None
    needs: str
    boundary: bool
    audited: int = 0
    audit_wrong: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.settled

    @property
    def dots(self) -> list[bool]:
        """A dot for each audited photo (True: not as predicted), at most ``MOST_DOTS`` that stand for all of them."""
        shown = min(self.audited, MOST_DOTS)
        wrong = -(-self.audit_wrong * shown // self.audited) if self.audited else 0
        return [False] * (shown - wrong) + [True] * wrong

    @property
    def done_percent(self) -> str:
        """Share settled, 0 to 100, written as SVG wants it in any language."""
        return f"{100 * self.settled / self.total:.1f}" if self.total else "0"


@dataclass(frozen=True)
class Ladder:
    """A class's ladder, outermost band first. ``ridge``: photos a step, from the outermost step inward."""

    key: str
    name: str
    position: int
    bands: list[Band]
    ridge: list[int]

    @property
    def photos(self) -> int:
        return sum(self.ridge)


@dataclass(frozen=True)
class RidgeLine:
    """What is drawn as one line: two ladders that meet at the boundary, or one alone that ends there."""

    left: Ladder
    right: Ladder | None
    bands: list[Band]
    path: str
    steps: int
    title: str


@dataclass(frozen=True)
class Picture:
    """``lines`` is empty before there is a champion and an order by it; then ``empty`` says why and what is next."""

    lines: list[RidgeLine]
    empty: str
    model: int | None
    current_band: int
    bands: int
    progress: dict[str, Any]
    agreement: list[BandAgreement]
    ready: Readiness | None
    waiting_unranked: int = 0
    settled_unplaced: int = 0
    gates: Sequence[Gate] = ()

    @property
    def has_ring(self) -> bool:
        """Whether one answer settles photos of some band."""
        return any(band.state is BandState.RING for line in self.lines for band in line.bands)

    @property
    def open_band(self) -> Band | None:
        """The band that the whole picture explains until a person points at another one."""
        return self.explained([band for line in self.lines for band in line.bands])

    def explained(self, bands: Sequence[Band]) -> Band | None:
        """Of these the one where the queue is."""
        here = [band for band in bands if band.number == self.current_band]
        opened = (b for b in here if b.state is BandState.OPEN)
        return next(opened, here[0] if here else bands[0] if bands else None)


def picture(project: Project) -> Picture:
    """The frontier as it stands, by counts that are kept; the ridge is of when the order was made."""
    at = position(project)
    agreed = agreement_by_band(project)
    ranking = current_ranking(project)
    model = learning.champion(project)
    definitions = active_classes(project)
    now = truths_by_band(project)
    empty = Picture(
        lines=[],
        empty="",
        model=model.number if model else None,
        current_band=at["current_band"],
        bands=at["bands"],
        progress=at,
        agreement=agreed,
        ready=None,
        waiting_unranked=sum(row["waiting"] for row in at["ladders"] if row["ladder"] is None),
        gates=gates(project, at, now),
    )
    if model is None or ranking is None or ranking.model_version_id != model.pk or not ranking.summary:
        ready = readiness(project) if model is None else None
        return replace(empty, empty=_why_empty(project, at, ranking, model, ready), ready=ready)
    count = max(ranking.bands, 1)
    ladders = ladders_of(ranking)
    unplaced = settled_count(project) - sum(now.settled.values())
    seen = _Seen(
        waiting={(row["ladder"], row["band"]): row for row in at["ladders"]},
        settled=now.settled,
        audited=audited_by_band(ranking, model, ladders),
        agreed={b.band: b for b in agreed if b.band is not None},
        gates=empty.gates,
        limits=ladders.lows,
        proven=_proven(project),
    )
    drawn = [
        Ladder(
            key=definition.label_class.key,
            name=definition.name,
            position=position,
            bands=[_band(definition, number, count, seen) for number in range(count)],
            ridge=ladders.ridge[definition.label_class_id],
        )
        for position, definition in enumerate(definitions)
        if definition.label_class_id in ladders.lows
    ]
    return replace(empty, lines=_lines(drawn), bands=count, settled_unplaced=max(unplaced, 0))


def band_photos(project: Project, key: str, number: int) -> list[Item]:
    """The next photos of a band that nobody has begun; for admins and reviewers.

    None that was drawn for people: a band says what the model predicts, and who reads it may label too.
    """
    entries = (
        Entry.objects.filter(
            ranking=current_ranking(project),
            band=number,
            taken=0,
            ladder__key=key,
            item__audit_drawn_at__isnull=True,
            item__drawn_for_band__isnull=True,
        )
        .exclude(item__in=AutomaticDecision.objects.filter(project=project, audit=True).values("item"))
        .select_related("item__image")
        .order_by("position")[:PHOTOS_PER_BAND]
    )
    return [entry.item for entry in entries]


# --- parts ------------------------------------------------------------------------------------------------------


def _proven(project: Project) -> dict[int, list[tuple[BandState, float]]]:
    """Class id -> what its certificate under this model is, and the lowest margin of each of its parts, outermost first."""

    def covered(each: Certificate) -> float:
        # The last of a walk's thresholds is the least margin of a photo, and the boundary band begins at 0.
        return 0.0 if each.coverage >= 1 - EPSILON else each.threshold

    found: dict[int, list[tuple[BandState, float]]] = {}
    for each in suspended(project).values():
        inner = covered(each) if each.assisted is None else each.assisted
        found[each.label_class_id] = [(BandState.SUSPENDED, inner)]
    for each in in_force(project):
        found[each.label_class_id] = [(BandState.CERTIFIED, covered(each))]
        if each.assisted is not None:
            found[each.label_class_id].append((BandState.RING, each.assisted))
    return found


def _why_unordered(
    project: Project, at: Mapping[str, Any], ranking: Ranking | None, model: ModelVersion
) -> str:
    """Why there is a champion, and no order by it that has bands."""
    jobs = Job.objects.of_project(project.pk).filter(kind__in=ORDERING)
    if jobs.live().exists():
        return _("The pool is being put in order by the new model. The picture appears by itself.")
    newest = jobs.order_by("-created_at").first()
    if newest is not None and newest.state == JobState.FAILED:
        return _(
            "The pool could not be put in order by the new model: see Jobs. Labeling goes on in the order of before."
        )
    if not any(row["waiting"] for row in at["ladders"]):
        return _(
            "No photo waits for an answer, so there is nothing to put in order. New photos begin the bands."
        )
    if ranking is not None and ranking.model_version_id == model.pk:
        return _("The strategy of this project orders photos in a way of its own, without bands.")
    return _(
        "The photos that wait are not in the new model's order yet. It is made with the next photos that come in."
    )


def _why_empty(
    project: Project,
    at: Mapping[str, Any],
    ranking: Ranking | None,
    model: ModelVersion | None,
    ready: Readiness | None,
) -> str:
    if at["pool"] == 0:
        return _("No photos yet. Take some in, and the queue begins.")
    if model is not None:
        return _why_unordered(project, at, ranking, model)
    said = _ordered_by(project) if ranking is not None else _("The photos are being prepared for the queue.")
    if ready is not None and ready.can_train:
        return f"{said} " + _("There are enough ground truths to train a first one.")
    return f"{said} " + _("The first model needs at least two ground truths in each of two classes.")


def _ordered_by(project: Project) -> str:
    verdict = cold_start.last_verdict(project)
    if verdict is not None and verdict["taken"] is None:
        return _(
            "No model yet: every second photo comes by names and criteria of the classes, those that they fit best first, "
            "and the others by typicality. The first %(n)d ground truths of the latter judge the words."
        ) % {"n": cold_start.LEAST}
    if verdict is None or not verdict["taken"]:
        return _("No model yet: photos come in order of typicality, the most typical of each kind first.")
    return _(
        "No model yet: names and criteria of the classes order the photos, those that they fit best first. They told "
        "%(n)d ground truths better than what labels teach so far."
    ) % {"n": verdict["judged"]}


@dataclass(frozen=True)
class _Seen:
    """What the bands are made of: by (ladder, band), by band, or by ladder (a class id).

    Attributes:
        waiting: (class key, band) -> its row of the queue's progress.
        settled: (class id, band) -> photos that people settled.
        audited: (class id, band) -> audited photos, and how many of them were not as predicted.
        limits: class id -> the lowest margin of each band.
        proven: class id -> what its certificate is, and the lowest margin of each of its parts, outermost first.
    """

    waiting: Mapping[tuple[str, int], Mapping[str, Any]]
    settled: Mapping[tuple[int, int], int]
    audited: Mapping[tuple[int, int], tuple[int, int]]
    agreed: Mapping[int, BandAgreement]
    gates: Sequence[Gate]
    limits: Mapping[int, list[float]]
    proven: Mapping[int, list[tuple[BandState, float]]]


_OF_PART = {
    BandState.CERTIFIED: gettext_lazy(
        "Certified as part of all that lies from here outward. The frontier's page says on what proof."
    ),
    BandState.RING: gettext_lazy(
        "One blind answer that says what the machine says settles a photo here. The frontier's page says on what proof."
    ),
    BandState.SUSPENDED: gettext_lazy(
        "Its certificate is suspended, so people decide here. The frontier's page says why."
    ),
}


def _band(definition: ClassDefinition, number: int, count: int, seen: _Seen) -> Band:
    key, ladder = definition.label_class.key, definition.label_class_id
    lows, agreed = seen.limits[ladder], seen.agreed.get(number)
    waiting = seen.waiting.get((key, number), {})
    audited, audit_wrong = seen.audited.get((ladder, number), (0, 0))
    gate = seen.gates[min(number, len(seen.gates) - 1)]
    state, needed = gate.state, gate.says
    parts = (part for part, lowest in seen.proven.get(ladder, ()) if lows[number] >= lowest - EPSILON)
    if (part := next(parts, None)) is not None:
        state, needed = part, str(_OF_PART[part])
    return Band(
        key=key,
        name=definition.name,
        number=number,
        state=state,
        waiting=waiting.get("waiting", 0),
        begun=waiting.get("begun", 0),
        settled=seen.settled.get((ladder, number), 0),
        low=lows[number],
        high=lows[number - 1] if number else 1.0,
        agreement=agreed.unanimous if agreed else None,
        needs=needed,
        boundary=number == count - 1,
        audited=audited,
        audit_wrong=audit_wrong,
    )


def _lines(ladders: list[Ladder]) -> list[RidgeLine]:
    if len(ladders) == 2:
        left, right = ladders
        return [
            RidgeLine(
                left=left,
                right=right,
                bands=[*left.bands, *reversed(right.bands)],
                path=ridge_path([*left.ridge, *reversed(right.ridge)]),
                steps=len(left.ridge) + len(right.ridge),
                title=_("From surely %(a)s through the boundary to surely %(b)s")
                % {"a": left.name, "b": right.name},
            )
        ]
    return [
        RidgeLine(
            left=ladder,
            right=None,
            bands=ladder.bands,
            path=ridge_path(ladder.ridge),
            steps=len(ladder.ridge),
            title=_("From surely %(a)s to the boundary") % {"a": ladder.name},
        )
        for ladder in ladders
    ]


def ridge_path(counts: Sequence[int]) -> str:
    """An SVG path of steps over ``counts``, ``len(counts)`` wide and ``RIDGE_HEIGHT`` high, the floor at the bottom."""
    highest = max(counts, default=0)
    if not highest:
        return ""
    parts = [f"M0 {RIDGE_HEIGHT:g}"]
    for index, n in enumerate(counts):
        y = RIDGE_HEIGHT * (1 - n / highest)
        parts.append(f"L{index} {y:.1f}L{index + 1} {y:.1f}")
    return "".join([*parts, f"L{len(counts)} {RIDGE_HEIGHT:g}Z"])
