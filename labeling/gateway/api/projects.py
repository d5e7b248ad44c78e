"""Projects: the question, and (for admins) how strictly it is answered."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, may_create_projects, project_for, role_in
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import create_project, update_settings
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, user_of
from labeling.gateway.api.fields import ClassKey, FiniteFloat, NewAddress
from labeling.gateway.api.guidelines import NewClass

SETTINGS = (
    "description", "answers_per_image", "rule", "agreement_k", "gold_rate", "gold_bar", "gold_window",
    "min_view_ms", "checklist_required", "undo_seconds", "lease_seconds", "reviewer_may_rule_own", "strategy",
    "bands", "boundary_after", "band_agreement", "band_alpha", "audit_rate", "sweep_allowed", "retrain_every",
    "promote_automatically", "backbone",
)  # fmt: skip


class SettingsIn(StrictSerializer, serializers.ModelSerializer[Project]):
    """Every setting may be left out; what is left out stays as it is."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        **{
            field: FiniteFloat
            for field, serializer in serializers.ModelSerializer.serializer_field_mapping.items()
            if serializer is serializers.FloatField
        },
    }

    class Meta:
        model = Project
        fields = ("name", "question", *SETTINGS)
        extra_kwargs: dict[str, Any] = {name: {"required": False} for name in fields}
        # Rules over several settings are the database's and the service's.
        validators: list[Any] = []


class ProjectIn(SettingsIn):
    slug = NewAddress()
    classes = NewClass(many=True, allow_empty=False, max_length=50)  # type: ignore[call-arg]  # of a list

    class Meta(SettingsIn.Meta):
        fields = ("slug", "classes", "name", "question", *SETTINGS)  # type: ignore[assignment]
        extra_kwargs = {name: {"required": False} for name in SETTINGS}


class SettingsOut(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = SETTINGS


class ProjectOut(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = serializers.CharField()
    question = serializers.CharField()
    description = serializers.CharField()
    role = serializers.ChoiceField(["labeler", "reviewer", "admin"])
    guideline = serializers.IntegerField(help_text="Number of the guideline version in force.")
    classes = serializers.ListField(child=ClassKey(), help_text="Keys of the active classes, in order.")
    settings = SettingsOut(required=False, help_text="Admins only.")


def present(project: Project, user: Any) -> dict[str, Any]:
    """A labeler learns the question and the classes, not how much gold or audit there is."""
    guideline = current_guideline(project)
    shown: dict[str, Any] = {
        "slug": project.slug,
        "name": project.name,
        "question": project.question,
        "description": project.description,
        "role": role_in(user, project),
        "guideline": guideline.number,
        "classes": [
            definition.label_class.key
            for definition in guideline.definitions.select_related("label_class").order_by("position")
            if definition.state == "active"
        ],
    }
    if may(user, project, Action.ADMIN):
        shown["settings"] = SettingsOut(project).data
    return shown


class ProjectsView(ApiView):
    @documented("list_projects", "My projects", returns=ProjectOut(many=True), tag="projects")
    def get(self, request: Request) -> Response:
        user = user_of(request)
        return Response(
            [present(each, user) for each in Project.objects.for_member(user).order_by("name", "pk")]
        )

    @documented(
        "create_project",
        "Create a project (superusers)",
        takes=ProjectIn,
        returns=ProjectOut,
        status=201,
        errors=(409,),
        tag="projects",
    )
    def post(self, request: Request) -> Response:
        user = user_of(request)
        if not may_create_projects(user):
            raise PermissionDenied(_("Only an administrator of the whole site may create projects. Ask one."))
        given = ProjectIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        project = create_project(
            slug=fields.pop("slug"),
            name=fields.pop("name"),
            question=fields.pop("question"),
            classes=[dict(each) for each in fields.pop("classes")],
            by=user,
            **fields,
        )
        return Response(present(project, user), status=201)


class ProjectView(ApiView):
    @documented("get_project", "One project", returns=ProjectOut, tag="projects")
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.VIEW)
        return Response(present(project, request.user))

    @documented(
        "update_project",
        "Change settings (admins)",
        takes=SettingsIn,
        returns=ProjectOut,
        errors=(409,),
        tag="projects",
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = SettingsIn(project, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        project = update_settings(project=project, by=user_of(request), **given.validated_data)
        return Response(present(project, request.user))
