"""The evidence of one inspection with the form that overrules, and the page of a protocol's rules."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.permissions import Action
from labeling.database.read_once import only_looking
from labeling.http.who_may import pages
from labeling.inspections import services
from labeling.inspections.evidence_page import evidence_page
from labeling.inspections.models import Inspection, Outcome, Protocol
from labeling.inspections.naming import asked_by, names_of
from labeling.inspections.pages import open_to, protocol_context
from labeling.inspections.permissions import inspection_for
from labeling.inspections.protocols import described, shape_of
from labeling.inspections.rules import read
from labeling.inspections.rules_form import Row, choices, put_beside, read_rows, rows_of, with_spare
from labeling.inspections.sentences import rest_says, sentence
from labeling.inspections.trying import MOST, Trial, checked_rules
from labeling.inspections.wanting import why_not_looked
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole

_of_inspection = pages({"inspection_id": ("inspection", inspection_for)})


@_of_inspection(get=Action.FIGURES)
def inspection(request: HttpRequest, protocol: str, inspection: Inspection) -> HttpResponse:
    return _evidence(request, _in(protocol, inspection))


@_of_inspection(post=Action.OVERRULE)
def overrule(request: HttpRequest, protocol: str, inspection: Inspection) -> HttpResponse:
    try:
        services.overrule(
            inspection=_in(protocol, inspection),
            by=signed_in(request),
            outcome=request.POST.get("outcome", ""),
            reason=request.POST.get("reason", ""),
        )
    except Refused as refusal:
        with only_looking():
            return _evidence(request, inspection, error=refusal.message, status=refusal.status)
    messages.success(request, _("Overruled. Your verdict and your reason are kept."))
    return redirect("inspection", protocol=protocol, inspection_id=inspection.pk)


def _in(protocol: str, inspection: Inspection) -> Inspection:
    if inspection.protocol.slug != protocol:
        raise Http404(_("There is no such inspection, or you are not a member of all projects that it asks."))
    return inspection


def _evidence(request: HttpRequest, found: Inspection, *, error: str = "", status: int = 200) -> HttpResponse:
    context = protocol_context(
        request,
        found.protocol,
        "protocol",
        evidence=evidence_page(found, signed_in(request)),
        inspection=found,
        not_looked=why_not_looked(found),
        error=error,
        typed=request.POST,
    )
    return render(request, "inspections/inspection.html", context, status=status)


@open_to(get=Action.FIGURES)
def rules(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """The rules in force as sentences, and for admins as a table."""
    version = protocol.current
    return _rules(request, protocol, rows_of(version.rules), version.otherwise)


@open_to(post=Action.ADMIN)
def change_rules(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """Try the rules of the table; published they are as they were tried."""
    otherwise = request.POST.get("otherwise", "")
    if "tried" in request.POST:
        return _publish(request, protocol, request.POST["tried"], otherwise)
    rows, raw, places = read_rows(request.POST)
    with only_looking():
        if any(row.wrong for row in rows):
            return _rules(request, protocol, rows, otherwise, status=422)
        try:
            trial = services.try_rules(protocol=protocol, rules=raw, otherwise=otherwise)
        except Refused as refusal:
            errors = put_beside(places, refusal.fields)
            return _rules(request, protocol, rows, otherwise, errors=errors, status=refusal.status)
        return _rules(request, protocol, rows, otherwise, raw=raw, trial=trial)


def _publish(request: HttpRequest, found: Protocol, tried: str, otherwise: str) -> HttpResponse:
    try:
        raw = json.loads(tried)
        json.dumps(raw, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError):
        raw = None
    rows = rows_of(found.current.rules)
    try:
        checked_rules(found.current, raw, otherwise)
        rows = rows_of(raw)
        version = services.publish_version(
            protocol=found,
            by=signed_in(request),
            note=request.POST.get("note", ""),
            rules=raw,
            otherwise=otherwise,
            expected=whole(request.POST.get("expected", "")),
        )
    except Refused as refusal:
        with only_looking():
            return _rules(request, found, rows, otherwise, errors=[refusal.message], status=refusal.status)
    messages.success(
        request,
        _("Version %(n)d is in force. Inspections that are held are judged by it now.")
        % {"n": version.number},
    )
    return redirect("protocol-rules", protocol=found.slug)


def _rules(
    request: HttpRequest,
    protocol: Protocol,
    rows: list[Row],
    otherwise: str,
    *,
    raw: Any = None,
    trial: Trial | None = None,
    errors: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    version = protocol.current
    projects = asked_by(version)
    names = names_of(version, projects)
    shape = shape_of(described(version)["shots"], projects)
    context = protocol_context(
        request,
        protocol,
        "protocol-rules",
        version=version,
        sentences=[sentence(rule, names) for rule in read(version.rules, shape.asked)],
        rest=rest_says(version.otherwise, names),
        rows=with_spare(rows),
        offers=choices(shape, names, rows),
        otherwise=otherwise,
        names=names.outcomes,
        outcomes={"passed": Outcome.PASSED, "held": Outcome.HELD, "failed": Outcome.FAILED},
        errors=errors or [],
        trial=trial,
        most=MOST,
        tried=None if trial is None else json.dumps(raw),
        tried_sentences=[] if trial is None else [sentence(rule, names) for rule in read(raw, shape.asked)],
        tried_rest="" if trial is None else rest_says(otherwise, names),
        counts=[] if trial is None else _counts(trial, names.outcomes),
        changes=[]
        if trial is None
        else [(each, names.outcomes[each.before], names.outcomes[each.after]) for each in trial.changes],
    )
    return render(request, "inspections/rules.html", context, status=status)


def _counts(trial: Trial, outcomes: Any) -> list[tuple[str, str, int, bool]]:
    """(name before, name after, how many, whether that is a change), changes first."""
    rows = sorted(trial.counts.items(), key=lambda each: (each[0][0] == each[0][1], -each[1]))
    return [(outcomes[before], outcomes[after], n, before != after) for (before, after), n in rows]
