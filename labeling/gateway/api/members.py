"""Who takes part in a project, and as what. For its admins."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Membership, Role
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.services import remove_member, set_role
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, person_named, user_of
from labeling.gateway.pagination import page_by_id


class RoleIn(StrictSerializer):
    role = serializers.ChoiceField(Role.choices)


class MemberOut(serializers.Serializer[Any]):
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
    since = serializers.DateTimeField()


def present(membership: Membership) -> dict[str, Any]:
    return {
        "username": membership.user.get_username(),
        "name": str(membership.user),
        "role": membership.role,
        "since": membership.created_at,
    }


class MembersView(ApiView):
    @documented(
        "list_members", "Members and roles", returns=paged("MemberPage", MemberOut), pages=True, tag="members"
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        return Response(
            page_by_id(Membership.objects.filter(project=project).select_related("user"), request, present)
        )


class MemberView(ApiView):
    @documented(
        "set_member",
        "Add a person, or change their role",
        takes=RoleIn,
        returns=MemberOut,
        errors=(409,),
        tag="members",
    )
    def put(self, request: Request, slug: str, username: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = RoleIn(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_named(username)
        set_role(project=project, user=person, role=given.validated_data["role"], by=user_of(request))
        return Response(present(Membership.objects.select_related("user").get(project=project, user=person)))

    @documented(
        "remove_member",
        "Take a person out; their answers stay",
        returns=None,
        status=204,
        errors=(409,),
        tag="members",
    )
    def delete(self, request: Request, slug: str, username: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        person = person_named(username)
        if not Membership.objects.filter(project=project, user=person).exists():
            raise Http404(_("This person is not a member of the project."))
        remove_member(project=project, user=person, by=user_of(request))
        return Response(status=204)
