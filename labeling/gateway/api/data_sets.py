"""Data sets: ground truths of a moment with their photos, in the format of whoever trains on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from labeling.catalog.activity import log_activity
from labeling.catalog.metadata.values import LONGEST_NAME, MOST
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange import selectors
from labeling.exchange.formats import FORMATS
from labeling.exchange.models import PROMISES, DataSet, Pictures, Together
from labeling.exchange.services import make_data_set
from labeling.exchange.tables import sent
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_time


class DataSetIn(StrictSerializer):
    search = serializers.CharField(
        max_length=2000,
        allow_blank=True,
        default="",
        help_text="Only photos that are found by these filters, as in the address of `items`: `q=앞범퍼&class=ok`.",
    )
    format = serializers.ChoiceField(list(FORMATS))
    pictures = like(DataSet, "pictures", default=Pictures.ORIGINAL)
    validation = like(DataSet, "validation", default=0, help_text="Percent of the photos.")
    test = like(DataSet, "test", default=0, help_text="Percent of the photos.")
    together = like(
        DataSet, "together", default=Together.PHOTO, help_text="What stays on one side of the split."
    )
    value = like(
        DataSet, "value", default="", help_text="With together=value: name of the metadata, as vehicle."
    )
    metadata = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME),
        max_length=MOST,
        default=list,
        help_text="Names of the metadata that become columns `metadata.NAME`, as it is said now.",
    )
    seed = like(DataSet, "seed", default=0)
    promise = serializers.ChoiceField(PROMISES, allow_blank=True, default="")


class DataSetOut(Shape):
    id = serializers.UUIDField()
    format = serializers.ChoiceField(list(FORMATS))
    pictures = serializers.ChoiceField(Pictures.choices)
    validation = serializers.IntegerField()
    test = serializers.IntegerField()
    together = serializers.ChoiceField(Together.choices)
    value = serializers.CharField(
        allow_blank=True, help_text="the metadata of which each value stays together"
    )
    metadata = serializers.ListField(child=serializers.CharField())
    seed = serializers.IntegerField()
    promise = serializers.ChoiceField(PROMISES, allow_blank=True)
    guideline = serializers.IntegerField()
    upto = serializers.IntegerField(help_text="id of the last ground truth that it reads")
    search = serializers.CharField(allow_blank=True)
    ready = serializers.BooleanField(help_text="false while the photos of its search are looked for")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    file = serializers.URLField()
    manifest = serializers.URLField()


class ManifestOut(Shape):
    data_set = serializers.UUIDField()
    project = serializers.CharField()
    question = serializers.CharField()
    classes = serializers.DictField(child=serializers.CharField())
    guideline = serializers.IntegerField()
    ground_truths_up_to = serializers.IntegerField()
    promise = serializers.CharField(allow_blank=True)
    filters = serializers.DictField(child=serializers.CharField())
    photos_found = serializers.IntegerField(allow_null=True, help_text="by the filters, settled or not")
    format = serializers.CharField()
    pictures = serializers.CharField()
    metadata = serializers.ListField(child=serializers.CharField(), help_text="names that became columns")
    split = serializers.DictField()
    not_carried = serializers.ListField(
        child=serializers.CharField(), help_text="What is known of each row and the format has no place for."
    )
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    rows = serializers.IntegerField()
    splits = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()), help_text="Photos by split and class."
    )
    sha256_of_rows = serializers.CharField(
        help_text="SHA-256 of the lines `photo class split`, in the order of the rows: the same each time."
    )
    missing_photos = serializers.ListField(child=serializers.CharField())
    why_missing = serializers.DictField(
        child=serializers.CharField(),
        help_text="by SHA-256: why a photo could not be had from where it stays",
    )


def _present(request: Request, data_set: DataSet) -> dict[str, Any]:
    at = {"slug": data_set.project.slug, "data_set_id": data_set.pk}
    return DataSetOut.of(
        data_set,
        guideline=data_set.guideline.number,
        created_by=data_set.created_by.username,
        file=reverse("api-data-set-file", kwargs=at, request=request),
        manifest=reverse("api-data-set-manifest", kwargs=at, request=request),
    )


@route("projects/<slug:slug>/data-sets", "api-data-sets", "truth")
class DataSetsView(ApiView):
    @endpoint(
        "list_data_sets",
        "Data sets that were made, newest first",
        may=Action.ADMIN,
        returns=paged("DataSetPage", DataSetOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(
            selectors.data_sets_of(project), request, lambda each: _present(request, each), newest_first=True
        )

    @endpoint(
        "make_data_set",
        "Fix what goes into a data set: ground truths in force now, split as asked. Its file is written when it is fetched",
        may=Action.ADMIN,
        takes=DataSetIn,
        returns=DataSetOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        made = make_data_set(project=project, by=signed_in(request), **given)
        return _present(request, selectors.data_set_of(project, made.pk))


@route("projects/<slug:slug>/data-sets/<uuid:data_set_id>/file", "api-data-set-file", "truth")
class DataSetFileView(ApiView):
    throttle_scope = "export"
    throttled_methods = ("GET", "HEAD")

    @endpoint(
        "data_set_file",
        "The data set as one streamed file; 409 `choosing` while the photos of its search are looked for",
        may=Action.ADMIN,
        also={
            (200, each.content_type.split(";")[0]): OpenApiResponse(OpenApiTypes.BINARY)
            for each in FORMATS.values()
        },
        errors=(409, 429),
    )
    def get(self, request: Request, project: Project, data_set_id: UUID) -> StreamingHttpResponse:
        data_set = selectors.readable_data_set(project, data_set_id)
        format = FORMATS[data_set.format]
        log_activity(
            project=project,
            kind="exported",
            actor=signed_in(request),
            what="data-set",
            format=format.title,
            data_set=str(data_set.pk),
        )
        return sent(
            request._request,
            selectors.file_of(data_set),
            content_type=format.content_type,
            filename=f"{data_set}.{format.ending}",
        )


@route("projects/<slug:slug>/data-sets/<uuid:data_set_id>/manifest", "api-data-set-manifest", "truth")
class DataSetManifestView(ApiView):
    throttle_scope = "export"
    throttled_methods = ("GET", "HEAD")

    @endpoint(
        "data_set_manifest",
        "What a data set is made of, counted anew: enough to make it again and to see that it is the same",
        may=Action.ADMIN,
        returns=ManifestOut,
        errors=(409, 429),
    )
    def get(self, request: Request, project: Project, data_set_id: UUID) -> Json:
        return selectors.manifest(selectors.readable_data_set(project, data_set_id))
