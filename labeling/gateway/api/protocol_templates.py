"""Templates of protocols: those that there are, one as it stands in its file, and a protocol that becomes one."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import NewAddress
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.gateway.api.templates import KeepIn, TemplateIn
from labeling.http.who_may import Who
from labeling.inspections.models import Protocol
from labeling.inspections.protocol_templates.creating import create_from_template
from labeling.inspections.protocol_templates.known import PROTOCOLS
from labeling.inspections.protocol_templates.of_protocol import template_of_protocol
from labeling.inspections.protocol_templates.template import ProtocolTemplate, read


class KeepProtocolIn(KeepIn):
    """What is left out is the protocol's."""

    name = like(Protocol, "name", required=False)


class FromTemplateIn(StrictSerializer):
    slug = NewAddress(help_text="Its projects' addresses begin with it.")
    name = like(Protocol, "name", required=False, help_text="Without it the template's.")
    asks = serializers.DictField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="Key of a check → address of a project that is asked instead of a new one, with the classes of the rules.",
    )


class CreatedOut(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    projects = serializers.ListField(
        child=serializers.CharField(), help_text="Addresses of those that it asks."
    )


class ProtocolTemplateOut(Shape):
    key = serializers.CharField()
    name = serializers.CharField()
    says = serializers.CharField(help_text="What it is for; may be empty.")
    shots = serializers.IntegerField()
    checks = serializers.IntegerField(help_text="Projects that are created along with it.")
    own = serializers.BooleanField(help_text="Kept in this site; others come with Hilltop.")


class ProtocolTemplatesOut(Shape):
    results = ProtocolTemplateOut(many=True)


class ProtocolTemplateContentOut(ProtocolTemplateOut):
    content = serializers.DictField(help_text="All that it says, in each language that it has.")


def present(template: ProtocolTemplate) -> Json:
    said = template.said
    return {
        "key": template.key,
        "name": said["name"],
        "says": said.get("says", ""),
        "shots": len(said["shots"]),
        "checks": len(said.get("checks", [])),
        "own": template.is_own,
    }


def _whole(template: ProtocolTemplate) -> Json:
    return present(template) | {"content": template.content}


@route("protocol-templates", "api-protocol-templates", "inspections")
class ProtocolTemplatesView(ApiView):
    @endpoint(
        "list_protocol_templates",
        "What protocols can be created from. Texts in the reader's language",
        may=Who.SUPERUSER,
        returns=ProtocolTemplatesOut,
    )
    def get(self, request: Request) -> Json:
        return {"results": [present(each) for each in PROTOCOLS.all()]}

    @endpoint(
        "bring_protocol_template",
        "Keep a template in this site; `fields` of a refusal are the places of what is wrong",
        may=Who.SUPERUSER,
        takes=TemplateIn,
        returns=ProtocolTemplateContentOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, given: Json) -> Json:
        return _whole(PROTOCOLS.keep(read(given["content"]), by=signed_in(request)))


@route("protocol-templates/<slug:key>", "api-protocol-template", "inspections")
class ProtocolTemplateView(ApiView):
    @endpoint(
        "get_protocol_template",
        "A template, as in its file",
        may=Who.SUPERUSER,
        returns=ProtocolTemplateContentOut,
    )
    def get(self, request: Request, key: str) -> Json:
        found = PROTOCOLS.called(key)
        if found is None:
            raise Http404(_("There is no such template."))
        return _whole(found)

    @endpoint(
        "create_protocol_from_template",
        "Create the protocol and the projects that it asks: all, or nothing. Texts in the reader's language",
        may=Who.SUPERUSER,
        takes=FromTemplateIn,
        returns=CreatedOut,
        status=201,
    )
    def post(self, request: Request, given: Json, key: str) -> Json:
        template = PROTOCOLS.called_or_refused(key)
        protocol = create_from_template(template=template, by=signed_in(request), **given)
        asked = Project.objects.filter(checks__shot__version__protocol=protocol).distinct().order_by("slug")
        return CreatedOut.of(protocol, projects=list(asked.values_list("slug", flat=True)))

    @endpoint(
        "remove_protocol_template",
        "Remove one of this site's own. What was made from it stays",
        may=Who.SUPERUSER,
        errors=(409,),
    )
    def delete(self, request: Request, key: str) -> None:
        PROTOCOLS.remove(key, by=signed_in(request))


@route("protocols/<slug:protocol>/template", "api-protocol-as-template", "inspections")
class ProtocolAsTemplateView(ApiView):
    @endpoint(
        "get_protocol_as_template",
        "The protocol as a template, with each project that it asks",
        may=Action.ADMIN,
        returns=ProtocolTemplateContentOut,
        errors=(422,),
    )
    def get(self, request: Request, protocol: Protocol) -> Json:
        return _whole(template_of_protocol(protocol))

    @endpoint(
        "keep_protocol_as_template",
        "Keep the protocol as a template in this site",
        may=Action.ADMIN,
        takes=KeepProtocolIn,
        returns=ProtocolTemplateContentOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, protocol: Protocol, given: Json) -> Json:
        return _whole(PROTOCOLS.keep(template_of_protocol(protocol, **given), by=signed_in(request)))
