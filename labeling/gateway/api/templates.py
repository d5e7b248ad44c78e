"""Templates of projects: those that there are, one as it stands in its file, and a project that becomes one."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.of_project import template_of
from labeling.catalog.project_templates.template import KEY, ProjectTemplate, read
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.http.who_may import Who


class TemplateIn(StrictSerializer):
    content = serializers.DictField(
        help_text="As `templates/{key}` gives it, or as a template's file says it, in JSON."
    )


class KeepIn(StrictSerializer):
    """What is left out is the project's."""

    key = serializers.RegexField(
        rf"^{KEY.pattern}\Z", max_length=60, required=False, error_messages={"invalid": KEY.rule}
    )
    name = like(Project, "name", required=False)
    says = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="What it is for."
    )


class TemplateOut(Shape):
    key = serializers.CharField()
    name = serializers.CharField()
    says = serializers.CharField(help_text="What it is for; may be empty.")
    question = serializers.CharField()
    classes = serializers.IntegerField()
    own = serializers.BooleanField(help_text="Kept in this site; others come with Hilltop.")


class TemplatesOut(Shape):
    results = TemplateOut(many=True)


class TemplateContentOut(TemplateOut):
    content = serializers.DictField(help_text="All that it says, in each language that it has.")


def present(template: ProjectTemplate) -> Json:
    said = template.said
    return {
        "key": template.key,
        "name": said["name"],
        "says": said.get("says", ""),
        "question": said["question"],
        "classes": len(said["classes"]),
        "own": template.is_own,
    }


def _whole(template: ProjectTemplate) -> Json:
    return present(template) | {"content": template.content}


@route("templates", "api-templates", "projects")
class TemplatesView(ApiView):
    @endpoint(
        "list_templates",
        "What projects can be created from. Texts in the reader's language",
        may=Who.SUPERUSER,
        returns=TemplatesOut,
    )
    def get(self, request: Request) -> Json:
        return {"results": [present(each) for each in PROJECTS.all()]}

    @endpoint(
        "bring_template",
        "Keep a template in this site; `fields` of a refusal are the places of what is wrong",
        may=Who.SUPERUSER,
        takes=TemplateIn,
        returns=TemplateContentOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, given: Json) -> Json:
        return _whole(PROJECTS.keep(read(given["content"]), by=signed_in(request)))


@route("templates/<slug:key>", "api-template", "projects")
class TemplateView(ApiView):
    @endpoint("get_template", "A template, as in its file", may=Who.SUPERUSER, returns=TemplateContentOut)
    def get(self, request: Request, key: str) -> Json:
        found = PROJECTS.called(key)
        if found is None:
            raise Http404(_("There is no such template."))
        return _whole(found)

    @endpoint(
        "remove_template",
        "Remove one of this site's own. What was made from it stays",
        may=Who.SUPERUSER,
        errors=(409,),
    )
    def delete(self, request: Request, key: str) -> None:
        PROJECTS.remove(key, by=signed_in(request))


@route("projects/<slug:slug>/template", "api-project-template", "projects")
class ProjectTemplateView(ApiView):
    @endpoint(
        "get_project_template",
        "The project as a template: its newest guideline and its strictness",
        may=Action.ADMIN,
        returns=TemplateContentOut,
        errors=(422,),
    )
    def get(self, request: Request, project: Project) -> Json:
        return _whole(template_of(project))

    @endpoint(
        "keep_project_template",
        "Keep the project as a template in this site",
        may=Action.ADMIN,
        takes=KeepIn,
        returns=TemplateContentOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _whole(PROJECTS.keep(template_of(project, **given), by=signed_in(request)))
