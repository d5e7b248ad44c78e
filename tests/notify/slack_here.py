"""Slack as far as Hilltop speaks with it: its Web API, which checks the token and gives time stamps, and presses buttons."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

TOKEN, SECRET = "xoxb-here", "signs-what-slack-sends"
TEAM, CHANNEL = "T0HERE", "C0QUALITY1"
Said = dict[str, Any]
PATIENCE_S = 60.0


@dataclass
class Slack:
    """``calls``: (method, what was said), as they came with the right token; ``refuses``: method -> its error."""

    url: str = ""
    calls: list[tuple[str, Said]] = field(default_factory=list)
    strangers: int = 0
    answers: Callable[[str, Said], tuple[int, dict[str, str], Said] | None] = lambda _method, _said: None
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "SLACK_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API": f"{self.url}/api/",
            "FETCH_NETWORKS": [ipaddress.ip_network("127.0.0.0/8")],
        }

    def said(self, method: str) -> list[Said]:
        with self.came:
            return [said for called, said in self.calls if called == method]

    def wait(self, method: str, n: int) -> list[Said]:
        """Until so many calls of this method came."""
        with self.came:
            assert self.came.wait_for(
                lambda: sum(called == method for called, _said in self.calls) >= n, PATIENCE_S
            )
        return self.said(method)

    def messages(self) -> dict[str, Said]:
        """What stands in the channel now, by time stamp."""
        there: dict[str, Said] = {}
        with self.came:
            for n, (method, said) in enumerate(self.calls):
                if method == "chat.postMessage":
                    there[f"1.{n}"] = said
                elif method == "chat.update":
                    there[said["ts"]] = there.get(said["ts"], {}) | said
        return there


def button(message: Said, text: str) -> Said:
    """Of a message, with the block that it stands in."""
    for block in message["blocks"]:
        for each in block.get("elements", []):
            if each.get("type") == "button" and each["text"]["text"] == text:
                return {**each, "block_id": block["block_id"]}
    raise LookupError(text)


def pressed(action: Said, *, member: str = "U0ANNA", name: str = "anna") -> bytes:
    """What Slack says of a button that somebody presses."""
    payload = {
        "type": "block_actions",
        "team": {"id": TEAM, "domain": "works"},
        "user": {"id": member, "username": name, "team_id": TEAM},
        "channel": {"id": CHANNEL},
        "actions": [action],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """Slack's headers."""
    moment = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=moment, body=body)
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": str(signature)}


class _Api(BaseHTTPRequestHandler):
    slack: Slack

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        method = self.path.removeprefix("/api/")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.slack.strangers += 1
            return self._give(200, {}, {"ok": False, "error": "invalid_auth"})
        said = json.loads(body)
        if (other := self.slack.answers(method, said)) is not None:
            return self._give(*other)
        with self.slack.came:
            ts = said.get("ts") or f"1.{len(self.slack.calls)}"
            self.slack.calls.append((method, said))
            self.slack.came.notify_all()
        return self._give(200, {}, {"ok": True, "channel": CHANNEL, "ts": ts})

    def _give(self, status: int, headers: dict[str, str], said: Said) -> None:
        text = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: Any) -> None:
        pass


@contextmanager
def slack_here(handler: type[_Api] = _Api) -> Iterator[Slack]:
    slack = Slack()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (handler,), {"slack": slack}))
    slack.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield slack
    server.shutdown()
    server.server_close()
