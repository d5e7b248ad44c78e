"""Free texts of photos become categories: proposed, said, put in force by version. For admins."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.metadata.values import LONGEST_TEXT
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange.categories import selectors, services
from labeling.exchange.vocabularies import Vocabulary, VocabularyText, VocabularyVersion, Why
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, one_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id

_PARTS = [selectors.WAITING, selectors.SAID, selectors.ALL]


class VocabularyIn(StrictSerializer):
    name = like(Vocabulary, "name", help_text="of the metadata that holds the texts")
    target = like(Vocabulary, "target", required=False, help_text="of the metadata that keeps the categories")


class VocabularyChange(StrictSerializer):
    """What is said. It takes effect with the next version."""

    texts = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True),
        required=False,
        help_text="text → category, or empty: it waits",
    )
    accept = serializers.ChoiceField(
        Why.choices, required=False, help_text="take what is proposed for this reason as said"
    )
    rename = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_TEXT),
        required=False,
        help_text="category → what it is called from now on; like another one: they are one",
    )


class VersionIn(StrictSerializer):
    note = like(VocabularyVersion, "note")


class VocabularyOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    target = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class VocabularyReport(VocabularyOut):
    version = serializers.IntegerField(allow_null=True, help_text="in force")
    waiting = serializers.IntegerField()
    said = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="texts of which something else is said than in force")
    proposed = serializers.DictField(child=serializers.IntegerField(), help_text="why → texts that wait")
    categories = serializers.DictField(child=serializers.IntegerField(), help_text="category → its texts")
    job = JobOut(allow_null=True)


class VocabularyTextOut(Shape):
    id = serializers.IntegerField()
    text = serializers.CharField()
    count = serializers.IntegerField(help_text="photos, when they were counted last")
    category = serializers.CharField(allow_blank=True, help_text="said; empty: it waits")
    proposed = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    like = serializers.CharField(allow_blank=True, help_text="the text that it is like")
    similar = serializers.ListField(child=serializers.CharField())
    photos = serializers.ListField(child=serializers.IntegerField(), help_text="ids of some of them")


class VocabularyVersionOut(Shape):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    note = serializers.CharField()
    categories = serializers.DictField(
        child=serializers.CharField(), help_text="text, in small letters → category"
    )
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


def _present(of: Vocabulary) -> Json:
    return VocabularyOut.of(of, created_by=of.created_by.username)


def _report(of: Vocabulary) -> Json:
    found = selectors.report(of)
    return _present(of) | {
        "version": found.version.number if found.version else None,
        "waiting": found.waiting,
        "said": found.said,
        "changed": found.changed,
        "proposed": found.proposed,
        "categories": found.categories,
        "job": present_job(found.job) if found.job else None,
    }


def _present_text(row: VocabularyText) -> dict[str, Any]:
    return VocabularyTextOut.of(row)


def _present_version(version: VocabularyVersion) -> dict[str, Any]:
    return VocabularyVersionOut.of(version, created_by=version.created_by.username)


@route("projects/<slug:slug>/categories", "api-categories", "truth")
class CategoriesView(ApiView):
    @endpoint(
        "list_categories",
        "Which texts of photos are normalised",
        may=Action.ADMIN,
        returns=paged("VocabularyPage", VocabularyOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(selectors.vocabularies_of(project), request, _present)

    @endpoint(
        "normalise_texts",
        "Have the texts of one name of the photos' metadata looked at, by a job. Nothing is mapped yet",
        may=Action.ADMIN,
        takes=VocabularyIn,
        returns=VocabularyReport,
        status=202,
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _report(services.make_vocabulary(project=project, by=signed_in(request), **given))


@route("projects/<slug:slug>/categories/<int:vocabulary_id>", "api-vocabulary", "truth")
class VocabularyView(ApiView):
    @endpoint("get_categories", "How they stand", may=Action.ADMIN, returns=VocabularyReport)
    def get(self, request: Request, project: Project, vocabulary_id: int) -> Json:
        return _report(selectors.vocabulary_of(project, vocabulary_id))

    @endpoint(
        "say_categories",
        "Say what texts are. It takes effect with the next version",
        may=Action.ADMIN,
        takes=VocabularyChange,
        returns=VocabularyReport,
    )
    def patch(self, request: Request, project: Project, vocabulary_id: int, given: Json) -> Json:
        of = selectors.vocabulary_of(project, vocabulary_id)
        services.change(of=of, **given)
        return _report(of)


@route("projects/<slug:slug>/categories/<int:vocabulary_id>/texts", "api-vocabulary-texts", "truth")
class VocabularyTextsView(ApiView):
    @endpoint(
        "list_category_texts",
        "The texts, what is proposed for each and why, and what was said",
        may=Action.ADMIN,
        returns=paged("VocabularyTextPage", VocabularyTextOut),
        parameters=[OpenApiParameter("which", str, enum=_PARTS)],
    )
    def get(self, request: Request, project: Project, vocabulary_id: int) -> Json:
        of = selectors.vocabulary_of(project, vocabulary_id)
        which = one_of(request, "which", _PARTS) or selectors.ALL
        return page_by_id(selectors.texts_of(of, which), request, _present_text)


@route("projects/<slug:slug>/categories/<int:vocabulary_id>/versions", "api-vocabulary-versions", "truth")
class VocabularyVersionsView(ApiView):
    @endpoint(
        "list_category_versions",
        "What was in force when",
        may=Action.ADMIN,
        returns=paged("VocabularyVersionPage", VocabularyVersionOut),
    )
    def get(self, request: Request, project: Project, vocabulary_id: int) -> Json:
        return page_by_id(
            selectors.versions_of(selectors.vocabulary_of(project, vocabulary_id)), request, _present_version
        )

    @endpoint(
        "save_category_version",
        "Apply what is said. All photos are mapped by a job, and what comes later when it comes",
        may=Action.ADMIN,
        takes=VersionIn,
        returns=VocabularyVersionOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, vocabulary_id: int, given: Json) -> Json:
        of = selectors.vocabulary_of(project, vocabulary_id)
        return _present_version(services.save_version(of=of, by=signed_in(request), **given))
