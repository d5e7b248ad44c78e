"""The manager's pages: protocols side by side, one's inspections as they come and in figures, one asset over time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may_create_projects
from labeling.http.who_may import Who
from labeling.inspections.models import Protocol, ProtocolVersion, Shot
from labeling.inspections.pages import open_to, protocol_context
from labeling.inspections.permissions import may_in, protocols_of
from labeling.inspections.process import words
from labeling.inspections.process.asset import over_time
from labeling.inspections.process.figures import MOST, MOST_EACH, SPANS, Counted, figures, side_by_side
from labeling.inspections.process.listing import COUNTED, LOOKED_THROUGH, Page, held, page
from labeling.inspections.process.plots import plots
from labeling.inspections.process.service_level import overdue
from labeling.inspections.process.wanted import Wanted
from labeling.refusals import Refused

#: Days of which figures are shown unless others are asked for.
USUAL = 28


@open_to(get=Who.SIGNED_IN)
def protocols(request: HttpRequest) -> HttpResponse:
    """Those of the person, side by side, by what they came to in the last days."""
    known = protocols_of(request.user, archived_too=True)
    mine = [each for each in known if each.archived_at is None]
    counted = side_by_side(mine, USUAL)
    late = overdue(mine)
    rows = [(each, counted.get(each.pk, Counted())) for each in mine]
    return render(
        request,
        "inspections/protocols.html",
        {
            "rows": [
                (each, found, words.took(found.median), words.took(found.p95), late.get(each.pk, 0))
                for each, found in rows
            ],
            "days": USUAL,
            "most": MOST_EACH,
            "cut": any(found.n == MOST_EACH for _each, found in rows),
            "may_create": may_create_projects(request.user),
            "archived": [each for each in known if each.archived_at is not None],
        },
    )


@open_to(get=Action.FIGURES)
def inspections(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    wrong: dict[str, Any] = {}
    wanted, found = Wanted(), Page()
    try:
        wanted = Wanted.read(request.GET.dict())
        found = page(protocol, wanted, request.GET.get("before", ""))
    except Refused as refusal:
        wrong = dict(refusal.fields)
    waiting, oldest = held(protocol)
    older = f"{wanted.query}&{urlencode({'before': found.older})}".lstrip("&") if found.older else ""
    return render(
        request,
        "inspections/inspections.html",
        protocol_context(
            request,
            protocol,
            "protocol",
            wanted=wanted,
            asked=request.GET,
            wrong=wrong,
            rows=[(row, words.took(row.minutes), words.took(row.late_minutes)) for row in found.rows],
            older=older,
            looked_through=LOOKED_THROUGH if found.looked_through else 0,
            outcomes=protocol.current.names,
            held=waiting,
            more_held=waiting > COUNTED,
            counted=COUNTED,
            oldest=oldest,
            overdue=overdue([protocol]).get(protocol.pk, 0),
        ),
        status=422 if wrong else 200,
    )


@open_to(get=Action.FIGURES)
def protocol_figures(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """``?days=7``, ``28`` or ``90``."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, SPANS) else USUAL
    found = figures(protocol, days)
    shots = dict(
        Shot.objects.filter(version__protocol=protocol).order_by("version").values_list("key", "name")
    )
    projects = dict(
        Project.objects.filter(slug__in={slug for _shot, slug, _why, _n in found.held_for}).values_list(
            "slug", "name"
        )
    )
    versions = list(ProtocolVersion.objects.filter(protocol=protocol).defer("rules"))
    names = dict(versions[0].names)
    numbers = {version.pk: version.number for version in versions}
    tables = [
        (_("By site"), _("Site"), [(name or _("not said"), each) for name, each in found.by_site]),
        (
            _("By version of the protocol"),
            _("Version"),
            [(f"{numbers.get(pk, pk)}", each) for pk, each in found.by_version],
        ),
    ]
    if may_in(request.user, protocol, Action.OVERRULE):  # photographers are people
        tables.append((_("By photographer"), _("Photographer"), found.by_photographer))
    return render(
        request,
        "inspections/figures.html",
        protocol_context(
            request,
            protocol,
            "protocol-figures",
            found=found,
            most=MOST,
            spans=[(span, span == days) for span in SPANS],
            median=words.took(found.total.median),
            p95=words.took(found.total.p95),
            names=names,
            plots=plots(found, names),
            tables=[
                (title, head, [_counted(name, each) for name, each in rows])
                for title, head, rows in tables
                if rows
            ],
            held_for=[
                (shots.get(shot, shot), projects.get(slug, slug), words.why(why), n)
                for shot, slug, why, n in found.held_for
            ],
            faults=[(shots.get(shot, shot), words.fault(fault), n) for shot, fault, n in found.faults],
        ),
    )


def _counted(name: str, each: Counted) -> tuple[str, Counted, str, str]:
    return name, each, words.took(each.median), words.took(each.p95)


@open_to(get=Who.SIGNED_IN)
def asset(request: HttpRequest, kind: str, identifier: str) -> HttpResponse:
    wrong, found = "", None
    try:
        found = over_time(request.user, kind, identifier, request.GET.get("before", ""))
    except Refused as refusal:
        wrong, found = refusal.message, over_time(request.user, kind, identifier)
    return render(
        request, "inspections/asset.html", {"found": found, "wrong": wrong}, status=422 if wrong else 200
    )
