"""The week as a manager reads it: one sentence, a table against the week before, the proof, and what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, current_guideline
from labeling.frontier.at_a_glance import glance
from labeling.frontier.models import EndKind
from labeling.monitors.models import Monitor
from labeling.overview.dashboard.panel import Unit, rounded, shown
from labeling.overview.dashboard.targets import percent_exactly
from labeling.overview.dashboard.work_panels import ENDED
from labeling.overview.falls import Fall, falls
from labeling.overview.week.figures import Figures, Span, first_week, week_figures, weeks
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class Line:
    """``before``: of the week before; empty in the first week."""

    name: str
    now: str
    before: str


@dataclass(frozen=True)
class Proven:
    """A certificate that stood at the end of the week."""

    name: str
    bound: str
    promised: str
    n: int
    errors: int


@dataclass(frozen=True)
class Event:
    at: datetime
    text: str


@dataclass(frozen=True)
class Report:
    """``over``: whether the week has ended. ``falls``: what is still to be mended, told of the newest weeks only."""

    span: Span
    over: bool
    says: str
    now: Figures
    before: Figures | None
    groups: list[tuple[str, list[Line]]]
    proven: list[Proven]
    events: list[Event]
    falls: list[Fall]
    earlier: Span | None
    later: Span | None


@dataclass(frozen=True)
class NoSuchWeek(Exception):
    """``why``: a sentence for people."""

    why: str


def report(project: Project, asked: str) -> Report:
    """``asked``: 2026-W47, or nothing for the newest week that is over (the first one, where none is).

    Raises :class:`NoSuchWeek` for what is no week, one that has not begun, and one before the project's first.
    """
    past = weeks(project)
    zone = past.zone
    today = timezone.now().astimezone(ZoneInfo(zone)).date()
    this = Span(_monday(today), zone)
    first = Span(first_week(project, past), zone)
    span = _asked(asked, zone) if asked else max(this.before, first, key=lambda each: each.monday)
    if span.monday > this.monday:
        raise NoSuchWeek(_("The week %(name)s has not begun yet.") % {"name": span.name})
    if span.monday < first.monday:
        raise NoSuchWeek(_("The project's first week is %(name)s.") % {"name": first.name})
    now = week_figures(project, span, past)
    before = week_figures(project, span.before, past) if span.monday > first.monday else None
    names = class_names(current_guideline(project))
    return Report(
        span=span,
        over=span.monday < this.monday,
        says=_says(now),
        now=now,
        before=before,
        groups=_groups(now, before),
        proven=[
            Proven(
                names.get(each.label_class_id, each.label_class.key),
                percent_exactly(each.bound),
                percent_exactly(each.precision),
                each.n,
                each.errors,
            )
            for each in now.certificates
        ],
        events=_events(now, names),
        falls=falls(project, glance([project])) if span.monday >= this.before.monday else [],
        earlier=span.before if before is not None else None,
        later=span.next if span.monday < this.monday else None,
    )


def _monday(day: date) -> date:
    return date.fromisocalendar(*day.isocalendar()[:2], 1)


def _asked(name: str, zone: str) -> Span:
    year, _dash, week = name.partition("-W")
    try:
        if not (len(year) == 4 and len(week) == 2 and name.isascii()):
            raise ValueError
        return Span(date.fromisocalendar(int(year), int(week), 1), zone)
    except ValueError:
        raise NoSuchWeek(_("A week is named like 2026-W47: the year, and the week's number in it.")) from None


def _says(now: Figures) -> str:
    """What it comes to, in at most six sentences."""
    done, told = now.done, []
    decided = done.decided + done.settled
    if not decided:
        told.append(_("Nothing was decided in this week."))
    elif done.decided:
        told.append(
            _("The machine decided %(n)s of %(all)s images (%(share)s), people the others.")
            % {
                "n": rounded(done.decided),
                "all": rounded(decided),
                "share": shown(done.decided / decided, "share"),
            }
        )
    else:
        told.append(
            _("People settled %(n)s images; the machine decided none.") % {"n": rounded(done.settled)}
        )
    if n := done.overruled:
        told.append(
            ngettext("%(n)s decision was overruled.", "%(n)s decisions were overruled.", n)
            % {"n": rounded(n)}
        )
    if n := done.suspended:
        told.append(
            ngettext(
                "%(n)s decision went back to people with a suspended certificate.",
                "%(n)s decisions went back to people with a suspended certificate.",
                n,
            )
            % {"n": rounded(n)}
        )
    if now.audited.share is not None:
        told.append(
            _("Of its audited decisions people settled %(right)d of %(n)d as it had: %(low)s at least.")
            % {"right": now.audited.part, "n": now.audited.whole, "low": shown(now.audited.low, "share")}
        )
    if done.decided and now.hours.saved is not None and now.hours.saved > 0:
        hours = rounded(now.hours.saved, 1)
        told.append(
            _("That saved about %(hours)s person-hours (%(cost)s).")
            % {"hours": hours, "cost": now.hours.cost_saved}
            if now.hours.cost_saved
            else _("That saved about %(hours)s person-hours.") % {"hours": hours}
        )
    if wants := now.suspended + now.fell + len(now.alerts):
        told.append(
            ngettext("%(n)d event needs attention.", "%(n)d events need attention.", wants) % {"n": wants}
        )
    return " ".join(told)


def _groups(now: Figures, before: Figures | None) -> list[tuple[str, list[Line]]]:
    def line(name: str, value: float | None, then: float | None, unit: Unit = "count") -> Line:
        return Line(name, shown(value, unit), shown(then, unit) if before else "")

    def text(name: str, value: str, then: str) -> Line:
        return Line(name, value or "–", (then or "–") if before else "")

    then = before or now
    costs = [
        text(_("Cost of it"), now.hours.cost_spent, then.hours.cost_spent),
        text(_("Cost saved (estimate)"), now.hours.cost_saved, then.hours.cost_saved),
    ]
    return [
        (
            _("Decided"),
            [
                line(_("Images decided by the machine"), now.done.decided, then.done.decided),
                line(_("Images settled by people"), now.done.settled, then.done.settled),
                line(
                    _("of them by one answer that agreed with the machine"),
                    now.done.assisted,
                    then.done.assisted,
                ),
                line(_("Images per human decision"), now.done.per_decision, then.done.per_decision, "ratio"),
                *(
                    line(str(label), getattr(now.done, name), getattr(then.done, name))
                    for name, label in ENDED.items()
                ),
            ],
        ),
        (
            _("How sure"),
            [
                text(
                    _("Audited decisions that people settled the same (95\u00a0% interval)"),
                    _share(now.audited),
                    _share(then.audited),
                ),
                text(
                    _("Blind answers that all agree (95\u00a0% interval)"),
                    _share(now.agreement),
                    _share(then.agreement),
                ),
            ],
        ),
        (
            _("Saved"),
            [
                line(_("Person-hours of work"), now.hours.spent, then.hours.spent, "hours"),
                line(_("Person-hours saved (estimate)"), now.hours.saved, then.hours.saved, "hours"),
                *(costs if now.hours.rate is not None else []),
            ],
        ),
        (
            pgettext("figures", "People"),
            [
                line(_("People who answered"), now.labelers, then.labelers),
                line(_("Answers"), now.done.answers, then.done.answers),
                line(_("Rulings"), now.done.rulings, then.done.rulings),
            ],
        ),
        (
            _("Attention"),
            [
                line(_("Certificates suspended"), now.suspended, then.suspended),
                line(_("Certificates that fell"), now.fell, then.fell),
                line(_("Alerts of the monitors"), len(now.alerts), len(then.alerts)),
            ],
        ),
    ]


def _share(of: Proportion) -> str:
    """98 % [95 %, 99 %], n = 120."""
    if of.share is None:
        return ""
    interval = f"{shown(of.share, 'share')} [{shown(of.low, 'share')}, {shown(of.high, 'share')}]"
    return f"{interval}, n\u00a0=\u00a0{rounded(of.whole)}"


def _events(week: Figures, names: dict[int, str]) -> list[Event]:
    """What wants somebody's attention, in the order in which it happened. No person is named: viewers read this too."""
    found = []
    for end in week.ends:
        if end.kind not in (EndKind.SUSPENDED, EndKind.VOID):
            continue
        told = {
            "class": names.get(end.certificate.label_class_id, end.certificate.label_class.key),
            "why": end.get_reason_display(),
        }
        text = (
            _("The certificate of “%(class)s” was suspended, and its photos went back to people: %(why)s.")
            if end.kind == EndKind.SUSPENDED
            else _("The certificate of “%(class)s” fell: %(why)s.")
        )
        found.append(Event(end.created_at, text % told))
    for alert in week.alerts:
        closing = getattr(alert, "closing", None)
        told = {"what": str(Monitor(alert.monitor).label)}
        text = _("Alert: %(what)s. It is over.") if closing else _("Alert: %(what)s. It is still open.")
        found.append(Event(alert.opened_at, text % told))
    return sorted(found, key=lambda event: event.at)
