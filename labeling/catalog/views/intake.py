"""Photos come in: the drop zone, the server's folders, and one page an intake; for the project's admins."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.catalog import selectors, services
from labeling.catalog.forms.intake import FolderForm, UploadForm
from labeling.catalog.forms.sources import UrlsForm
from labeling.catalog.intake.renaming import readings
from labeling.catalog.models import IntakeBatch, IntakeKind, Project
from labeling.catalog.name_encodings import ENCODINGS
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.photos import advice
from labeling.http.refused import refusals_said, show_refusal
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def intake(request: HttpRequest, project: Project) -> HttpResponse:
    if request.GET.get("part") == "batches":
        return render(request, "catalog/_batches.html", {"project": project, **_batches(project)})
    action = request.POST.get("action", "upload") if request.method == "POST" else ""
    sent = (request.POST, request.FILES)
    upload = UploadForm(*(sent if action not in {"", "folder", "urls"} else ()))
    folder = FolderForm(*(sent if action == "folder" else ()))
    urls = UrlsForm(*(sent if action == "urls" else ()))
    by_script = request.headers.get("X-Hilltop-Upload") == "1"
    if request.method == "POST":
        form = next(each for each in (upload, folder, urls) if each.is_bound)
        if form.is_valid():
            try:
                started = _start(request, project, upload=upload, folder=folder, urls=urls)
            except Refused as refusal:
                if by_script:
                    return JsonResponse({"message": refusal.message}, status=refusal.status)
                show_refusal(form, refusal)
            else:
                if by_script:
                    return JsonResponse({"url": _batch_url(started[0])}, status=201)
                if len(started) == 1:
                    return redirect(_batch_url(started[0]))
                messages.success(
                    request, _("The photos are on their way. Each archive has a page of its own.")
                )
                return redirect("intake", slug=project.slug)
        elif by_script:
            return JsonResponse({"message": _all_errors(form)}, status=422)
    return render(
        request,
        "catalog/intake.html",
        project_context(
            request,
            project,
            "intake",
            upload=upload,
            folder=folder,
            urls=urls,
            folders=selectors.open_folders(),
            roots=[str(root) for root in settings.INTAKE_ROOTS],
            max_mb=f"{settings.INTAKE_MAX_BYTES / 2**20:g}",
            max_mp=f"{settings.INTAKE_MAX_PIXELS / 1e6:g}",
            min_side=settings.INTAKE_MIN_SIDE,
            **_batches(project),
        ),
        status=422 if upload.errors or folder.errors or urls.errors else 200,
    )


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def intake_batch(request: HttpRequest, project: Project, batch_id: UUID) -> HttpResponse:
    batch = selectors.intake_batch(project, batch_id)
    if batch is None:
        raise Http404(_("There is no such intake in this project."))
    if request.method == "POST":
        _act(request, batch)
        return redirect(_batch_url(batch))
    report = selectors.intake_report(batch)
    context = {
        "report": report,
        "batch": batch,
        "refused": [{"file": file, "advice": advice(file.reason)} for file in report["refused"]],
        "unlisted": max(0, report["counts"]["refused"] - len(report["refused"])),
        "photos_url": reverse("photos", args=[project.slug]),
        "readings": [(encoding, ENCODINGS[encoding], names) for encoding, names in readings(batch).items()],
        "read_as": ENCODINGS.get(batch.encoding, ""),
    }
    if request.GET.get("part") == "report":
        return render(request, "catalog/_report.html", {"project": project, **context})
    return render(
        request, "catalog/intake_batch.html", project_context(request, project, "intake-batch", **context)
    )


def _all_errors(form: UploadForm | FolderForm | UrlsForm) -> str:
    return " ".join(
        str(message) for messages_of_field in form.errors.values() for message in messages_of_field
    )


def _start(
    request: HttpRequest, project: Project, *, upload: UploadForm, folder: FolderForm, urls: UrlsForm
) -> list[IntakeBatch]:
    by = signed_in(request)
    if folder.is_bound:
        given = folder.cleaned_data["folder"]
        return [services.start_intake(project=project, by=by, kind=IntakeKind.FOLDER, folder=given)[0]]
    if urls.is_bound:
        table = urls.cleaned_data["urls"]
        return [services.start_intake(project=project, by=by, kind=IntakeKind.URLS, urls=table)[0]]
    return services.start_upload(
        project=project,
        by=by,
        files=upload.cleaned_data["photos"],
        source=upload.cleaned_data["source"],
        encoding=upload.cleaned_data["encoding"],
        partial=upload.cleaned_data["partial"],
    )


def _act(request: HttpRequest, batch: IntakeBatch) -> None:
    action = request.POST.get("action")
    with refusals_said(request):
        if action == "cancel":
            services.cancel_intake(batch=batch, by=signed_in(request))
            messages.success(request, _("The intake stops soon. What came in stays in."))
        elif action == "resume":
            services.resume_intake(batch=batch, by=signed_in(request))
            messages.success(request, _("The intake goes on."))
        elif action == "discard":
            services.discard_rest(batch=batch, by=signed_in(request))
            messages.success(request, _("The files that were left are given up. What came in stays in."))
        elif action == "names":
            services.read_names_again(
                batch=batch, by=signed_in(request), encoding=request.POST.get("encoding", "")
            )
            messages.success(request, _("The names are read anew, here and on the photos."))
        else:
            raise Refused.invalid(None, _("This button is not known. Load the page again."))


def _batches(project: Project) -> dict[str, object]:
    return {
        "batches": [
            row | {"url": _batch_url(row["batch"]), "total": sum(row["counts"].values())}
            for row in selectors.intake_batches(project)
        ]
    }


def _batch_url(batch: IntakeBatch) -> str:
    return reverse("intake-batch", args=[batch.project.slug, batch.pk])
