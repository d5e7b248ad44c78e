"""Projects: the question, and (for admins) how strictly it is answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.guidelines import MAX_CLASSES
from labeling.catalog.models import Project, Role
from labeling.catalog.permissions import Action, may, role_in
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.selectors import current_guideline, schema_of
from labeling.catalog.services import create_project, update_settings
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import ClassKey, NewAddress
from labeling.gateway.api.guidelines import NewClass
from labeling.gateway.api.shapes import ModelInput, Shape
from labeling.http.who_may import Who

SETTINGS = (
    "description", "answers_per_image", "certifying_answers", "boundary_answers", "rule", "agreement_k",
    "gold_rate", "gold_bar", "gold_window",
    "min_view_ms", "checklist_required", "undo_seconds", "lease_seconds", "reviewer_may_rule_own", "strategy",
    "bands", "boundary_after", "band_agreement", "band_alpha", "audit_rate", "sweep_allowed", "earlier_allowed",
    "near_duplicates",
    "retrain_every", "promote_automatically", "train_on_assisted", "backbone", "further_backbones", "levels",
    "hourly_cost", "currency", "target_per_decision", "keep_days",
)  # fmt: skip


class SettingsIn(ModelInput):
    """Every setting may be left out; what is left out stays as it is."""

    class Meta:
        model = Project
        fields = ("name", "question", *SETTINGS)
        extra_kwargs: dict[str, Any] = {name: {"required": False} for name in fields}


class ProjectIn(ModelInput):
    """Every setting may be left out; of a ``template`` also what it says: classes, name and question."""

    slug = NewAddress()
    template = serializers.SlugField(
        required=False,
        max_length=60,
        help_text="Key of one of `templates`. What is sent beside it takes its place.",
    )
    classes = NewClass(many=True, allow_empty=False, max_length=MAX_CLASSES, required=False)  # type: ignore[call-arg]  # of a list

    class Meta:
        model = Project
        fields = ("slug", "template", "classes", "name", "question", *SETTINGS)
        extra_kwargs: dict[str, Any] = {name: {"required": False} for name in ("name", "question", *SETTINGS)}

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if "template" not in given:
            missing = [name for name in ("classes", "name", "question") if name not in given]
            if missing:
                needed = self.fields["slug"].error_messages["required"]
                raise serializers.ValidationError({name: [needed] for name in missing})
        return given


class SettingsOut(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = SETTINGS


class ProjectOut(Shape):
    slug = serializers.SlugField()
    name = serializers.CharField()
    question = serializers.CharField()
    description = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
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
            for definition in schema_of(guideline.pk)
            if definition.state == "active"
        ],
    }
    if may(user, project, Action.ADMIN):
        shown["settings"] = SettingsOut(project).data
    return shown


@route("projects", "api-projects", "projects")
class ProjectsView(ApiView):
    @endpoint("list_projects", "My projects", may=Who.SIGNED_IN, returns=ProjectOut(many=True))
    def get(self, request: Request) -> list[Json]:
        user = signed_in(request)
        return [present(each, user) for each in Project.objects.for_member(user).order_by("name", "pk")]

    @endpoint(
        "create_project",
        "Create a project",
        may=Who.SUPERUSER,
        takes=ProjectIn,
        returns=ProjectOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, given: Json) -> Json:
        user = signed_in(request)
        template = given.pop("template", None)
        ready = PROJECTS.called_or_refused(template, "template").as_project() if template else {}
        return present(create_project(by=user, **(ready | given)), user)


@route("projects/<slug:slug>", "api-project", "projects")
class ProjectView(ApiView):
    @endpoint("get_project", "One project", may=Action.VIEW, returns=ProjectOut)
    def get(self, request: Request, project: Project) -> Json:
        return present(project, request.user)

    @endpoint(
        "update_project",
        "Change settings",
        may=Action.ADMIN,
        takes=SettingsIn,
        returns=ProjectOut,
        errors=(409,),
    )
    def patch(self, request: Request, project: Project, given: Json) -> Json:
        project = update_settings(project=project, by=signed_in(request), **given)
        return present(project, request.user)
