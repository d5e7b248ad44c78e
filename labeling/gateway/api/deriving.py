"""A project with another question is created on the photos of one that is there."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.guidelines import MAX_CLASSES
from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import AnsweredClass, ClassKey, NewAddress
from labeling.gateway.api.guidelines import NewClass
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.projects import ProjectOut
from labeling.gateway.api.projects import present as present_project
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.learning.deriving import MOST_GOLD, derive_project
from labeling.text.plain import composed

_SHA256 = re.compile("[0-9a-fA-F]{64}")


class GoldRowIn(StrictSerializer):
    photo = like(Item, "name", required=True, allow_blank=False, help_text="file name or SHA-256")
    class_ = ClassKey(help_text="key of a class of the new project")


class DeriveIn(StrictSerializer):
    slug = NewAddress()
    name = like(Project, "name")
    question = like(Project, "question")
    description = like(Project, "description", default="")
    classes = NewClass(many=True, allow_empty=False, max_length=MAX_CLASSES)  # type: ignore[call-arg]  # of a list
    only_class = AnsweredClass(help_text="Only photos settled as this class of the source; empty: all.")
    with_members = serializers.BooleanField(default=False)
    gold = GoldRowIn(  # type: ignore[call-arg]  # of a list
        many=True,
        required=False,
        max_length=MOST_GOLD,
        help_text="Photos whose answer is known: they become gold, and never train.",
    )

    def validate_gold(self, rows: list[dict[str, str]]) -> list[tuple[str, str]]:
        named: dict[str, str] = {}
        for row in rows:
            called = composed(row["photo"].lower() if _SHA256.fullmatch(row["photo"]) else row["photo"])
            if called in named:
                raise serializers.ValidationError(
                    _("“%(photo)s” is named twice.") % {"photo": row["photo"][:80]}
                )
            named[called] = row["class"]
        return list(named.items())


class DeriveOut(Shape):
    project = ProjectOut()
    job = JobOut()


@route("projects/<slug:slug>/derive", "api-derive", "projects")
class DeriveView(ApiView):
    @endpoint(
        "derive",
        "Create a project with another question on this one's photos and backbone; its photos come by a job",
        may=Action.ADMIN,
        takes=DeriveIn,
        returns=DeriveOut,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        derived, job = derive_project(source=project, by=signed_in(request), **given)
        return {"project": present_project(derived, request.user), "job": present_job(job)}
