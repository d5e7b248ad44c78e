"""An object store of the tests' own: moto's server in a thread, and a bucket a test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The server's address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def in_bucket(address: str, bucket: str) -> dict[str, Any]:
    """HILLTOP_STORAGE for a bucket there, which is made."""
    import boto3

    options = {"access_key": "tests", "secret_key": "tests", "region_name": "us-east-1"}
    boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id="tests",
        aws_secret_access_key="tests",
        region_name="us-east-1",
    ).create_bucket(Bucket=bucket)
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": bucket, "endpoint_url": address, "location": "hilltop", **options},
    }


@pytest.fixture
def bucket(s3: str, settings: Any) -> None:
    """The store is a bucket."""
    name = f"tests-{os.getpid()}-{next(_numbers)}"
    settings.STORAGES = {**settings.STORAGES, "default": in_bucket(s3, name)}


@pytest.fixture
def machine(settings: Any, tmp_path: Path) -> Any:
    """From now on this process is the machine of that name: folders of its own."""

    def be(name: str) -> Path:
        for setting in ("MODELS", "EMBEDDINGS", "BACKBONES", "STAGING"):
            setattr(settings, f"{setting}_DIR", tmp_path / name / setting.lower())
        return tmp_path / name

    return be
