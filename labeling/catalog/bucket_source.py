"""Objects below a prefix of a bucket. Loaded where buckets are in use: what speaks to them is an extra (``s3``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage

from labeling.catalog.name_encodings import kept_path
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.remote_sources import Remote
from labeling.catalog.source_errors import SourceError
from labeling.catalog.sources import LONGEST_PATH, Listed, is_clutter


class Bucket(Remote):
    """Objects below a prefix of a bucket that the server's administrator opened, by its name in ``settings.BUCKETS``.

    ``address``: that name, and folders below it. What it is opened with, keys too, stands in the settings alone.
    """

    def __init__(self, address: str) -> None:
        name, _, below = address.strip("/").partition("/")
        if name not in settings.BUCKETS:
            raise SourceError("bucket_closed")
        super().__init__()
        store = S3Storage(**settings.BUCKETS[name])
        self._bucket: Any = store.bucket
        self._prefix = "".join(f"{part}/" for part in (store.location.strip("/"), below) if part)

    def listing(self) -> Iterator[Listed]:
        with _trouble():
            for found in self._bucket.objects.filter(Prefix=self._prefix):
                path = found.key.removeprefix(self._prefix)
                if path.endswith("/") or not path or is_clutter(path):
                    continue
                refused = "too_large" if found.size > settings.INTAKE_MAX_BYTES else ""
                version = found.e_tag.strip('"')
                if len(path) > LONGEST_PATH:
                    path, refused = "/" + hashlib.sha256(path.encode()).hexdigest(), "path_too_long"
                yield Listed(kept_path(path), path, refused, version=version)

    def fetch(self, path: str) -> bytes:
        try:
            with closing(self._bucket.Object(self._prefix + path).get()["Body"]) as body:
                return bytes(body.read(settings.INTAKE_MAX_BYTES + 1))
        except ClientError as error:
            gone = error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey")
            raise PhotoRefused("missing" if gone else "bucket_no_answer") from error
        except (BotoCoreError, OSError) as error:
            raise PhotoRefused("bucket_no_answer") from error


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise SourceError("bucket_refuses", code=code) from error
    except (BotoCoreError, OSError) as error:
        raise SourceError("bucket_silent") from error
