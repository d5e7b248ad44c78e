"""Photos come in: uploads, an archive, or a folder on the server; and what became of each file. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.intake.renaming import readings
from labeling.catalog.models import IntakeBatch, IntakeFile, IntakeKind, IntakeOutcome, Project
from labeling.catalog.name_encodings import ENCODINGS
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import intake_report
from labeling.catalog.services import read_names_again, start_intake
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, one_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer, paged
from labeling.gateway.pagination import page_by_id
from labeling.gateway.parsers import StrictJSONParser
from labeling.gateway.sent_paths import SentPathsParser
from labeling.refusals import Refused


class IntakeIn(StrictSerializer):
    """Exactly one of files, zip, urls and folder."""

    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text="Photos, as multipart parts. A part's file name may hold folders, as in front/17.jpg.",
    )
    zip = serializers.FileField(required=False, help_text="One archive of photos.")
    urls = serializers.FileField(
        required=False,
        help_text="A CSV with the photos' addresses in `url`, their names in `file_name`; other columns are their metadata.",
    )
    folder = serializers.CharField(
        max_length=1000, required=False, help_text="A folder on the server, below one of its intake roots."
    )

    encoding = serializers.ChoiceField(
        list(ENCODINGS),
        required=False,
        help_text="Of names that do not say it themselves, as in old zips; found out where it is not given.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Multipart input as the plain dict that JSON gives; ``files`` is the one name that may come several times."""
        if hasattr(data, "getlist"):
            data = {name: data.getlist(name) if name == "files" else data[name] for name in data}
        return super().to_internal_value(data)


class FolderIn(StrictSerializer):
    """JSON cannot carry files: it names a folder. Only for the schema; :class:`IntakeIn` reads both."""

    folder = serializers.CharField(max_length=1000)


class IntakeStarted(Shape):
    id = serializers.UUIDField()
    job = JobOut()


class IntakeOut(Shape):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(IntakeKind.choices)
    source_ = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(["running", "finished", "stopped", "failed"])
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="outcome → files")
    job = JobOut(allow_null=True)


class NamesIn(StrictSerializer):
    encoding = serializers.ChoiceField(list(ENCODINGS))


class NamesOut(Shape):
    encoding = serializers.CharField(help_text="empty where all names said how they are meant")
    guessed = serializers.BooleanField(help_text="another encoding would fit as well")
    readings = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="encoding → a few names as they read in it",
    )


class IntakeFileOut(Shape):
    name = serializers.CharField()
    outcome = serializers.ChoiceField(IntakeOutcome.choices)
    reason = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_null=True)


def _batch(project: Project, batch_id: UUID) -> IntakeBatch:
    batch = IntakeBatch.objects.filter(project=project, pk=batch_id).select_related("created_by").first()
    if batch is None:
        raise Http404(_("There is no such intake in this project."))
    return batch


@route("projects/<slug:slug>/intake", "api-intakes", "intake")
class IntakesView(ApiView):
    parser_classes = (StrictJSONParser, SentPathsParser)
    throttle_scope = "intake"

    @endpoint(
        "start_intake",
        "Take photos in, as a job",
        may=Action.ADMIN,
        takes={"multipart/form-data": IntakeIn, "application/json": FolderIn},
        returns=IntakeStarted,
        status=202,
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        encoding = given.pop("encoding", "")
        if len(given) != 1:
            raise Refused.invalid(None, _("Send exactly one of: files, zip, urls, folder."))
        what, content = next(iter(given.items()))
        kind = IntakeKind.UPLOAD if what == "files" else IntakeKind(what)
        batch, job = start_intake(
            project=project, by=signed_in(request), kind=kind, encoding=encoding, **{what: content}
        )
        return IntakeStarted.of(batch, job=present_job(job))


@route("projects/<slug:slug>/intake/<uuid:batch_id>", "api-intake", "intake")
class IntakeView(ApiView):
    @endpoint("get_intake", "How an intake stands", may=Action.ADMIN, returns=IntakeOut)
    def get(self, request: Request, project: Project, batch_id: UUID) -> Json:
        batch = _batch(project, batch_id)
        report = intake_report(batch, refused_limit=0)
        return IntakeOut.of(
            batch,
            created_by=batch.created_by.get_username(),
            **{name: report[name] for name in ("state", "total", "done", "counts")},
            job=present_job(report["job"]) if report["job"] else None,
        )


@route("projects/<slug:slug>/intake/<uuid:batch_id>/files", "api-intake-files", "intake")
class IntakeFilesView(ApiView):
    @endpoint(
        "list_intake_files",
        "The files of an intake, each with what became of it",
        may=Action.ADMIN,
        returns=paged("IntakeFilePage", IntakeFileOut),
        parameters=[OpenApiParameter("outcome", str, enum=IntakeOutcome.values)],
    )
    def get(self, request: Request, project: Project, batch_id: UUID) -> Json:
        files = IntakeFile.objects.filter(batch=_batch(project, batch_id)).select_related("image")
        outcome = one_of(request, "outcome", IntakeOutcome.values)
        if outcome is not None:
            files = files.filter(outcome=outcome)
        return page_by_id(files, request, _present_file)


@route("projects/<slug:slug>/intake/<uuid:batch_id>/names", "api-intake-names", "intake")
class IntakeNamesView(ApiView):
    @endpoint("get_intake_names", "How names that came as bytes are read", may=Action.ADMIN, returns=NamesOut)
    def get(self, request: Request, project: Project, batch_id: UUID) -> Json:
        return _present_names(_batch(project, batch_id))

    @endpoint(
        "read_intake_names",
        "Read names that came as bytes in another encoding",
        may=Action.ADMIN,
        takes=NamesIn,
        returns=NamesOut,
        errors=(409,),
    )
    def put(self, request: Request, project: Project, batch_id: UUID, given: Json) -> Json:
        batch = _batch(project, batch_id)
        read_names_again(batch=batch, by=signed_in(request), encoding=given["encoding"])
        return _present_names(batch)


def _present_names(batch: IntakeBatch) -> Json:
    return NamesOut.of(batch, guessed=batch.encoding_guessed, readings=readings(batch))


def _present_file(file: IntakeFile) -> dict[str, Any]:
    return IntakeFileOut.of(file, sha256=file.image.sha256 if file.image else None)
