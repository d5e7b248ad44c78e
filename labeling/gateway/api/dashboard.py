"""The dashboard's figures: all of them as JSON, and each panel's rows as a streamed CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, project_for
from labeling.frontier.bands import BandState
from labeling.frontier.models import Mode
from labeling.gateway.api.base import ApiView, documented
from labeling.gateway.export import streamed
from labeling.overview.dashboard import build as figures
from labeling.overview.dashboard.build import PANELS, Headline
from labeling.overview.dashboard.history import BY
from labeling.overview.dashboard.panel import Panel
from labeling.overview.dashboard.timeline import Frame
from labeling.refusals import Refused

CHUNK = 500
_BY = OpenApiParameter("by", str, enum=list(BY), description="by default what keeps the plots readable")


class DashboardIntervalOut(serializers.Serializer[Any]):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class DashboardHeadlineOut(serializers.Serializer[Any]):
    images = serializers.IntegerField(help_text="decided: by_people and by_machine")
    by_people = serializers.IntegerField()
    by_machine = serializers.IntegerField()
    human_decisions = serializers.IntegerField(help_text="answers, gold too, and rulings")
    per_decision = serializers.FloatField(allow_null=True, help_text="images per human decision")
    all_human = serializers.FloatField(allow_null=True, help_text="the same had people decided all")
    times = serializers.FloatField(allow_null=True, help_text="per_decision over all_human")
    hours = serializers.FloatField(help_text="of people, answering and reviewing")
    hours_per_1000 = serializers.FloatField(allow_null=True, help_text="images decided")
    hours_per_1000_all_human = serializers.FloatField(allow_null=True)
    certified = serializers.FloatField(help_text="share of the pool")
    precision = serializers.FloatField(help_text="wished for")
    mode = serializers.ChoiceField(Mode.choices)
    model = serializers.IntegerField(allow_null=True)
    accuracy = DashboardIntervalOut(allow_null=True)
    accuracy_random = serializers.BooleanField(help_text="on randomly drawn photos; else cross-validated")
    agreement = DashboardIntervalOut(allow_null=True, help_text="photos on which all blind answers agree")
    compared = serializers.IntegerField(help_text="photos with two blind answers or more")


class DashboardColumnOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # our word
    unit = serializers.CharField()


class DashboardPanelOut(serializers.Serializer[Any]):
    key = serializers.ChoiceField([(key, key) for key in PANELS])
    title = serializers.CharField(help_text="the finding")
    says = serializers.CharField(allow_blank=True, help_text="how to read it, and what is assumed")
    empty = serializers.CharField(allow_blank=True, help_text="why there are no rows")
    columns = DashboardColumnOut(many=True)
    rows = serializers.ListField(child=serializers.DictField(), help_text="by the names of the columns")


class DashboardLadderOut(serializers.Serializer[Any]):
    bands = serializers.ListField(
        child=serializers.ChoiceField([(each.value, each.value) for each in BandState]),
        help_text="outermost first",
    )
    certified = serializers.FloatField(help_text="share of the class's photos")

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField()}


class DashboardFrameOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    says = serializers.ListField(child=serializers.CharField())
    model = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(Mode.choices)
    open_band = serializers.IntegerField(help_text="1 is the outermost")
    bands = serializers.IntegerField()
    certified = serializers.FloatField(help_text="share of the pool")
    ladders = DashboardLadderOut(many=True)


class DashboardOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    by = serializers.ChoiceField([(by, by) for by in BY])
    time_zone = serializers.CharField(help_text="in which days begin")
    says = serializers.CharField()
    headline = DashboardHeadlineOut()
    panels = DashboardPanelOut(many=True)
    frames = DashboardFrameOut(many=True, help_text="how the frontier moved, oldest first")


def _asked(request: Request) -> str:
    by = str(request.query_params.get("by", ""))
    if by and by not in BY:
        message = _("One of: %(known)s.") % {"known": ", ".join(BY)}
        raise Refused.invalid("by", message, short=[message])
    return by


def _headline(headline: Headline) -> dict[str, Any]:
    share = headline.agreement
    known = share.share is not None
    return {
        **asdict(headline),
        "agreement": {"value": share.share, "low": share.low, "high": share.high} if known else None,
        "compared": share.whole,
    }


def _panel(each: Panel) -> dict[str, Any]:
    return {
        "key": each.key,
        "title": each.title,
        "says": each.says,
        "empty": each.empty,
        "columns": [{"name": c.name, "label": c.label, "unit": c.unit} for c in each.columns],
        "rows": list(each.rows),
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "at": frame.at,
        "says": frame.says,
        "model": frame.model,
        "mode": frame.mode,
        "open_band": frame.open,
        "bands": frame.bands,
        "certified": frame.certified,
        "ladders": [
            {"class": each.key, "bands": [str(band) for band in each.bands], "certified": each.certified}
            for each in frame.ladders
        ],
    }


class DashboardView(ApiView):
    @documented(
        "get_dashboard",
        "What was decided, by whom, at what cost and on what proof, over time",
        returns=DashboardOut,
        parameters=[_BY],
        errors=(422,),
        tag="frontier",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        seen = figures.dashboard(project, by=_asked(request))
        return Response(
            {
                "at": seen.at,
                "by": seen.by,
                "time_zone": seen.zone,
                "says": figures.says(seen.headline),
                "headline": _headline(seen.headline),
                "panels": [_panel(each) for each in seen.panels],
                "frames": [_frame(each) for each in seen.frames],
            }
        )


class DashboardPanelView(ApiView):
    @documented(
        "get_dashboard_panel",
        "The rows of one panel of the dashboard, as a streamed file",
        returns=None,
        also={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="with a header row")},
        parameters=[OpenApiParameter("panel", str, OpenApiParameter.PATH, enum=list(PANELS)), _BY],
        errors=(422,),
        tag="frontier",
    )
    def get(self, request: Request, slug: str, panel: str) -> StreamingHttpResponse:
        project = project_for(request.user, slug, Action.OVERRULE)
        by = _asked(request)
        if panel not in PANELS:
            raise Http404(_("There are these panels: %(names)s.") % {"names": ", ".join(PANELS)})
        found = figures.panel(project, panel, by=by)
        plain: HttpRequest = request._request
        return streamed(
            plain,
            _chunks(found),
            columns=tuple(column.name for column in found.columns),
            format="csv",
            filename=f"{project.slug}-{panel}",
        )


def _chunks(found: Panel) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(found.rows), CHUNK):
        yield [dict(row) for row in found.rows[start : start + CHUNK]]
