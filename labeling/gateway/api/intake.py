"""Photos come in: uploads, an archive, or a folder on the server; and what became of each file. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import IntakeBatch, IntakeFile, IntakeKind, IntakeOutcome, Item, Project
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.selectors import intake_report
from labeling.catalog.services import start_intake
from labeling.catalog.storage import VARIANTS, rendition
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import PhotoOut, present_photo
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.review import item_named
from labeling.gateway.pagination import page_by_id
from labeling.gateway.parsers import StrictJSONParser
from labeling.refusals import Refused


class IntakeIn(StrictSerializer):
    """Exactly one of the three."""

    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text="Photos, as multipart parts.",
    )
    zip = serializers.FileField(required=False, help_text="One archive of photos.")
    folder = serializers.CharField(
        max_length=1000, required=False, help_text="A folder on the server, below one of its intake roots."
    )


class FolderIn(StrictSerializer):
    """JSON cannot carry files: it names a folder. Only for the schema; :class:`IntakeIn` reads both."""

    folder = serializers.CharField(max_length=1000)


class IntakeStarted(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    job = JobOut()


class IntakeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(IntakeKind.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # our word
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(["running", "finished", "stopped", "failed"])
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="outcome → files")
    job = JobOut(allow_null=True)


class IntakeFileOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    outcome = serializers.ChoiceField(IntakeOutcome.choices)
    reason = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_null=True)


class ItemOut(PhotoOut):
    name = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # our word
    added_at = serializers.DateTimeField()


def _batch(project: Project, batch_id: UUID) -> IntakeBatch:
    batch = IntakeBatch.objects.filter(project=project, pk=batch_id).select_related("created_by").first()
    if batch is None:
        raise Http404(_("There is no such intake in this project."))
    return batch


class IntakesView(ApiView):
    parser_classes = (StrictJSONParser, MultiPartParser)
    throttle_scope = "intake"

    @documented(
        "start_intake",
        "Take photos in, as a job",
        takes={"multipart/form-data": IntakeIn, "application/json": FolderIn},
        returns=IntakeStarted,
        status=202,
        errors=(409, 413, 429),
        tag="intake",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = IntakeIn(data=_plain(request))
        given.is_valid(raise_exception=True)
        if len(given.validated_data) != 1:
            raise Refused.invalid(None, _("Send exactly one of: files, zip, folder."))
        what, content = next(iter(given.validated_data.items()))
        kind = {"files": IntakeKind.UPLOAD, "zip": IntakeKind.ZIP, "folder": IntakeKind.FOLDER}[what]
        batch, job = start_intake(project=project, by=user_of(request), kind=kind, **{what: content})
        return Response({"id": str(batch.pk), "job": present_job(job)}, status=202)


def _plain(request: Request) -> dict[str, Any]:
    """Multipart input as the plain dict that JSON gives; ``files`` is the one name that may come several times."""
    data: Any = request.data
    if not hasattr(data, "getlist"):
        return dict(data)
    return {name: data.getlist(name) if name == "files" else data[name] for name in data}


class IntakeView(ApiView):
    @documented("get_intake", "How an intake stands", returns=IntakeOut, tag="intake")
    def get(self, request: Request, slug: str, batch_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        batch = _batch(project, batch_id)
        report = intake_report(batch, refused_limit=0)
        return Response(
            {
                "id": str(batch.pk),
                "kind": batch.kind,
                "source": batch.source,
                "created_by": batch.created_by.get_username(),
                "created_at": batch.created_at,
                **{name: report[name] for name in ("state", "total", "done", "counts")},
                "job": present_job(report["job"]) if report["job"] else None,
            }
        )


class IntakeFilesView(ApiView):
    @documented(
        "list_intake_files",
        "The files of an intake, each with what became of it",
        returns=paged("IntakeFilePage", IntakeFileOut),
        pages=True,
        parameters=[OpenApiParameter("outcome", str, enum=IntakeOutcome.values)],
        tag="intake",
    )
    def get(self, request: Request, slug: str, batch_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        files = IntakeFile.objects.filter(batch=_batch(project, batch_id)).select_related("image")
        outcome = request.query_params.get("outcome")
        if outcome is not None:
            if outcome not in IntakeOutcome.values:
                message = _("One of: %(values)s.") % {"values": ", ".join(IntakeOutcome.values)}
                raise Refused.invalid("outcome", message, short=[message])
            files = files.filter(outcome=outcome)
        return Response(page_by_id(files, request, _present_file))


def _present_file(file: IntakeFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "outcome": file.outcome,
        "reason": file.reason,
        "detail": file.detail,
        "sha256": file.image.sha256 if file.image else None,
    }


class ItemsView(ApiView):
    """Reviewers and admins: a labeler who could page through the pool would know what is coming."""

    @documented(
        "list_items",
        "The photos of the project",
        returns=paged("ItemPage", ItemOut),
        pages=True,
        tag="intake",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        return Response(
            page_by_id(Item.objects.filter(project=project).select_related("image"), request, _present_item)
        )


def _present_item(item: Item) -> dict[str, Any]:
    return present_photo(item.image) | {
        "name": item.name,
        "source": item.source,
        "added_at": item.added_at,
    }


class PhotoView(ApiView):
    """What the pages' photo address shows, for programs: that one knows sessions only."""

    @documented(
        "get_photo",
        "A photo of the project, as WebP",
        returns=None,
        also={(200, "image/webp"): OpenApiResponse(OpenApiTypes.BINARY, description="the rendition")},
        parameters=[OpenApiParameter("variant", str, OpenApiParameter.PATH, enum=list(VARIANTS))],
        tag="labeling",
    )
    def get(self, request: Request, slug: str, sha256: str, variant: str) -> HttpResponse:
        project = project_for(request.user, slug, Action.VIEW)
        item = item_named(project, sha256)
        if variant not in VARIANTS:
            raise Http404(_("There are these renditions: %(names)s.") % {"names": ", ".join(VARIANTS)})
        try:
            data = rendition(item.image, variant)
        except FileNotFoundError:
            raise Http404(
                _("The photo's file is missing from the storage. Take the photo in again.")
            ) from None
        response = HttpResponse(data, content_type="image/webp")
        response["Cache-Control"] = "private, max-age=31536000, immutable"
        return response
