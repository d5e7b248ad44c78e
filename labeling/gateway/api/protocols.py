"""Protocols: what is photographed of an asset, what is asked of it, and by which rules a verdict follows."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, one_of
from labeling.gateway.api.fields import NewAddress
from labeling.gateway.api.shapes import ModelInput, Shape, StrictSerializer, like
from labeling.http.who_may import Who
from labeling.inspections.catching_up import MOST_DAYS
from labeling.inspections.models import Outcome, Protocol, ProtocolVersion, Shot
from labeling.inspections.permissions import protocols_of
from labeling.inspections.protocols import MOST_SHOTS, SHOT_FIELDS, described
from labeling.inspections.services import (
    archive_protocol,
    create_protocol,
    publish_version,
    restore_protocol,
)
from labeling.refusals import Refused


class ShotIn(ModelInput):
    """What is left out is not asked for."""

    checks = serializers.ListField(
        child=serializers.CharField(max_length=60),
        default=list,
        max_length=50,
        help_text="Addresses of projects.",
    )

    class Meta:
        model = Shot
        fields = (*SHOT_FIELDS, "checks")


class VersionIn(StrictSerializer):
    name = like(Protocol, "name", required=False)
    shots_project = serializers.CharField(
        max_length=60,
        required=False,
        allow_null=True,
        help_text="Address of the project that recognises shots.",
    )
    settle_within_hours = like(Protocol, "settle_within_hours", required=False)
    shots = ShotIn(many=True, allow_empty=False, max_length=MOST_SHOTS, required=False)  # type: ignore[call-arg]  # of a list
    rules = serializers.ListField(
        child=serializers.JSONField(),
        required=False,
        help_text="In order: {outcome, when: [{project, shots, of, is, not}]}.",
    )
    otherwise = serializers.ChoiceField(
        [Outcome.HELD.value, Outcome.FAILED.value],
        required=False,
        help_text="What follows when it is known that no rule holds.",
    )
    passed_name = like(ProtocolVersion, "passed_name", required=False)
    held_name = like(ProtocolVersion, "held_name", required=False)
    failed_name = like(ProtocolVersion, "failed_name", required=False)
    note = like(ProtocolVersion, "note", required=False, help_text="What changes, and why.")


class ChangesIn(VersionIn):
    note = like(ProtocolVersion, "note", required=False, help_text="Needed with all but `archived`.")
    expected = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Number of the version that you changed: refused (409 `version_moved`) where another is in force.",
    )
    photos_of_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Photos of inspections of so many days before come into the projects that are asked anew.",
    )
    archived = serializers.BooleanField(
        required=False,
        help_text="Alone: put the protocol away, so that it takes nothing new, or bring it back.",
    )


class ProtocolIn(VersionIn):
    slug = NewAddress()
    name = like(Protocol, "name")
    asset_kind = like(Protocol, "asset_kind", required=False)
    shots = ShotIn(many=True, allow_empty=False, max_length=MOST_SHOTS)  # type: ignore[call-arg]  # of a list


class ShotOut(serializers.ModelSerializer[Shot]):
    checks = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Shot
        fields = (*SHOT_FIELDS, "checks")


class ProtocolRowOut(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    asset_kind = serializers.CharField()
    archived_at = serializers.DateTimeField(allow_null=True)


class ProtocolsOut(Shape):
    results = ProtocolRowOut(many=True)


class ProtocolOut(ProtocolRowOut):
    shots_project = serializers.CharField(allow_null=True)
    settle_within_hours = serializers.IntegerField(
        allow_null=True, help_text="until a held one is to be settled; null: no such time"
    )
    version = serializers.IntegerField(help_text="number of the one in force")
    note = serializers.CharField()
    passed_name = serializers.CharField()
    held_name = serializers.CharField()
    failed_name = serializers.CharField()
    otherwise = serializers.ChoiceField([Outcome.HELD.value, Outcome.FAILED.value])
    rules = serializers.ListField(child=serializers.JSONField())
    shots = ShotOut(many=True)


@route("protocols", "api-protocols", "inspections")
class ProtocolsView(ApiView):
    @endpoint(
        "list_protocols",
        "Your protocols, by name",
        may=Who.SIGNED_IN,
        returns=ProtocolsOut,
        parameters=[OpenApiParameter("archived", str, enum=["yes"], description="Archived ones too.")],
    )
    def get(self, request: Request) -> Json:
        archived_too = one_of(request, "archived", ["yes"]) is not None
        mine = protocols_of(request.user, archived_too=archived_too)
        return {"results": [ProtocolRowOut.of(each) for each in mine]}

    @endpoint(
        "create_protocol",
        "Make a protocol",
        may=Who.SUPERUSER,
        takes=ProtocolIn,
        returns=ProtocolOut,
        status=201,
    )
    def post(self, request: Request, given: Json) -> Json:
        return _present(create_protocol(by=signed_in(request), **_read(request, given)))


@route("protocols/<slug:protocol>", "api-protocol", "inspections")
class ProtocolView(ApiView):
    @endpoint(
        "get_protocol",
        "The protocol as its version in force says it",
        may=Action.FIGURES,
        returns=ProtocolOut,
    )
    def get(self, request: Request, protocol: Protocol) -> Json:
        return _present(protocol)

    @endpoint(
        "publish_protocol_version",
        "Publish a version: what is left out stays as it is. Or archive the protocol, or bring it back",
        may=Action.ADMIN,
        takes=ChangesIn,
        returns=ProtocolOut,
        errors=(409,),
    )
    def patch(self, request: Request, protocol: Protocol, given: Json) -> Json:
        by = signed_in(request)
        if "archived" in given:
            if len(given) > 1:
                raise Refused.invalid("archived", _("Send this alone: it makes no version."))
            put = archive_protocol if given["archived"] else restore_protocol
            return _present(put(protocol=protocol, by=by))
        said = {"note": "", **_read(request, given)}
        return _present(publish_version(protocol=protocol, by=by, **said).protocol)


def _read(request: Request, given: Json) -> Json:
    """What was given, with the project that it names."""
    if given.get("shots_project"):
        return given | {"shots_project": _project(request, given["shots_project"])}
    return given


def _project(request: Request, slug: str) -> Project:
    return project_for(request.user, slug, Action.ADMIN)


def _present(protocol: Protocol) -> dict[str, Any]:
    said = described(protocol.current)
    recognises = protocol.shots_project
    return ProtocolOut.of(
        protocol,
        shots_project=recognises.slug if recognises else None,
        version=said["number"],
        **{name: said[name] for name in said if name != "number"},
    )
