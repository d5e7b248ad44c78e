"""A receiver over real sockets, that checks each signature, and answers as a test wishes."""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings
from standardwebhooks import Webhook

from labeling.catalog.models import Project
from labeling.notify.models import Endpoint
from labeling.notify.services import make_endpoint


@dataclass
class Receiver:
    """``got``: (path, webhook-id, body) whose signatures fit, as they came; ``answers``: path and body -> status."""

    url: str
    secrets: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, str, Any]] = field(default_factory=list)
    forged: int = 0
    answers: Callable[[str, Any], int] = lambda _path, _body: 204

    def endpoint(self, project: Project | None, *events: str, path: str = "/", by: Any = None) -> Endpoint:
        by = by or project.created_by  # type: ignore[union-attr]
        made, self.secrets[path] = make_endpoint(
            project=project, by=by, name="", url=self.url + path, events=events
        )
        return made

    def subjects(self, path: str = "/") -> list[str]:
        return [body["subject"] for at, _id, body in self.got if at == path]


class _Site(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            body = Webhook(self.receiver.secrets[self.path]).verify(text, dict(self.headers.items()))
        except Exception:
            self.receiver.forged += 1
            self.send_error(401)
            return
        self.receiver.got.append((self.path, self.headers["webhook-id"], body))
        status = self.receiver.answers(self.path, body)
        said = json.dumps({"said": status}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        if status in {302, 307}:
            self.send_header("Location", f"{self.receiver.url}/elsewhere")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.FETCH_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    handler = type("Site", (_Site,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.receiver = made = Receiver(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
