"""One inspection as a person may see it: every shot with its photo and its answers, what decided, and how sure that is.

Of a photo that people may still be asked about, blind, no answer is told (:mod:`labeling.frontier.told`), as on its own
page: what is not known and what may not be told look alike. Nor is why a verdict follows from such an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.frontier.models import DecisionExplanation
from labeling.frontier.told import Standing, Status
from labeling.inspections import rules as ruling
from labeling.inspections.bounding import Resting, share_proven, whole
from labeling.inspections.evidence import Evidence, Known
from labeling.inspections.looking import Judge, in_force
from labeling.inspections.models import Fault, Inspection, InspectionPhoto, Outcome, Shot, Verdict
from labeling.inspections.naming import asked_by, names_of
from labeling.inspections.sentences import Names, rest_says, sentence
from labeling.inspections.telling import Telling, why_withheld
from labeling.inspections.undecided import why_undecided
from labeling.people.models import User

#: The newest, on one page.
MOST_VERDICTS = 50

_BY = {
    "people": gettext_lazy("people, by the project's rule"),
    "reviewer": gettext_lazy("a reviewer"),
    "machine": gettext_lazy("the machine"),
    "assisted": gettext_lazy("one answer that agrees with the machine"),
    "sweep": gettext_lazy("people, not blind: in a grid of one class, or beside an earlier photo"),
    "imported": gettext_lazy("somebody elsewhere: it was imported"),
}


@dataclass(frozen=True)
class CheckShown:
    """``answer``: the class's name, where it is told; ``state``: in words, where it is not. ``by``, ``stated``: who decided,
    and what is proven of that. ``decides``: the verdict rests on it, and all that it rests on is told.
    ``decision``: whose page the person may open."""

    project: Project
    answer: str
    state: str
    by: str
    stated: str
    decides: bool
    waits: bool
    decision: int | None
    explained: bool


@dataclass(frozen=True)
class ShotShown:
    shot: Shot
    photo: InspectionPhoto | None
    item: tuple[str, int] | None
    checks: list[CheckShown]
    refused: str


@dataclass(frozen=True)
class VerdictShown:
    verdict: Verdict
    name: str
    why: str
    bound: str


@dataclass
class EvidencePage:
    inspection: Inspection
    shots: list[ShotShown]
    verdicts: list[VerdictShown]
    bound: list[str]
    now: str
    outcomes: list[tuple[str, str]]
    told: bool
    undecided: list[str]

    @property
    def current(self) -> VerdictShown | None:
        return self.verdicts[0] if self.verdicts else None


class _Page:
    def __init__(self, inspection: Inspection, user: User) -> None:
        self.inspection, self.user = inspection, user
        self.version = in_force([inspection.protocol_id])[inspection.protocol_id]
        self.judge = Judge()
        self.evidence: Evidence = self.judge.reader.read([inspection.pk])[inspection.pk]
        self.projects = {each.slug: each for each in asked_by(inspection.version, self.version)}
        self.telling = Telling([inspection], user)

    @cached_property
    def names(self) -> Names:
        """Of the shots that were photographed, and of the classes as they are called today."""
        return names_of(self.inspection.version, list(self.projects.values()))

    @cached_property
    def explained(self) -> set[int]:
        """Decisions of which somebody has had the heat map made."""
        decisions = [known.decision for known in self.evidence.known if known.decision is not None]
        found = DecisionExplanation.objects.filter(decision__in=decisions)
        return set(found.values_list("decision", flat=True))

    def shots(self, verdict: Verdict | None) -> list[ShotShown]:
        photos = {each.pk: each for each in self.inspection.photos.select_related("image")}
        checks: dict[str, list[Known]] = defaultdict(list)
        for known in self.evidence.known:
            checks[known.shot].append(known)
        told = verdict.told if verdict is not None else {}
        rests = (
            {(part["shot"], part["project"]) for part in told.get("parts", ())}
            if verdict is not None and _by_rules(verdict) and self.telling.tells_why(verdict)
            else set()
        )
        waits = set(self._waits_for(verdict)) if verdict is not None and _by_rules(verdict) else set()
        shown = []
        for shot in self.inspection.version.shots.all():
            photo = photos.get(self.evidence.photos.get(shot.key, 0))
            mine = checks[shot.key]
            place = next(((known.project, known.item) for known in mine if known.item is not None), None)
            shown.append(
                ShotShown(
                    shot,
                    photo,
                    place if place and may(self.user, self.projects[place[0]], Action.REVIEW) else None,
                    [self._check(known, known.part in rests, known.part in waits) for known in mine],
                    self._refused(
                        [each for each in photos.values() if each.shot_id == shot.pk and each.faults]
                    ),
                )
            )
        return shown

    def _refused(self, photos: list[InspectionPhoto]) -> str:
        if not photos:
            return ""
        words = dict.fromkeys(self._fault(code, photo) for photo in photos for code in photo.faults)
        return ngettext(
            "%(n)d photo was not taken for it: %(why)s.",
            "%(n)d photos were not taken for it: %(why)s.",
            len(photos),
        ) % {"n": len(photos), "why": ", ".join(words)}

    def _fault(self, code: str, photo: InspectionPhoto) -> str:
        if code == Fault.WRONG_SHOT and not self.telling.tells_recognised(photo):
            return _("why is told once nobody may be asked what it shows")
        return str(Fault(code).label) if code in Fault.values else code

    def _check(self, known: Known, decides: bool, waits: bool) -> CheckShown:
        project = self.projects[known.project]
        how = self.telling.of(known.project, known.item)
        told = how is not None and how.told
        answer = (
            self.names.classes.get((known.project, known.answer or ""), known.answer or "") if told else ""
        )
        may_open = told and known.decision is not None and may(self.user, project, Action.OVERRULE)
        return CheckShown(
            project=project,
            answer=answer,
            state="" if answer else _state(known, how),
            by=str(_BY[known.by]) if answer else "",
            stated=""
            if not answer or known.error is None
            else _("right in at least %(share)s") % {"share": share_proven(1 - known.error)},
            decides=decides,
            waits=waits,
            decision=known.decision if may_open else None,
            explained=known.decision in self.explained,
        )

    def verdicts(self) -> list[VerdictShown]:
        """The newest first."""
        rows = self.inspection.verdicts.select_related("by", "version").order_by("-number")[:MOST_VERDICTS]
        return [
            VerdictShown(
                each,
                each.version.name_of(each.outcome),
                self._why(each),
                share_proven(each.bound) if each.bound is not None and self.telling.tells_why(each) else "",
            )
            for each in rows
        ]

    def _why(self, verdict: Verdict) -> str:
        if verdict.by_id is not None:
            return verdict.reason
        told = verdict.told
        if told.get("submitted") is False:
            return _("The photographer is not done yet.")
        said = []
        if told["missing"]:
            shots = ", ".join(self.names.shots.get(key, key) for key in told["missing"])
            said.append(_("Photos are missing: %(shots)s.") % {"shots": shots})
        unknown = self._waits_for(verdict)
        absent = [part for part in unknown if self._has_no_photo(part)]
        if answers := [part for part in unknown if part not in absent]:
            said.append(_says_of_unknown(answers, self.names))
        # Nobody can be asked about an optional shot that was not taken.
        if untaken := dict.fromkeys(shot for shot, _project in absent if shot not in told["missing"]):
            shots = ", ".join(self.names.shots.get(key, key) for key in untaken)
            said.append(_("A photo would be needed: %(shots)s.") % {"shots": shots})
        if not said:
            said.append(self._rule_says(verdict) if self.telling.tells_why(verdict) else why_withheld())
        return " ".join(said)

    def _waits_for(self, verdict: Verdict) -> list[ruling.Part]:
        """Of the current verdict, what is unknown today: one that stays held is not appended again with each answer."""
        today = self._today
        if (verdict.pk, today.outcome) == (self.inspection.verdict_id, verdict.outcome) and today.unknown:
            return list(today.unknown)
        return [(shot, project) for shot, project, _why in verdict.told["unknown"]]

    def _has_no_photo(self, part: ruling.Part) -> bool:
        known = self.evidence.by_part.get(part)
        return known is not None and known.why in {"no_photo", "gone"}

    def undecided(self, verdict: Verdict | None) -> list[str]:
        """Why the machine does not decide what a held inspection waits for."""
        if verdict is None or not _by_rules(verdict) or verdict.outcome != Outcome.HELD:
            return []
        parts = [self.evidence.by_part.get(part) for part in self._waits_for(verdict)]
        return why_undecided([each for each in parts if each is not None], self.projects, self.names)

    def _rule_says(self, verdict: Verdict) -> str:
        version = verdict.version
        names = replace(self.names, outcomes=dict(version.names))
        if verdict.told["rule"] is None:
            return rest_says(version.otherwise, names)
        rules = ruling.read(version.rules, self.evidence.asked)
        return sentence(rules[verdict.told["rule"]], names)

    @cached_property
    def _today(self) -> ruling.Judged:
        return self.judge.judge(self.inspection, self.evidence, self.version)

    def now(self, verdict: Verdict | None) -> str:
        """What the rules would say today, where a person said something else."""
        if verdict is None or _by_rules(verdict) or self._today.outcome == verdict.outcome:
            return ""
        return self.version.name_of(self._today.outcome)


def evidence_page(inspection: Inspection, user: User) -> EvidencePage:
    """``user`` may see the figures of its protocol."""
    page = _Page(inspection, user)
    verdicts = page.verdicts()
    current = verdicts[0].verdict if verdicts else None
    return EvidencePage(
        inspection=inspection,
        shots=page.shots(current),
        verdicts=verdicts,
        bound=bound_says(current.told["parts"])
        if current is not None and _by_rules(current) and page.telling.tells_why(current)
        else [],
        now=page.now(current),
        outcomes=[
            (outcome, name)
            for outcome, name in page.version.names
            if current is None or outcome != current.outcome
        ],
        told=all(
            page.telling.tells(known.project, known.item) for known in page.evidence.known if known.item
        ),
        undecided=page.undecided(current),
    )


def bound_says(parts: list[Mapping[str, Any]]) -> list[str]:
    """``parts``: as a verdict keeps them."""
    return whole(
        Resting(part["by"], part["error"], part.get("plan"), part.get("delta", 0.0)) for part in parts
    ).says()


def _by_rules(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.by_id is None


def _state(known: Known, how: Standing | None) -> str:
    if known.why == "no_photo":
        return _("no photo")
    if known.why == "gone":
        return _("the photo was erased")
    if how is not None and how.status == Status.DISPUTED:
        return _("waits for a reviewer")
    if how is not None and how.told:
        return str(how.status.label)
    return _("people are, or may be, asked about it: nothing is told")


def _says_of_unknown(unknown: list[ruling.Part], names: Names) -> str:
    """“It waits for 3 answers: Car wash (Front, Rear), Damage (Front).”"""
    shots = defaultdict(list)
    for shot, project in unknown[:12]:
        shots[project].append(names.shots.get(shot, shot))
    checks = ", ".join(f"{names.projects.get(each, each)} ({', '.join(of)})" for each, of in shots.items())
    return ngettext(
        "It waits for %(n)d answer: %(checks)s.", "It waits for %(n)d answers: %(checks)s.", len(unknown)
    ) % {"n": len(unknown), "checks": checks + (" …" if len(unknown) > 12 else "")}
