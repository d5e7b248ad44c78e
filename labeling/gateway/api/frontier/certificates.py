"""The evidence for certificates: photos drawn at random for people, and a look at what they said."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.services import MOST_DRAWN, draw_for_band, draw_random, request_certification
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import ClassKey
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer


class DrawIn(StrictSerializer):
    """Photos of the whole pool, or, with a class, of the region that its next threshold closes."""

    count = serializers.IntegerField(
        min_value=1,
        max_value=MOST_DRAWN,
        required=False,
        help_text="with a class it may be left out: what the newest look said that the threshold lacks",
    )
    class_ = ClassKey(required=False, help_text="key of a predicted class")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "count" not in attrs and "class" not in attrs:
            raise serializers.ValidationError({"count": [_("Say how many, or of which class.")]})
        return attrs


class DrawOut(Shape):
    drawn = serializers.IntegerField()


@route("projects/<slug:slug>/draw", "api-draw", "frontier")
class DrawView(ApiView):
    @endpoint(
        "draw_random",
        "Draw photos at random from the pool, and ask people for them before all others",
        may=Action.DECIDE,
        takes=DrawIn,
        returns=DrawOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        by, key, count = signed_in(request), given.get("class"), given.get("count")
        if key is not None:
            return {"drawn": draw_for_band(project=project, by=by, class_key=key, count=count)}
        return {"drawn": draw_random(project=project, by=by, count=given["count"])}


@route("projects/<slug:slug>/certify", "api-certify", "frontier")
class CertifyView(ApiView):
    @endpoint(
        "certify",
        "Hold the random labels against the champion, as a job",
        may=Action.DECIDE,
        returns=JobOut,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, project: Project) -> Json:
        return present_job(request_certification(project=project, by=signed_in(request)))
