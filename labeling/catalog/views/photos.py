"""A photo's bytes, for members only."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from inference.photo import Levels
from labeling.catalog import missing, selectors, storage
from labeling.catalog.models import Image
from labeling.catalog.renditions import Place, levels_of, places
from labeling.http.safe_methods import only_looked_at


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
        except OSError as error:
            raise missing.answer_to(error) from None
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
