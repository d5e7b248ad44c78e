"""Buckets that the server's administrator opened, by their names in ``settings.BUCKETS``. Hilltop only reads there.

Loaded where they are in use: what speaks to them is an extra (``s3``).
"""

from __future__ import annotations

import json
from contextlib import closing
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from storages.backends.s3 import S3Storage

#: A web server's thread and a worker's wait for a bucket; nobody waits minutes for one that is away.
_PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"})


class Unread(Exception):
    """An object cannot be had. ``code``: "closed", "gone", "refused" or "silent"; ``about``: what the bucket says of it."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(f"{code} {about}".strip())
        self.code = code
        self.about = about


def opened(name: str) -> tuple[Any, str]:
    """boto3's bucket, and the prefix below which it is open, with its slash. Raises :class:`Unread` ("closed")."""
    if name not in settings.BUCKETS:
        raise Unread("closed")
    store = _store(json.dumps(settings.BUCKETS[name], sort_keys=True, default=str))
    location = store.location.strip("/")
    return store.bucket, f"{location}/" if location else ""


def read(name: str, key: str, *, most: int) -> bytes:
    """At most ``most`` bytes of an object; ``key``: below what is open of the bucket. Raises :class:`Unread`."""
    bucket, prefix = opened(name)
    try:
        with closing(bucket.Object(prefix + key).get()["Body"]) as body:
            return bytes(body.read(most))
    except ClientError as error:
        raise of_answer(error) from error
    except (BotoCoreError, OSError) as error:
        raise Unread("silent") from error


def of_answer(error: ClientError) -> Unread:
    """What an answer other than the object means."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in ("404", "NoSuchKey"):
        return Unread("gone")
    failed = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return Unread("silent" if failed else "refused", code)


@cache
def _store(options: str) -> S3Storage:
    """Opening one takes a tenth of a second, and reads the machine's settings."""
    store = S3Storage(**json.loads(options))
    store.client_config = _PATIENCE.merge(store.client_config)
    return store
