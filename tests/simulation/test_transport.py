"""A simulated platform's client over urllib, against a server on a socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.simulation.transport import TRIES, UrllibClient

Asked = list[str]


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[UrllibClient, Asked]]:
    """A server that gives these answers in turn, the last one for ever."""
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = statuses[min(len(asked), len(statuses) - 1)]
            asked.append(self.path)
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Not on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield UrllibClient(f"http://127.0.0.1:{server.server_port}"), asked
        server.shutdown()


@pytest.mark.parametrize(
    ("statuses", "status", "times"),
    [((200,), 200, 1), ((503, 503, 200), 200, 3), ((409,), 409, 1), ((503,), 503, TRIES)],
)
def test_a_busy_service_is_asked_again_and_nothing_else_is(statuses, status, times):
    with answering(*statuses) as (client, asked):
        assert client.request("GET", "/v1", content=None, headers={}).status_code == status
        assert len(asked) == times
