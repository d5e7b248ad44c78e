"""The class schema and its criteria, version by version."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import ClassDefinition, Exemplar, Guideline, Project
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import Checklist, ClassKey, PhotoOut, Sha256, present_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id
from labeling.refusals import Refused

CRITERIA: dict[str, Any] = {"max_length": 10_000, "allow_blank": True}


#: What a reviewer may amend in passing; anything that changes which classes there are is an admin's.
WORDING = {"note", "criteria", "checklist", "exemplars", "expected"}


class NewClass(StrictSerializer):
    key = ClassKey()
    name = like(ClassDefinition, "name")
    criteria = serializers.CharField(required=False, default="", **CRITERIA)
    checklist = Checklist(required=False, default=list)


class GuidelineIn(StrictSerializer):
    """Only what changes; the rest is carried over into the new version."""

    note = like(Guideline, "note", help_text="What changes, and why.")
    rename = serializers.DictField(child=like(ClassDefinition, "name"), required=False)
    add = NewClass(many=True, required=False, max_length=50)  # type: ignore[call-arg]  # many=True makes a list
    merge = serializers.DictField(child=ClassKey(), required=False, help_text="from key → into key")
    retire = serializers.ListField(child=ClassKey(), required=False, max_length=50)
    criteria = serializers.DictField(child=serializers.CharField(**CRITERIA), required=False)
    checklist = serializers.DictField(child=Checklist(), required=False)
    exemplars = serializers.DictField(
        child=serializers.ListField(child=Sha256(), max_length=50), required=False, help_text="key → photos"
    )
    order = serializers.ListField(child=ClassKey(), required=False, max_length=100)
    expected = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The version that you saw: refused with 409 if there is a newer one by now.",
    )


class ExemplarOut(PhotoOut):
    caption = serializers.CharField()


class ClassOut(Shape):
    key = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(["active", "retired", "merged"])
    merged_into = serializers.CharField(allow_null=True)
    criteria = serializers.CharField()
    checklist = serializers.ListField(child=serializers.CharField())
    exemplars = ExemplarOut(many=True)


class GuidelineOut(Shape):
    number = serializers.IntegerField()
    note = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    classes = ClassOut(many=True)


def present(guideline: Guideline) -> dict[str, Any]:
    classes = [
        ClassOut.of(
            definition,
            key=definition.label_class.key,
            merged_into=definition.merged_into.key if definition.merged_into else None,
            exemplars=[
                ExemplarOut.of(exemplar, **present_photo(exemplar.image))
                for exemplar in definition.exemplars.all()
            ],
        )
        for definition in guideline.definitions.all()
    ]
    return GuidelineOut.of(guideline, created_by=guideline.created_by.get_username(), classes=classes)


def _whole(project: Project) -> Any:
    """The project's guidelines with all that :func:`present` shows, in five queries however many there are."""
    definitions = ClassDefinition.objects.select_related("label_class", "merged_into").order_by("position")
    exemplars = Exemplar.objects.select_related("image").order_by("position", "pk")
    return (
        Guideline.objects.filter(project=project)
        .select_related("created_by")
        .prefetch_related(Prefetch("definitions", definitions), Prefetch("definitions__exemplars", exemplars))
    )


@route("projects/<slug:slug>/guideline", "api-guideline", "guidelines")
class GuidelineView(ApiView):
    @endpoint("get_guideline", "The guideline in force", may=Action.VIEW, returns=GuidelineOut)
    def get(self, request: Request, project: Project) -> Json:
        return present(_whole(project).get(pk=current_guideline(project).pk))


@route("projects/<slug:slug>/guidelines", "api-guidelines", "guidelines")
class GuidelinesView(ApiView):
    @endpoint(
        "list_guidelines",
        "All versions, oldest first",
        may=Action.VIEW,
        returns=paged("GuidelinePage", GuidelineOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(_whole(project), request, present)

    @endpoint(
        "amend_guideline",
        "A new version. Reviewers amend criteria, checklist and exemplars, admins everything",
        may=Action.REVIEW,
        takes=GuidelineIn,
        returns=GuidelineOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        if set(given) - WORDING:
            project_for(request.user, project.slug, Action.ADMIN)
        if set(given) <= {"note", "expected"}:
            raise Refused.invalid(None, _("Say what is to change: criteria, add, rename …"))
        guideline = amend_guideline(project=project, by=signed_in(request), **given)
        return present(_whole(project).get(pk=guideline.pk))
