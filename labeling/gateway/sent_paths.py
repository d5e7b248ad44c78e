"""Uploaded files keep the names under which they were sent: with the folders in which they lay.

Browsers send a file of a folder as ``front/17.jpg``, and so may programs. Django cuts a name to its last part while it
reads the body, because a name must never become a path here. It does not: it stays a text beside the file
(``content_type_extra["path"]``), which the intake keeps as the photo's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser as DjangoParser
from django.http.multipartparser import MultiPartParserError
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser


class _Name(str):
    """The last part of a name, as Django leaves it, which remembers the whole."""

    sent: str


class _Parser(DjangoParser):
    def sanitize_file_name(self, file_name: str) -> str | None:
        last = super().sanitize_file_name(file_name)
        if not last:
            return None
        name = _Name(last)
        name.sent = file_name
        return name


class SentPathHandler(FileUploadHandler):
    """The first of ``FILE_UPLOAD_HANDLERS``: puts the whole name beside each file, and leaves the file to the others."""

    def new_file(
        self,
        field_name: str,
        file_name: str,
        content_type: str,
        content_length: int | None,
        charset: str | None = None,
        content_type_extra: dict[str, Any] | None = None,
    ) -> None:
        super().new_file(field_name, file_name, content_type, content_length, charset, content_type_extra)
        if content_type_extra is not None:  # a sender's own parameter of this name is overwritten
            content_type_extra["path"] = getattr(file_name, "sent", "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class SentPathsMiddleware(MiddlewareMixin):
    """For pages. Stands before whatever looks at a form first."""

    def process_request(self, request: HttpRequest) -> None:
        request.parse_file_upload = partial(_parse, request)  # type: ignore[method-assign]


class SentPathsParser(MultiPartParser):
    """For the API."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles[Any, Any]:
        request = (parser_context or {})["request"]
        try:
            return DataAndFiles(*_parse(request, request.META | {"CONTENT_TYPE": media_type}, stream))
        except MultiPartParserError:
            raise ParseError(_("The request could not be read.")) from None


def _parse(request: Any, meta: Mapping[str, Any], body: Any) -> Any:
    return _Parser(meta, body, request.upload_handlers, request.encoding or "utf-8").parse()
