"""A bad road to the service: answers are lost or late, and some requests are sent away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LATE_S = 1.5  # longer than a client of these tests waits
# What becomes of one request after the other, again and again. `lost` and `late` reach the service.
ROAD = ("well", "lost", "well", "busy", "late", "well", "lost", "lost", "throttled", "cut")


@contextmanager
def flaky(address: str) -> Iterator[str]:
    """The address of a proxy to the service."""
    at, count, lock = urlsplit(address), 0, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            nonlocal count
            fate = "well"
            if not self.path.startswith("/clock"):  # of the test, not of the road
                with lock:
                    fate, count = ROAD[count % len(ROAD)], count + 1
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if fate in ("busy", "throttled"):
                return self.say(503 if fate == "busy" else 429, b"", {"retry-after": "1"})
            if fate == "cut":
                return self.hang_up()
            with closing(HTTPConnection(at.hostname or "", at.port, timeout=30)) as service:
                service.request(self.command, self.path, body, dict(self.headers))
                told = service.getresponse()
                content = told.read()
            if fate == "lost":
                return self.hang_up()
            if fate == "late":
                time.sleep(LATE_S)
            self.say(told.status, content, {"content-type": told.headers["content-type"]})
            return None

        do_GET = do_POST = do_PUT = answer

        def say(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def hang_up(self) -> None:
            self.close_connection = True

        def handle(self) -> None:
            with suppress(OSError):  # the client had gone
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
