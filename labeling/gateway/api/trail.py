"""The audit trail, as pages and as a file."""

from __future__ import annotations

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from labeling.exchange.tables import FORMATS, streamed
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, paged
from labeling.gateway.pagination import page_behind
from labeling.http.who_may import Who
from labeling.overview.trail import reading
from labeling.overview.trail.topics import TOPICS
from labeling.people.history import remember
from labeling.people.models import AccountEvent

_NARROWED = [
    OpenApiParameter("person", str, description="A user name: who did it, or whom it was done to."),
    OpenApiParameter("topic", enum=list(TOPICS)),
    OpenApiParameter("project", str, description="The address of a project."),
    OpenApiParameter("since", str, description="A date or a moment (ISO 8601)."),
    OpenApiParameter("until", str, description="The same; events before it."),
]


class EventOut(Shape):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    by = serializers.CharField(
        allow_null=True, help_text="user name; null: Hilltop itself, not signed in, or not known"
    )
    account = serializers.CharField(allow_null=True, help_text="user name of whom it was done to")
    project = serializers.CharField(allow_null=True, help_text="address of the project")
    what = serializers.DictField(help_text="what the kind tells")


@route("audit-trail", "api-audit-trail", "accounts")
class AuditTrailView(ApiView):
    @endpoint(
        "audit_trail",
        "Who did what to accounts and projects, newest first",
        may=Who.SUPERUSER,
        returns=paged("AuditTrailPage", EventOut),
        parameters=_NARROWED,
    )
    def get(self, request: Request) -> Json:
        by = reading.narrowed(request.query_params)
        before = reading.place_of(request.query_params.get("cursor", ""))
        return page_behind(
            request, lambda limit: reading.page(by, before=before, limit=limit), present=reading.row
        )


@route("audit-trail.<str:ending>", "api-audit-trail-export", "accounts")
class AuditTrailExportView(ApiView):
    throttle_scope = "export"
    throttled_methods = ("GET", "HEAD")

    @endpoint(
        "export_audit_trail",
        "The same as one streamed file",
        may=Who.SUPERUSER,
        also={
            (200, each.content_type.split(";")[0]): OpenApiResponse(OpenApiTypes.STR, description=each.says)
            for each in FORMATS.values()
        },
        parameters=[OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=list(FORMATS)), *_NARROWED],
        errors=(422, 429),
    )
    def get(self, request: Request, ending: str) -> StreamingHttpResponse:
        if ending not in FORMATS:
            formats = ", ".join(f".{each}" for each in FORMATS)
            raise Http404(_("The audit trail comes as one of: %(formats)s.") % {"formats": formats})
        by, me = reading.narrowed(request.query_params), signed_in(request)
        remember(me, AccountEvent.Kind.TRAIL_EXPORTED, by=me, what=ending)
        return streamed(
            request._request,
            reading.chunks(by),
            columns=reading.COLUMNS,
            format=ending,
            filename="audit-trail",
        )
