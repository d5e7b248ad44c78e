"""Who takes part in a project, and as what. For its admins."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Membership, Project, Role
from labeling.catalog.permissions import Action
from labeling.catalog.services import remove_member, set_role
from labeling.gateway.api.base import ApiView, person_named, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id


class RoleIn(StrictSerializer):
    role = like(Membership, "role")


class MemberOut(Shape):
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
    since = serializers.DateTimeField()


def present(membership: Membership) -> dict[str, Any]:
    person = membership.user
    return MemberOut.of(
        membership, username=person.get_username(), name=str(person), since=membership.created_at
    )


@route("projects/<slug:slug>/members", "api-members", "members")
class MembersView(ApiView):
    @endpoint("list_members", "Members and roles", may=Action.ADMIN, returns=paged("MemberPage", MemberOut))
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(Membership.objects.filter(project=project).select_related("user"), request, present)


@route("projects/<slug:slug>/members/<str:username>", "api-member", "members")
class MemberView(ApiView):
    @endpoint(
        "set_member",
        "Add a person, or change their role",
        may=Action.ADMIN,
        takes=RoleIn,
        returns=MemberOut,
        errors=(409,),
    )
    def put(self, request: Request, project: Project, username: str, given: Json) -> Json:
        person = person_named(username)
        set_role(project=project, user=person, role=given["role"], by=signed_in(request))
        return present(Membership.objects.select_related("user").get(project=project, user=person))

    @endpoint("remove_member", "Take a person out; their answers stay", may=Action.ADMIN, errors=(409,))
    def delete(self, request: Request, project: Project, username: str) -> None:
        person = person_named(username)
        if not Membership.objects.filter(project=project, user=person).exists():
            raise Http404(_("This person is not a member of the project."))
        remove_member(project=project, user=person, by=signed_in(request))
