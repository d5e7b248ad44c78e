"""Proposed changes of the guideline as people read them: what each would change, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.history import Change, changes_of_class
from labeling.catalog.models import ClassDefinition, Guideline, GuidelineProposal, Project, ProposalAnswer
from labeling.catalog.proposing import outdated

#: Answered ones on the page.
ANSWERED = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """``changes``: against the version that it was made of. ``outdated``: names of classes that were amended since."""

    proposal: GuidelineProposal
    changes: list[Change]
    answer: ProposalAnswer | None
    outdated: list[str]

    @property
    def state(self) -> str:
        """open, agreed or declined."""
        if self.answer is None:
            return "open"
        return "declined" if self.answer.guideline_id is None else "agreed"


def proposals_of(project: Project) -> QuerySet[GuidelineProposal]:
    """Each with all that :func:`proposed` reads, in as many queries however many there are."""
    definitions = ClassDefinition.objects.select_related("label_class", "merged_into").prefetch_related(
        "exemplars"
    )
    return (
        GuidelineProposal.objects.filter(project=project)
        .select_related("by", "base", "answer__by", "answer__guideline")
        .prefetch_related(Prefetch("base__definitions", definitions))
    )


def waiting_proposals(projects: Sequence[Project]) -> Counter[int]:
    """Project id -> proposals that no admin has answered. One query."""
    return Counter(unanswered(projects).values_list("project", flat=True))


def unanswered(projects: Sequence[Project]) -> QuerySet[GuidelineProposal]:
    return GuidelineProposal.objects.filter(project__in=projects, answer__isnull=True)


def waiting_proposals_say(n: int) -> str:
    return ngettext(
        "%(n)d proposed change of the guideline waits for an admin",
        "%(n)d proposed changes of the guideline wait for an admin",
        n,
    ) % {"n": n}


def proposed(current: Guideline, proposal: GuidelineProposal) -> Proposed:
    """``proposal`` of :func:`proposals_of`, with what it changes."""
    answer = getattr(proposal, "answer", None)
    return Proposed(
        proposal, _changes(proposal), answer, outdated(proposal, current) if answer is None else []
    )


def proposals_shown(project: Project, current: Guideline) -> list[Proposed]:
    """Those that wait, oldest first, then the newest of those that are answered."""
    newest = ProposalAnswer.objects.filter(proposal__project=project).order_by("-pk").values("pk")[:ANSWERED]
    found = proposals_of(project).filter(Q(answer__isnull=True) | Q(answer__in=newest))
    in_order = found.order_by(F("answer__pk").desc(nulls_first=True), "pk")
    return [proposed(current, each) for each in in_order]


def _changes(proposal: GuidelineProposal) -> list[Change]:
    said: list[Change] = []
    parts = proposal.changes
    photos = parts.get("exemplars", {}).keys() | parts.get("more_exemplars", {}).keys()
    for old in proposal.base.definitions.all():
        key, new = old.label_class.key, copy(old)
        new.criteria = parts.get("criteria", {}).get(key, old.criteria).strip()
        new.checklist = parts.get("checklist", {}).get(key, old.checklist)
        said += changes_of_class(key, old, new, {})
        if key in photos:
            said.append(Change(_("The exemplars of “%(name)s” were changed.") % {"name": old.name}, key))
    return said
