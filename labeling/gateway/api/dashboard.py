"""The dashboard's figures: all of them as JSON, and each panel's rows as a streamed CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange.tables import streamed
from labeling.frontier.bands import BandState
from labeling.frontier.models import Mode, PromiseKind
from labeling.gateway.api.accuracy import AccuracyOut, AtTrainingOut
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint, file_of, one_of
from labeling.gateway.api.shapes import Shape
from labeling.overview.dashboard import build as figures
from labeling.overview.dashboard.build import PANELS, Headline
from labeling.overview.dashboard.history import BY
from labeling.overview.dashboard.panel import Panel
from labeling.overview.dashboard.timeline import Frame

CHUNK = 500


_BY = OpenApiParameter("by", str, enum=list(BY), description="by default what keeps the plots readable")


class DashboardIntervalOut(Shape):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class DashboardHeadlineOut(Shape):
    images = serializers.IntegerField(help_text="decided: by_people and by_machine")
    by_people = serializers.IntegerField()
    by_machine = serializers.IntegerField()
    by_one_answer = serializers.IntegerField(
        help_text="of by_people: settled by one answer that agreed with the machine"
    )
    human_decisions = serializers.IntegerField(help_text="answers, gold too, and rulings")
    per_decision = serializers.FloatField(allow_null=True, help_text="images per human decision")
    all_human = serializers.FloatField(
        allow_null=True, help_text="the same had people decided all, without the machine"
    )
    times = serializers.FloatField(allow_null=True, help_text="per_decision over all_human")
    hours = serializers.FloatField(help_text="of people, answering and reviewing")
    hours_per_1000 = serializers.FloatField(allow_null=True, help_text="images decided")
    hours_per_1000_all_human = serializers.FloatField(allow_null=True)
    certified = serializers.FloatField(help_text="share of the pool")
    precision = serializers.FloatField(help_text="wished for, of what `promise` speaks of")
    promise = serializers.ChoiceField(PromiseKind.choices)
    mode = serializers.ChoiceField(Mode.choices)
    model = serializers.IntegerField(allow_null=True)
    accuracy = AccuracyOut(
        allow_null=True, help_text="of the champion, on random photos that people settled since it was made"
    )
    accuracy_at_training = AtTrainingOut(allow_null=True, help_text="what its training knew of it")
    agreement = DashboardIntervalOut(allow_null=True, help_text="photos on which all blind answers agree")
    compared = serializers.IntegerField(help_text="photos with two blind answers or more")


class DashboardColumnOut(Shape):
    name = serializers.CharField()
    label_ = serializers.CharField()
    unit = serializers.CharField()


class DashboardPanelOut(Shape):
    key = serializers.ChoiceField([(key, key) for key in PANELS])
    title = serializers.CharField(help_text="the finding")
    says = serializers.CharField(allow_blank=True, help_text="how to read it, and what is assumed")
    empty = serializers.CharField(allow_blank=True, help_text="why there are no rows")
    columns = DashboardColumnOut(many=True)
    rows = serializers.ListField(child=serializers.DictField(), help_text="by the names of the columns")


class DashboardLadderOut(Shape):
    bands = serializers.ListField(
        child=serializers.ChoiceField([(each.value, each.value) for each in BandState]),
        help_text="outermost first",
    )
    certified = serializers.FloatField(help_text="share of the class's photos")
    class_ = serializers.CharField()


class DashboardFrameOut(Shape):
    at = serializers.DateTimeField()
    says = serializers.ListField(child=serializers.CharField())
    model = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(Mode.choices)
    open_band = serializers.IntegerField(help_text="1 is the outermost")
    bands = serializers.IntegerField()
    certified = serializers.FloatField(help_text="share of the pool")
    ladders = DashboardLadderOut(many=True)


class DashboardOut(Shape):
    at = serializers.DateTimeField()
    by = serializers.ChoiceField([(by, by) for by in BY])
    time_zone = serializers.CharField(help_text="in which days begin")
    says = serializers.CharField()
    headline = DashboardHeadlineOut()
    panels = DashboardPanelOut(many=True)
    frames = DashboardFrameOut(many=True, help_text="how the frontier moved, oldest first")


def _asked(request: Request) -> str:
    """How finely over time; empty: as the dashboard chooses."""
    return (one_of(request, "by", BY) or "") if request.query_params.get("by") else ""


def _headline(headline: Headline) -> dict[str, Any]:
    share = headline.agreement
    known = share.share is not None
    known_of = headline.accuracy
    return {
        **asdict(headline),
        "accuracy": AccuracyOut.of_version(known_of),
        "accuracy_at_training": AtTrainingOut.of_version(known_of),
        "agreement": {"value": share.share, "low": share.low, "high": share.high} if known else None,
        "compared": share.whole,
    }


def _panel(each: Panel) -> dict[str, Any]:
    columns = [DashboardColumnOut.of(column) for column in each.columns]
    return DashboardPanelOut.of(each, columns=columns, rows=list(each.rows))


def _frame(frame: Frame) -> dict[str, Any]:
    ladders = [
        DashboardLadderOut.of(each, class_=each.key, bands=[str(band) for band in each.bands])
        for each in frame.ladders
    ]
    return DashboardFrameOut.of(frame, open_band=frame.open, ladders=ladders)


@route("projects/<slug:slug>/dashboard", "api-dashboard", "frontier")
class DashboardView(ApiView):
    @endpoint(
        "get_dashboard",
        "What was decided, by whom, at what cost and on what proof, over time",
        may=Action.FIGURES,
        returns=DashboardOut,
        parameters=[_BY],
        errors=(422,),
    )
    def get(self, request: Request, project: Project) -> Json:
        seen = figures.dashboard(project, by=_asked(request))
        return DashboardOut.of(
            seen,
            time_zone=seen.zone,
            says=figures.says(seen.headline),
            headline=_headline(seen.headline),
            panels=[_panel(each) for each in seen.panels],
            frames=[_frame(each) for each in seen.frames],
        )


@route("projects/<slug:slug>/dashboard/<str:panel>.csv", "api-dashboard-panel", "frontier")
class DashboardPanelView(ApiView):
    @endpoint(
        "get_dashboard_panel",
        "The rows of one panel of the dashboard, as a streamed file",
        may=Action.FIGURES,
        also=file_of("text/csv", "with a header row", OpenApiTypes.STR),
        parameters=[OpenApiParameter("panel", str, OpenApiParameter.PATH, enum=list(PANELS)), _BY],
        errors=(422,),
    )
    def get(self, request: Request, project: Project, panel: str) -> StreamingHttpResponse:
        by = _asked(request)
        if panel not in PANELS:
            raise Http404(_("There are these panels: %(names)s.") % {"names": ", ".join(PANELS)})
        found = figures.panel(project, panel, by=by)
        return streamed(
            request._request,
            _chunks(found),
            columns=tuple(column.name for column in found.columns),
            format="csv",
            filename=f"{project.slug}-{panel}",
        )


def _chunks(found: Panel) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(found.rows), CHUNK):
        yield [dict(row) for row in found.rows[start : start + CHUNK]]
