"""Who is asking: log-in and tokens for programs, and what a person may do where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Membership, Project, Role
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.gateway.authentication import log_in
from labeling.http.who_may import Who
from labeling.people.models import Token, User
from labeling.people.selectors import live_tokens
from labeling.people.services import revoke_token
from labeling.people.tokens import MOST_DAYS
from labeling.refusals import Refused


class LoginIn(StrictSerializer):
    username = serializers.CharField(max_length=like(User, "username").max_length)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = serializers.CharField(max_length=20, required=False)
    name = serializers.CharField(max_length=like(Token, "name").max_length, required=False)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)


class LoginOut(Shape):
    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class TokenOut(Shape):
    """``begins``: the first characters, which name the token in addresses; they open nothing."""

    begins = serializers.CharField()
    name = serializers.CharField()
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)


class MyProject(Shape):
    slug = serializers.SlugField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class MeOut(Shape):
    username = serializers.CharField()
    name = serializers.CharField()
    is_superuser = serializers.BooleanField()
    projects = MyProject(many=True)


@route("login", "api-login", "accounts")
class LoginView(ApiView):
    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_scope = "login"

    @endpoint("login", "Get a token", may=Who.ANYONE, takes=LoginIn, returns=LoginOut, errors=(401, 403, 429))
    def post(self, request: Request, given: Json) -> Json:
        row, token = log_in(request._request, **given)
        return {"token": token, "expiry": row.expiry}


@route("logout", "api-logout", "accounts")
class LogoutView(ApiView):
    @endpoint("logout", "Forget the token that this request is sent with", may=Who.SIGNED_IN, errors=(409,))
    def post(self, request: Request) -> None:
        if not isinstance(request.auth, Token):
            raise Refused("no_token", _("This request came with a session, not a token. Use /logout."))
        me = signed_in(request)
        revoke_token(user=me, key=request.auth.token_key, by=me)
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)


@route("tokens", "api-tokens", "accounts")
class TokensView(ApiView):
    @endpoint("list_tokens", "My tokens, newest first", may=Who.SIGNED_IN, returns=TokenOut(many=True))
    def get(self, request: Request) -> list[Json]:
        return [TokenOut.of(each, begins=each.token_key) for each in live_tokens(signed_in(request))]


@route("tokens/<str:begins>", "api-token", "accounts")
class TokenView(ApiView):
    @endpoint("revoke_token", "Revoke one of my tokens", may=Who.SIGNED_IN)
    def delete(self, request: Request, begins: str) -> None:
        me = signed_in(request)
        revoke_token(user=me, key=begins, by=me)


@route("me", "api-me", "accounts")
class MeView(ApiView):
    @endpoint("me", "Who I am, and my role in each project", may=Who.SIGNED_IN, returns=MeOut)
    def get(self, request: Request) -> Json:
        user = signed_in(request)
        roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
        projects = Project.objects.for_member(user).order_by("name", "pk")
        mine = [
            MyProject.of(each, role="admin" if user.is_superuser else roles[each.pk]) for each in projects
        ]
        return MeOut.of(user, name=str(user), projects=mine)
