"""The audit trail's page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to
from labeling.http.who_may import Who
from labeling.overview.diary import sentence
from labeling.overview.trail import reading
from labeling.overview.trail.topics import TOPICS
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused

A_PAGE = 50


@open_to(get=Who.SUPERUSER)
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET[name] for name in reading.ASKED if request.GET.get(name)}
    wrong: dict[str, str] = {}
    try:
        by, before = reading.narrowed(asked), reading.place_of(request.GET.get("before", ""))
        events, further = reading.page(by, before=before, limit=A_PAGE)
    except Refused as refusal:
        wrong = dict(refusal.fields)
        events, further = [], None
    context = {
        "asked": asked,
        "wrong": wrong,
        "rows": [_shown(event) for event in events],
        "older": urlencode({**asked, "before": str(further)}) if further else "",
        "query": urlencode(asked),
        "topics": [(key, topic.name) for key, topic in TOPICS.items()],
        "people": User.objects.order_by("username").values_list("username", flat=True)[:500],
        "projects": Project.objects.order_by("slug").values_list("slug", flat=True)[:500],
    }
    return render(request, "overview/trail.html", context, status=422 if wrong else 200)


def _shown(event: reading.Event) -> dict[str, object]:
    """``says``: what happened; ``account`` and ``project``: where there is more; ``unknown``: nobody can tell by whom."""
    if isinstance(event, AccountEvent):
        says = str(event.get_kind_display()) + (f": {event.shown_what}" if event.what else "")
        kinds = AccountEvent.Kind
        return {
            "at": event.at,
            "by": event.by,
            "says": says,
            "account": event.person,
            "project": None,
            "unknown": event.kind in (kinds.SUPERUSER_ON, kinds.SUPERUSER_OFF),
        }
    return {
        "at": event.at,
        "by": event.actor,
        "says": sentence(event),
        "account": None,
        "project": event.project,
    }
