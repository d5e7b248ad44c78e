"""What a person reads of all their projects at once: what needs them, what decides by itself, and what is red.

However many projects there are, it takes the same number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.proposals import waiting_proposals, waiting_proposals_say
from labeling.frontier.at_a_glance import Glance, glance
from labeling.inspections.models import Protocol
from labeling.monitors.selectors import unseen_alerts
from labeling.overview.next_steps import failed_jobs
from labeling.overview.project_cards import ProjectCard
from labeling.overview.sentence import decides, right_when_decided, standing
from labeling.people.models import User
from labeling.queue.selectors import waiting_for
from labeling.truth.models import OpenDispute, Pause


@dataclass(frozen=True)
class Line:
    """One thing in one project or protocol. ``page``: where it is done; empty where the person has nothing to do there."""

    project: Project | Protocol
    text: str
    icon: str
    page: str = ""
    button: str = ""


@dataclass(frozen=True)
class Across:
    """``says``: all of it in one sentence. ``machine``: project id -> what the machine decides there, in words."""

    says: str
    needs: list[Line]
    red: list[Line]
    machine: dict[int, str]


def across(user: User, cards: Sequence[ProjectCard], late: Mapping[Protocol, int]) -> Across:
    """``late``: how many inspections of a protocol are overdue."""
    seen = glance([card.project for card in _who_may(Action.FIGURES, cards)])
    needs, red = _needs(user, cards), [*_red(cards, seen), *_late(late)]
    return Across(
        says=_says(cards, seen, needs, red),
        needs=needs,
        red=red,
        machine={
            card.project.pk: _machine(card, seen) for card in _who_may(Action.FIGURES, cards) if card.pool
        },
    )


def _who_may(action: Action, cards: Sequence[ProjectCard]) -> list[ProjectCard]:
    return [card for card in cards if action in card.can]


def _needs(user: User, cards: Sequence[ProjectCard]) -> list[Line]:
    """Rulings, then what only an admin can do, then answers."""
    rulings = _disputes_to_rule(user, [card.project for card in _who_may(Action.REVIEW, cards)])
    run = [card.project for card in _who_may(Action.ADMIN, cards)]
    stopped, proposals = _paused(run), waiting_proposals(run)
    # An admin may label, and is not who waits to be asked.
    labeled = [card.project for card in _who_may(Action.LABEL, cards) if Action.ADMIN not in card.can]
    own = set(Pause.objects.filter(labeler=user, lifted_at__isnull=True).values_list("project", flat=True))
    waiting = waiting_for(user, labeled)
    found = []
    for project in (card.project for card in cards):
        if n := rulings[project.pk]:
            text = ngettext("%(n)d dispute waits for your ruling", "%(n)d disputes wait for your ruling", n)
            found.append(Line(project, text % {"n": n}, "scale", "review", _("Review")))
    for project in (card.project for card in cards):
        if n := stopped[project.pk]:
            text = ngettext("%(n)d labeler is paused", "%(n)d labelers are paused", n)
            found.append(Line(project, text % {"n": n}, "circle-pause", "labelers", _("Look")))
    for project in (card.project for card in cards):
        if n := proposals[project.pk]:
            found.append(Line(project, waiting_proposals_say(n), "book-open", "guideline", _("Look")))
    for project in labeled:
        if project.pk in own:
            text = _("Labeling is paused for you: talk to an admin of this project")
            found.append(Line(project, text, "circle-pause", "project", _("Why")))
        elif project.pk in waiting:
            found.append(Line(project, _("Photos wait for your answers"), "tag", "label", _("Label")))
    return found


def _disputes_to_rule(user: User, projects: Sequence[Project]) -> Counter[int]:
    """Open disputes that this person may rule on: of photos that they did not answer, unless the project lets them."""
    strict = [project.pk for project in projects if not project.reviewer_may_rule_own]
    waiting = OpenDispute.objects.filter(project__in=projects, held=False)
    theirs = waiting.exclude(project__in=strict, answered_by__contains=[user.pk])
    return Counter(dict(theirs.order_by().values_list("project").annotate(n=Count("pk"))))


def _paused(projects: Sequence[Project]) -> Counter[int]:
    pauses = Pause.objects.filter(project__in=projects, lifted_at__isnull=True)
    return Counter(pauses.values_list("project", flat=True))


def _red(cards: Sequence[ProjectCard], seen: Glance) -> list[Line]:
    """By project: certificates that stand no more, alerts that nobody has acknowledged, and, for admins, failed jobs."""
    told = _who_may(Action.FIGURES, cards)
    suspended = Counter(end.certificate.project_id for end in seen.suspended)
    fallen = Counter(end.certificate.project_id for end in seen.fallen)
    alerts = unseen_alerts([card.project for card in told])
    failed = failed_jobs([card.project for card in _who_may(Action.ADMIN, cards)])
    found = []
    for card in told:
        project, opens = card.project, Action.OVERRULE in card.can
        frontier: dict[str, Any] = {"page": "frontier", "button": _("Frontier")} if opens else {}
        monitors: dict[str, Any] = {"page": "monitors", "button": _("Monitors")} if opens else {}
        if n := suspended[project.pk]:
            text = ngettext("%(n)d certificate is suspended", "%(n)d certificates are suspended", n) % {
                "n": n
            }
            found.append(Line(project, text, "shield-alert", **frontier))
        if n := fallen[project.pk]:
            text = ngettext("%(n)d certificate fell", "%(n)d certificates fell", n) % {"n": n}
            found.append(Line(project, text, "shield-off", **frontier))
        if n := alerts[project.pk]:
            text = ngettext("%(n)d alert is not acknowledged", "%(n)d alerts are not acknowledged", n) % {
                "n": n
            }
            found.append(Line(project, text, "activity", **monitors))
        if project.pk in failed:
            found.append(Line(project, _("A job failed"), "list-checks", "jobs", _("Jobs")))
    return found


def _late(late: Mapping[Protocol, int]) -> Iterator[Line]:
    for protocol, n in late.items():
        text = ngettext("%(n)d held inspection is overdue", "%(n)d held inspections are overdue", n) % {
            "n": n
        }
        yield Line(protocol, text, "clipboard-check", "protocol", _("Look"))


def _machine(card: ProjectCard, seen: Glance) -> str:
    at = standing(card.project, seen, pool=card.pool, people=card.settled)
    if not at.machine:
        return _("%(decided)s.") % {"decided": decides(at)}
    return _("%(decided)s; %(right)s.") % {"decided": decides(at), "right": right_when_decided(at)}


def _says(cards: Sequence[ProjectCard], seen: Glance, needs: Sequence[Line], red: Sequence[Line]) -> str:
    """Counts each line once, under the heading that it stands under; what is red needs an admin of its project."""
    parts = []
    admin = {card.project.pk for card in _who_may(Action.ADMIN, cards)}
    if n := len(needs):
        parts.append(ngettext("%(n)d thing needs you", "%(n)d things need you", n) % {"n": n})
    elif not any(isinstance(line.project, Protocol) or line.project.pk in admin for line in red):
        parts.append(_("Nothing needs you now"))
    if n := len(red):
        parts.append(ngettext("%(n)d problem is open", "%(n)d problems are open", n) % {"n": n})
    if pool := sum(card.pool for card in _who_may(Action.FIGURES, cards)):
        told = {"machine": f"{sum(seen.decided.values()):,}", "pool": f"{pool:,}"}
        parts.append(_("the machine decides %(machine)s of %(pool)s photos") % told)
    said = parts[0]
    for part in parts[1:]:
        said = _("%(said)s; %(more)s") % {"said": said, "more": part}
    return f"{said}."
