"""A bucket in moto's server, a process of its own: what asking a store elsewhere costs, without a network's delays."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config.database import ROOT

_KEYS = {"access_key": "benchmark", "secret_key": "benchmark", "region_name": "us-east-1"}


@contextlib.contextmanager
def bucket(wanted: bool = True) -> Iterator[Callable[[], int]]:
    """HILLTOP_STORAGE names a bucket until the block ends. Tells how many requests there were; 0 where none was wanted."""
    if not wanted:
        yield lambda: 0
        return
    import boto3

    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    log = tempfile.NamedTemporaryFile()  # noqa: SIM115  (a line a request)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        cwd=ROOT,
        stderr=log,
        stdout=subprocess.DEVNULL,
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
        yield lambda: Path(log.name).read_bytes().count(b'HTTP/1.1"')
    finally:
        del os.environ["HILLTOP_STORAGE"]
        server.terminate()
        server.wait()
        log.close()


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
