"""A bucket in moto's server, a process of its own: what asking a store elsewhere costs, without a network's delays."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from config.database import ROOT

_KEYS = {"access_key": "benchmark", "secret_key": "benchmark", "region_name": "us-east-1"}


@contextlib.contextmanager
def bucket(wanted: bool = True) -> Iterator[None]:
    """HILLTOP_STORAGE names a bucket until the block ends; it is made where Django's settings are read later."""
    if not wanted:
        yield
        return
    import boto3

    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    os.environ["HILLTOP_STORAGE"] = json.dumps(
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": "photos", "endpoint_url": address, "location": "hilltop", **_KEYS},
        }
    )
    try:
        _wait(port)
        boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id="benchmark",
            aws_secret_access_key="benchmark",
            region_name="us-east-1",
        ).create_bucket(Bucket="photos")
        yield
    finally:
        del os.environ["HILLTOP_STORAGE"]
        server.terminate()
        server.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
