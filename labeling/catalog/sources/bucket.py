"""Objects below a prefix of a bucket. Loaded where buckets are in use: what speaks to them is an extra (``s3``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from labeling.catalog import buckets
from labeling.catalog.name_encodings import kept_path
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.references import Place
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.remote import Remote
from labeling.catalog.sources.source import LONGEST_PATH, Listed, is_clutter


class Bucket(Remote):
    """Objects below a prefix of a bucket that the server's administrator opened, by its name in ``settings.BUCKETS``.

    ``address``: that name, and folders below it. What it is opened with, keys too, stands in the settings alone.
    """

    def __init__(self, address: str) -> None:
        self._name, _, below = address.strip("/").partition("/")
        try:
            self._bucket, self._prefix = buckets.opened(self._name)
        except buckets.Unread:
            raise SourceError("bucket_closed") from None
        self._below = f"{below}/" if below else ""
        super().__init__()

    def place(self, path: str) -> Place:
        """Where the file of this path stays."""
        return Place(self._name, self._below + path)

    def listing(self) -> Iterator[Listed]:
        prefix = self._prefix + self._below
        try:
            for found in self._bucket.objects.filter(Prefix=prefix):
                path = found.key.removeprefix(prefix)
                if path.endswith("/") or not path or is_clutter(path):
                    continue
                refused = "too_large" if found.size > settings.INTAKE_MAX_BYTES else ""
                version = found.e_tag.strip('"')
                if len(path) > LONGEST_PATH:
                    path, refused = "/" + hashlib.sha256(path.encode()).hexdigest(), "path_too_long"
                yield Listed(kept_path(path), path, refused, version=version)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise SourceError("bucket_refuses", code=code) from error
        except (BotoCoreError, OSError) as error:
            raise SourceError("bucket_silent") from error

    def fetch(self, path: str) -> bytes:
        try:
            return buckets.read(self._name, self._below + path, most=settings.INTAKE_MAX_BYTES + 1)
        except buckets.Unread as error:
            raise PhotoRefused("missing" if error.code == "gone" else "bucket_no_answer") from error
