"""The API's schema as OpenAPI. It is the same for everybody until the next release, so a process makes it once."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.encoding import force_bytes
from django.utils.translation import get_language, override
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class SchemaView(SpectacularAPIView):
    """As YAML, or with ``?format=json`` as JSON; ``?lang`` says in which language. Whoever has it is told so (304)."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = request.GET.get("lang", "")
        language = asked if asked in dict(settings.LANGUAGES) else get_language()
        renderer = request.accepted_renderer
        text, tag = prepared(language or settings.LANGUAGE_CODE, renderer.media_type)
        response = HttpResponse(
            text,
            content_type=renderer.media_type,
            headers={"ETag": tag, "Content-Disposition": f'inline; filename="Hilltop.{renderer.format}"'},
        )
        return get_conditional_response(request, etag=tag, response=response) or response


@lru_cache(maxsize=16)
def prepared(language: str, media_type: str) -> tuple[bytes, str]:
    """The text, and its entity tag (RFC 9110, 8.8.3)."""
    renderer = next(each() for each in SchemaView.renderer_classes if each.media_type == media_type)
    with override(language):
        schema = SchemaView.generator_class().get_schema(public=True)  # type: ignore[no-untyped-call]  # the library's
        text = force_bytes(renderer.render(schema))
    return text, f'"{sha256(text).hexdigest()}"'
