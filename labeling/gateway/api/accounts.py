"""Who is asking: log-in and tokens for programs, and what a person may do where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils.translation import gettext as _
from knox.models import get_token_model
from knox.settings import knox_settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Membership, Project
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, user_of
from labeling.people import throttle
from labeling.refusals import Refused


class LoginIn(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class LoginOut(serializers.Serializer[Any]):
    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)


class MyProject(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = serializers.CharField()
    role = serializers.ChoiceField(["labeler", "reviewer", "admin"])


class MeOut(serializers.Serializer[Any]):
    username = serializers.CharField()
    name = serializers.CharField()
    is_superuser = serializers.BooleanField()
    projects = MyProject(many=True)


class LoginView(ApiView):
    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_scope = "login"

    @documented(
        "login",
        "Get a token",
        takes=LoginIn,
        returns=LoginOut,
        errors=(401, 403, 429),
        tag="accounts",
        public=True,
    )
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        attempt = {
            "address": request.META.get("REMOTE_ADDR", ""),
            "username": given.validated_data["username"],
        }
        if throttle.must_wait(**attempt):
            raise Refused(
                "throttled",
                _("Too many wrong passwords for this name. Wait five minutes, then try again."),
                status=429,
            )
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            throttle.count_failure(**attempt)
            raise Refused(
                "bad_login",
                _("User name and password do not match an open account. Check both, then try again."),
                status=401,
            )
        throttle.forget(**attempt)
        tokens = get_token_model().objects
        limit = knox_settings.TOKEN_LIMIT_PER_USER
        if limit is not None:
            # Programs that log in at every start would lock themselves out; the oldest tokens make room instead.
            surplus = tokens.filter(user=user).order_by("-created").values_list("pk", flat=True)[limit - 1 :]
            tokens.filter(pk__in=list(surplus)).delete()
        row, token = tokens.create(user=user, expiry=knox_settings.TOKEN_TTL)
        user_logged_in.send(sender=type(user), request=request._request, user=user)
        return Response({"token": token, "expiry": row.expiry})


class LogoutView(ApiView):
    @documented(
        "logout",
        "Forget the token that this request is sent with",
        returns=None,
        status=204,
        errors=(409,),
        tag="accounts",
    )
    def post(self, request: Request) -> Response:
        if request.auth is None:
            raise Refused("no_token", _("This request came with a session, not a token. Use /logout."))
        request.auth.delete()
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response(status=204)


class MeView(ApiView):
    @documented("me", "Who I am, and my role in each project", returns=MeOut, tag="accounts")
    def get(self, request: Request) -> Response:
        user = user_of(request)
        roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
        projects = Project.objects.for_member(user).order_by("name", "pk")
        return Response(
            {
                "username": user.get_username(),
                "name": str(user),
                "is_superuser": user.is_superuser,
                "projects": [
                    {
                        "slug": project.slug,
                        "name": project.name,
                        "role": "admin" if user.is_superuser else roles[project.pk],
                    }
                    for project in projects
                ],
            }
        )
