"""A receiver of webhooks that checks signatures, writes down what it takes, and fails by chance.

Half of its failures are an error before it takes anything, half a line that is cut after it has: the sender cannot know.
"""

from __future__ import annotations

import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

port, file, secret, fails = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Webhook(secret).verify(body, dict(self.headers.items()))
        chance = random.random()
        if chance >= fails / 2:
            with open(file, "a") as taken:  # one short line at once: lines of several threads do not mix
                taken.write(f"{self.headers['webhook-id']} {self.headers['webhook-timestamp']}\n")
        self.close_connection = True
        if chance >= fails:
            self._say(204)
        elif chance < fails / 2:
            self._say(503)

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    request_queue_size = 64


Server(("127.0.0.1", port), Receiver).serve_forever()
