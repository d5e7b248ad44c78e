"""Uploaded files keep the names under which they were sent: whole, with the folders in which they lay, in any encoding.

Browsers send a file of a folder as ``front/17.jpg``, and so may programs. Django cuts a name to its last part while it
reads the body, because a name must never become a path here; it leaves out a file whose name is no UTF-8 or has no last
part, and refuses the whole body for a long one. So each name is a number for Django, and what was sent stays beside the
file (``content_type_extra["path"]``): text, or the bytes of what is no UTF-8. The intake reads it, and keeps it as the
photo's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import ChunkIter, InterBoundaryIter, LazyStream, MultiPartParserError
from django.http.multipartparser import MultiPartParser as DjangoParser
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

#: Bytes: up to so many may stand above a file, and so many of its name are looked at.
_LONGEST_HEAD, _LONGEST_NAME = 2**20, 2**12


class _Name(str):
    """A file's name as Django may see it, which remembers the one that was sent."""

    sent: str | bytes


class _Parser(DjangoParser):
    _boundary: bytes
    _chunk_size: int

    def __init__(self, meta: Mapping[str, Any], body: Any, *rest: Any) -> None:
        super().__init__(meta, body, *rest)
        self._sent: list[str | bytes] = []
        self._input_data = LazyStream(self._numbered(body))  # type: ignore[arg-type]  # takes any iterator

    def sanitize_file_name(self, file_name: str) -> str | None:
        name = _Name("file")
        name.sent = self._sent[int(file_name)]
        return name

    def _numbered(self, body: Any) -> Iterator[bytes]:
        """The same body with a number, from 0, as the name of each file."""
        whole = LazyStream(ChunkIter(body, self._chunk_size))
        parts = iter(InterBoundaryIter(whole, b"--" + self._boundary))
        yield from next(parts, ())
        for part in parts:
            yield b"\r\n--" + self._boundary
            yield self._begun(part)
            yield from part

    def _begun(self, part: LazyStream) -> bytes:
        """What a part begins with: its head, and perhaps some of what follows."""
        size = 2**11
        while b"\r\n\r\n" not in (read := part.read(size)) and len(read) == size < _LONGEST_HEAD:
            part.unget(read)
            size *= 2
        head, gap, content = read.partition(b"\r\n\r\n")
        content = content or part.read(1)
        field, name = _names_in(head)
        # A form's field for files that was left empty is sent as a file without name and content.
        if not gap or name is None or not (name or content):
            return head + gap + content
        self._sent.append(name)
        as_base64 = b"Content-Transfer-Encoding: base64\r\n" if _BASE64.search(head) else b""
        told = b'\r\nContent-Disposition: form-data; name="%b"; filename="%d"\r\n%b\r\n'
        return told % (field, len(self._sent) - 1, as_base64) + content


_BASE64 = re.compile(rb"^content-transfer-encoding:\s*base64\s*$", re.IGNORECASE | re.MULTILINE)
_PICTURE = re.compile(rb"^content-type:\s*image/", re.IGNORECASE | re.MULTILINE)


def _names_in(head: bytes) -> tuple[bytes, str | bytes | None]:
    """Of the field, in ASCII; and of the file, as text where it is known what is meant, ``None`` where there is none."""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-disposition:"):
            break
    else:
        return b"", None
    # Letter by letter a byte, so that the parser takes whatever it is.
    stated = line.decode("latin-1")
    try:
        found = parse_header_parameters(stated)[1]
    except ValueError:  # a name in an encoding that is none
        stated = re.sub(r"filename\*", "x", stated, flags=re.IGNORECASE)
        found = {"filename": ""} | parse_header_parameters(stated)[1]
    field = found.get("name", "").encode("ascii", "ignore").replace(b'"', b"")[:200]
    name = found.get("filename", "" if _PICTURE.search(head) else None)
    if name is None or "filename*" in stated.lower():
        return field, name if name is None else name[-_LONGEST_NAME:]
    raw = name.encode("latin-1")
    try:
        return field, raw.decode()[-_LONGEST_NAME:]
    except UnicodeDecodeError:
        return field, raw[-_LONGEST_NAME:]


class SentPathHandler(FileUploadHandler):
    """The first of ``FILE_UPLOAD_HANDLERS``: puts each name beside its file, which it leaves to the others."""

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
        if content_type_extra is not None:
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
