"""A photo's bytes, for members only; and the page that browses a project's photos."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from inference.photo import Levels
from labeling.catalog import selectors, services, storage
from labeling.catalog.forms.guideline import ExemplarForm
from labeling.catalog.models import Image
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, may, project_for
from labeling.catalog.publishing import publishing
from labeling.catalog.renditions import Place, levels_of, places
from labeling.looked_at import only_looked_at
from labeling.people.signed_in import signed_in
from labeling.plain_text import composed
from labeling.refusals import Refused
from labeling.typed_numbers import whole


@only_looked_at
def photo(request: HttpRequest, sha256: str, version: str, variant: str) -> HttpResponse:
    """A rendition, as WebP, cacheable for ever by the member's own browser. Strangers learn nothing: 404."""
    return _served(
        request, sha256, version, variant, lambda levels: storage.rendition_of(sha256, variant, levels)
    )


@only_looked_at
def tile(request: HttpRequest, sha256: str, version: str, x: str, y: str) -> HttpResponse:
    """A piece of the photo with all its pixels, under the rules of :func:`photo`."""
    place = Place(int(x), int(y))

    def read(levels: Levels) -> bytes:
        image = get_object_or_404(Image, sha256=sha256)
        if place not in places(image.width, image.height):  # asking there costs nothing
            raise Http404(_("The photo has no pixels there."))
        return storage.tile(sha256, place, levels)

    return _served(request, sha256, version, f"{x}-{y}", read)


@only_looked_at
def photo_of_old(request: HttpRequest, sha256: str, variant: str) -> HttpResponse:
    """The address from before it said its version: pages that were open then, and answers that wait in browsers, know it."""
    return redirect(selectors.photo_url(sha256, variant))


def _served(
    request: HttpRequest, sha256: str, version: str, what: str, read: Callable[[Levels], bytes]
) -> HttpResponse:
    if not selectors.may_see_photo(request.user, sha256):
        raise Http404(_("There is no such photo, or you are not a member of a project that holds it."))
    levels = levels_of(version)
    if levels is None:  # no bytes of one version are kept for ever under the address of another
        raise Http404(_("The photo is shown anew since this page was opened. Load the page again."))
    etag = f'"{sha256[:32]}-{version}-{what}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        try:
            response = HttpResponse(read(levels), content_type="image/webp")
        except OSError:
            raise Http404(
                _("The photo's file is missing from the storage. Take the photo in again.")
            ) from None
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def photos(request: HttpRequest, slug: str) -> HttpResponse:
    """The photos of the project in the order they came in; for reviewers and admins (labelers answer blind)."""
    project = project_for(request.user, slug, Action.REVIEW)
    definitions = selectors.active_definitions(project)
    form = ExemplarForm(definitions=definitions)
    if request.method == "POST":
        project_for(request.user, slug, Action.ADMIN)
        form = ExemplarForm(request.POST, definitions=definitions)
        if form.is_valid():
            chosen = {form.cleaned_data["label_class"]: form.cleaned_data["photo"]}
            try:
                services.amend_guideline(
                    project=project,
                    by=signed_in(request),
                    note=form.cleaned_data["note"],
                    more_exemplars=chosen,
                    **form.said(),
                )
            except Refused as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, _("The photos are exemplars now. A new guideline version says so."))
                return redirect("guideline", slug=slug)
    ticked = set(request.POST.getlist("photo"))
    source = composed(request.GET.get("source", ""))
    page = selectors.photo_page(
        project,
        after=whole(request.GET.get("after", ""), digits=18) or 0,
        before=whole(request.GET.get("before", ""), digits=18),
        source=source,
    )
    return render(
        request,
        "catalog/photos.html",
        project_context(
            request,
            project,
            "photos",
            photos=[{"item": item, "chosen": item.image.sha256 in ticked} for item in page.items],
            older=page.next,
            newer=page.previous,
            source=source,
            sources=selectors.sources(project),
            form=form,
            may_edit=may(request.user, project, Action.ADMIN),
            **publishing(request, project),
            intake_url=reverse("intake", args=[slug]),
        ),
        status=422 if form.errors else 200,
    )
