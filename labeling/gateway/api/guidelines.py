"""The class schema and its criteria, version by version."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import ClassDefinition, Exemplar, Guideline, Project
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import ClassKey, PhotoOut, Sha256, present_photo
from labeling.gateway.pagination import page_by_id
from labeling.refusals import Refused

CRITERIA: dict[str, Any] = {"max_length": 10_000, "allow_blank": True}
#: What a reviewer may amend in passing; anything that changes which classes there are is an admin's.
WORDING = {"note", "criteria", "checklist", "exemplars", "expected"}


def lines(**options: Any) -> serializers.ListField:
    """Short criteria. A new field each time: DRF binds a field to where it stands."""
    return serializers.ListField(child=serializers.CharField(max_length=300), max_length=30, **options)


class NewClass(StrictSerializer):
    key = ClassKey()
    name = serializers.CharField(max_length=80)
    criteria = serializers.CharField(required=False, default="", **CRITERIA)
    checklist = lines(required=False, default=list)


class GuidelineIn(StrictSerializer):
    """Only what changes; the rest is carried over into the new version."""

    note = serializers.CharField(max_length=300, help_text="What changes, and why.")
    rename = serializers.DictField(child=serializers.CharField(max_length=80), required=False)
    add = NewClass(many=True, required=False, max_length=50)  # type: ignore[call-arg]  # many=True makes a list
    merge = serializers.DictField(child=ClassKey(), required=False, help_text="from key → into key")
    retire = serializers.ListField(child=ClassKey(), required=False, max_length=50)
    criteria = serializers.DictField(child=serializers.CharField(**CRITERIA), required=False)
    checklist = serializers.DictField(child=lines(), required=False)
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


class ClassOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(["active", "retired", "merged"])
    merged_into = serializers.CharField(allow_null=True)
    criteria = serializers.CharField()
    checklist = serializers.ListField(child=serializers.CharField())
    exemplars = ExemplarOut(many=True)


class GuidelineOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    note = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    classes = ClassOut(many=True)


def present(guideline: Guideline) -> dict[str, Any]:
    return {
        "number": guideline.number,
        "note": guideline.note,
        "created_by": guideline.created_by.get_username(),
        "created_at": guideline.created_at,
        "classes": [
            {
                "key": definition.label_class.key,
                "name": definition.name,
                "state": definition.state,
                "merged_into": definition.merged_into.key if definition.merged_into else None,
                "criteria": definition.criteria,
                "checklist": definition.checklist,
                "exemplars": [
                    present_photo(exemplar.image) | {"caption": exemplar.caption}
                    for exemplar in definition.exemplars.all()
                ],
            }
            for definition in guideline.definitions.all()
        ],
    }


def _whole(project: Project) -> Any:
    """The project's guidelines with all that :func:`present` shows, in five queries however many there are."""
    definitions = ClassDefinition.objects.select_related("label_class", "merged_into").order_by("position")
    exemplars = Exemplar.objects.select_related("image").order_by("position", "pk")
    return (
        Guideline.objects.filter(project=project)
        .select_related("created_by")
        .prefetch_related(Prefetch("definitions", definitions), Prefetch("definitions__exemplars", exemplars))
    )


class GuidelineView(ApiView):
    @documented("get_guideline", "The guideline in force", returns=GuidelineOut, tag="guidelines")
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.VIEW)
        return Response(present(_whole(project).get(pk=current_guideline(project).pk)))


class GuidelinesView(ApiView):
    @documented(
        "list_guidelines",
        "All versions, oldest first",
        returns=paged("GuidelinePage", GuidelineOut),
        pages=True,
        tag="guidelines",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.VIEW)
        return Response(page_by_id(_whole(project), request, present))

    @documented(
        "amend_guideline",
        "A new version (reviewers: criteria, checklist and exemplars; admins: everything)",
        takes=GuidelineIn,
        returns=GuidelineOut,
        status=201,
        errors=(409,),
        tag="guidelines",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        given = GuidelineIn(data=request.data)
        given.is_valid(raise_exception=True)
        changes = {name: _plain(value) for name, value in given.validated_data.items()}
        if set(changes) - WORDING:
            project_for(request.user, slug, Action.ADMIN)
        if set(changes) <= {"note", "expected"}:
            raise Refused.invalid(None, _("Say what is to change: criteria, add, rename …"))
        guideline = amend_guideline(project=project, by=user_of(request), **changes)
        return Response(present(_whole(project).get(pk=guideline.pk)), status=201)


def _plain(value: Any) -> Any:
    """Serializers' ordered dicts as the plain ones that the service's signature names."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
