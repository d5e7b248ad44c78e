"""Nobody fills our disk or our lines who has not been asked who they are: through the real server, by its open files."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from django.test import Client

from labeling.catalog.models import IntakeBatch, Project
from labeling.gateway import bodies
from tests.factories import make_member, make_project
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)

#: Far more than what anything but an upload may hold, and more than Django keeps in memory.
MUCH = 12 * 2**20
#: Of a line that nobody reads the kernels of both ends take tens of MiB, the more the busier the server is.
MORE_THAN_FITS = 120 * 2**20
PIECE = b"x" * 2**16


class Line:
    """A connection to the server over which a body is sent as a test wishes."""

    def __init__(self, stack: Stack, head: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", stack.port), timeout=120)
        # Else both ends together may hold all that a test sends, before the server has read a byte.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
        self.socket.sendall(f"{head}\r\nHost: 127.0.0.1\r\n".encode())
        self.sent = 0

    def begin(self, *headers: str) -> None:
        self.socket.sendall("".join(f"{each}\r\n" for each in headers).encode() + b"\r\n")

    def send(self, size: int, *, chunked: bool = False) -> None:
        """Up to ``size`` bytes; less when the server hangs up, which is what a stranger deserves."""
        piece = b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if chunked else PIECE
        with suppress(BrokenPipeError, ConnectionResetError):
            while self.sent < size:
                self.socket.sendall(piece)
                self.sent += len(PIECE)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        received = b""
        with suppress(ConnectionResetError):
            while more := self.socket.recv(2**16):
                received += more
                head, found, body = received.partition(b"\r\n\r\n")
                headers = dict(
                    line.split(": ", 1)
                    for line in head.decode("latin-1").lower().split("\r\n")[1:]
                    if ": " in line
                )
                if found and len(body) >= int(headers.get("content-length", 0)):
                    break
        status = int(received.split(b" ", 2)[1])
        return status, headers, body


@pytest.fixture
def line(live_stack: Stack) -> Iterator[Callable[[str], Line]]:
    opened: list[Line] = []

    def to(head: str) -> Line:
        opened.append(Line(live_stack, head))
        return opened[-1]

    yield to
    for each in opened:
        each.socket.close()


def spooled(stack: Stack) -> int:
    """Bytes in files that the server holds open and nobody can see by name: that is how bodies lie on a disk."""
    assert stack.web is not None
    size = 0
    for process in [psutil.Process(stack.web.pid), *psutil.Process(stack.web.pid).children(recursive=True)]:
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                if os.readlink(descriptor).endswith(" (deleted)") and "/memfd" not in os.readlink(descriptor):
                    found = descriptor.stat()
                    size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return size


def _project() -> Project:
    project = make_project(slug="cells")
    for name, role in (("lina", "labeler"), ("ada", "admin")):
        make_member(project, role, name)
    return project


def _token(name: str) -> str:
    body = {"username": name, "password": name}
    answer = Client().post("/api/v1/login", body, content_type="application/json")
    return f"Authorization: Token {answer.json()['token']}"


@pytest.mark.parametrize("chunked", [False, True], ids=["stated", "chunked"])
@pytest.mark.parametrize(
    "head",
    [
        "POST /login",
        "POST /healthz",
        "POST /nowhere",
        "POST /api/nowhere",
        "GET /login",
        "POST /api/v1/login",
    ],
)
def test_a_body_of_any_length_is_refused_before_it_lies_anywhere(
    live_stack: Stack, line: Callable[[str], Line], head: str, chunked: bool
) -> None:
    stranger = line(f"{head} HTTP/1.1")
    stranger.begin("Transfer-Encoding: chunked" if chunked else f"Content-Length: {MORE_THAN_FITS}")
    stranger.send(MORE_THAN_FITS, chunked=chunked)
    assert spooled(live_stack) == 0
    status, headers, body = stranger.answer()
    assert status == 413
    assert stranger.sent < MORE_THAN_FITS, "the line is cut"
    if "/api/" in head:
        assert json.loads(body)["error"]["code"] == "too_large"
    else:
        assert headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("who", "head", "status"),
    [
        (None, "POST /api/v1/projects/cells/intake", 401),
        ("lina", "POST /api/v1/projects/cells/intake", 403),
        ("olga", "POST /api/v1/projects/cells/intake", 404),
        ("ada", "POST /api/v1/projects/others/intake", 404),
        ("lina", "POST /api/v1/projects/cells/decide", 403),
        (None, "POST /p/cells/intake", 302),
    ],
)
def test_who_may_not_send_photos_is_told_before_they_are_read(
    live_stack: Stack, line: Callable[[str], Line], who: str | None, head: str, status: int
) -> None:
    _project()
    make_member(make_project(slug="olgas"), username="olga")
    sender = line(f"{head} HTTP/1.1")
    sender.begin(
        *([_token(who)] if who else []),
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {10 * 2**20}",
    )
    told, headers, _body = sender.answer()  # without having sent a byte
    assert told == status
    assert spooled(live_stack) == 0
    if status == 302:
        assert headers["location"] == "/login?next=/p/cells/intake"


def test_who_may_sends_photos_as_ever(live_stack: Stack, line: Callable[[str], Line]) -> None:
    project = _project()
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="%d.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%b\r\n" % (number, PIECE * 20)
        for number in range(5)
    )
    sender = line("POST /api/v1/projects/cells/intake HTTP/1.1")
    sender.begin(
        _token("ada"),
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {len(parts) + 7}",
    )
    sender.socket.sendall(parts + b"--b--\r\n")
    status, _headers, _body = sender.answer()
    assert status == 202
    assert IntakeBatch.objects.get(project=project).files.count() == 5


def test_an_upload_that_outgrows_its_bound_leaves_nothing(
    live_stack: Stack, line: Callable[[str], Line]
) -> None:
    _project()
    sender = line("POST /api/v1/projects/cells/decide HTTP/1.1")
    sender.begin(_token("ada"), "Content-Type: multipart/form-data; boundary=b", "Transfer-Encoding: chunked")
    bound = bodies.large()["api-decide"].most
    sender.send(bound + 2**20, chunked=True)
    assert sender.answer()[0] == 413
    _eventually(lambda: spooled(live_stack) == 0)


def test_a_large_body_to_an_address_with_a_slash_too_many_is_not_read_but_led_on(
    live_stack: Stack, line: Callable[[str], Line]
) -> None:
    _project()
    sender = line("POST /api/v1/projects/cells/intake/ HTTP/1.1")
    sender.begin(_token("ada"), "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {MUCH}")
    status, headers, _body = sender.answer()
    assert (status, headers["location"]) == (308, "/api/v1/projects/cells/intake")


def _eventually(holds: Callable[[], bool], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
