"""A store of photos that is no disk of ours: it is slow or refuses when it is told to, as an S3 service does on a bad day.

Told by a JSON file, so that all processes of a running Hilltop hear it: ``{"refuse": share, "slow_s": seconds}``. What it
raises is no :class:`OSError`, as boto3's errors are none.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage


class ServiceError(Exception):
    """The service is there, and did not do it: what S3 calls SlowDown or InternalError."""


class FarStore(Storage):
    """Files below ``location``, asked for as over a network. ``mood``: the file that tells how it is."""

    def __init__(self, location: str, mood: str) -> None:
        self._files = FileSystemStorage(location=location)
        self._mood = Path(mood)
        self._chance = random.Random()

    def _ask(self) -> FileSystemStorage:
        try:
            mood = json.loads(self._mood.read_text())
        except (FileNotFoundError, ValueError):  # all is well, or it is being written
            return self._files
        time.sleep(mood.get("slow_s", 0.0))
        if self._chance.random() < mood.get("refuse", 0.0):
            raise ServiceError("Please reduce your request rate.")
        return self._files

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        return self._ask().open(name, mode)

    def _save(self, name: str, content: File[Any]) -> str:
        return self._ask().save(name, content)

    def exists(self, name: str) -> bool:
        return self._ask().exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return self._ask().listdir(path)

    def size(self, name: str) -> int:
        return self._ask().size(name)

    def delete(self, name: str) -> None:
        self._ask().delete(name)
