"""Labels that were made elsewhere come in: sent, mapped, tried, applied, and taken back as a whole. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange.imports import selectors, services
from labeling.exchange.imports.readers import READERS
from labeling.exchange.models import Import, ImportRow, ImportState, Outcome, Use
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, one_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id, page_by_time
from labeling.gateway.sent_paths import SentPathsParser

_MEANINGS = "label in the file → class key, `hold`, `unusable`, or empty: left out"
#: Step -> what does it.
_STEPS = {
    "check": services.check_import,
    "apply": services.apply_import,
    "undo": services.undo_import,
    "stop": services.cancel_import,
    "photos": services.take_photos_in,
}


class ImportIn(StrictSerializer):
    file = serializers.FileField(
        allow_empty_file=True, help_text="One file, or an archive, perhaps with photos."
    )
    source_ = like(Import, "source", required=False)
    use = serializers.ChoiceField(Use.choices, default=Use.ANSWER)
    format = serializers.ChoiceField(
        list(READERS), required=False, help_text="Found out where it is not given."
    )


class ImportChange(StrictSerializer):
    """Only what is sent changes."""

    source_ = like(Import, "source", required=False)
    use = serializers.ChoiceField(Use.choices, required=False)
    format = serializers.ChoiceField(list(READERS), required=False)
    columns = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True),
        required=False,
        help_text="photo, label or annotator → name of a column",
    )
    classes = serializers.DictField(
        child=serializers.CharField(max_length=80, allow_blank=True), required=False, help_text=_MEANINGS
    )


class StepIn(StrictSerializer):
    step = serializers.ChoiceField(
        list(_STEPS),
        help_text="check: look again; apply: bring in, or go on; undo: take all back; stop; photos: take in those that "
        "came along",
    )


class ImportOut(Shape):
    id = serializers.UUIDField()
    file_name = serializers.CharField()
    format = serializers.CharField(allow_blank=True)
    source_ = serializers.CharField()
    use = serializers.ChoiceField(Use.choices)
    state = serializers.ChoiceField(ImportState.choices)
    columns = serializers.DictField(child=serializers.CharField(allow_blank=True))
    classes = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text=_MEANINGS)
    found = serializers.DictField(
        help_text="What the file holds: photos, rows, labels and annotators with their rows, fields to choose columns from. "
        "`looks`: unmapped label → the class (`key`) as which the champion's `version` sees `alike` of `of` of "
        "its photos; nothing comes of it until you send it as one of `classes`"
    )
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ImportReport(ImportOut):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="outcome → rows")
    job = JobOut(allow_null=True)


class ImportRowOut(Shape):
    id = serializers.IntegerField()
    place = serializers.CharField(help_text="where it stands in the file")
    photo = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_blank=True)
    labels = serializers.ListField(child=serializers.CharField())
    annotator = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True, help_text="why, and what to do")


def _present(of: Import) -> dict[str, Any]:
    return ImportOut.of(of, created_by=of.created_by.username)


def _report(of: Import) -> Json:
    found = selectors.report(of)
    return _present(of) | {"counts": found.counts, "job": present_job(found.job) if found.job else None}


def _present_row(row: ImportRow) -> dict[str, Any]:
    return ImportRowOut.of(row, detail=selectors.why(row))


@route("projects/<slug:slug>/imports", "api-imports", "truth")
class ImportsView(ApiView):
    parser_classes = (SentPathsParser,)
    throttle_scope = "intake"

    @endpoint(
        "list_imports", "Imports, newest first", may=Action.ADMIN, returns=paged("ImportPage", ImportOut)
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(selectors.imports_of(project), request, _present, newest_first=True)

    @endpoint(
        "start_import",
        "Send labels that were made elsewhere. They are read and tried by a job; nothing comes in yet",
        may=Action.ADMIN,
        takes={"multipart/form-data": ImportIn},
        returns=ImportReport,
        status=202,
        errors=(413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        of, _job = services.start_import(project=project, by=signed_in(request), **given)
        return _report(of)


@route("projects/<slug:slug>/imports/<uuid:import_id>", "api-import", "truth")
class ImportView(ApiView):
    @endpoint("get_import", "How an import stands", may=Action.ADMIN, returns=ImportReport)
    def get(self, request: Request, project: Project, import_id: UUID) -> Json:
        return _report(selectors.import_of(project, import_id))

    @endpoint(
        "change_import",
        "Say what an import's labels are, whose, in which columns, and what they mean here. It is tried again by a job",
        may=Action.ADMIN,
        takes=ImportChange,
        returns=ImportReport,
        status=202,
        errors=(409,),
    )
    def patch(self, request: Request, project: Project, import_id: UUID, given: Json) -> Json:
        of = selectors.import_of(project, import_id)
        services.change_import(of=of, by=signed_in(request), **given)
        return _report(selectors.import_of(project, import_id))


@route("projects/<slug:slug>/imports/<uuid:import_id>/step", "api-import-step", "truth")
class ImportStepView(ApiView):
    @endpoint(
        "import_step",
        "Look again, bring in, take back, stop, or take the photos in",
        may=Action.ADMIN,
        takes=StepIn,
        returns=ImportReport,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, import_id: UUID, given: Json) -> Json:
        _STEPS[given["step"]](of=selectors.import_of(project, import_id), by=signed_in(request))
        return _report(selectors.import_of(project, import_id))


@route("projects/<slug:slug>/imports/<uuid:import_id>/rows", "api-import-rows", "truth")
class ImportRowsView(ApiView):
    @endpoint(
        "list_import_rows",
        "What each row of an import would do, or did, and why not",
        may=Action.ADMIN,
        returns=paged("ImportRowPage", ImportRowOut),
        parameters=[OpenApiParameter("outcome", str, enum=Outcome.values)],
    )
    def get(self, request: Request, project: Project, import_id: UUID) -> Json:
        rows = selectors.rows_of(
            selectors.import_of(project, import_id), one_of(request, "outcome", Outcome.values)
        )
        return page_by_id(rows, request, _present_row)
