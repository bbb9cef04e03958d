"""The service is asked in the test's own thread.

The transport of starlette's client hands every request to a thread with a loop, in eight steps that
each wait for the other thread: ten times what the service itself takes for a batch of events.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from starlette import testclient
from starlette.types import ASGIApp, Message

PORTS = {"http": 80, "https": 443}
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # of the threads that ask again and again


class InProcess(httpx2.BaseTransport):
    """Answers a request once the application has finished with it, background tasks included."""

    def __init__(
        self,
        app: ASGIApp,
        portal_factory: Any,
        raise_server_exceptions: bool = True,
        root_path: str = "",
        *,
        client: tuple[str, int],
        app_state: dict[str, Any],
    ) -> None:
        self.app, self.root_path, self.client, self.app_state = app, root_path, client, app_state
        self.raises = raise_server_exceptions

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": self.root_path,
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self.client,
            "server": [url.host, url.port or PORTS[url.scheme]],
            "state": self.app_state.copy(),
        }
        body = request.read()
        loop = _loops.get(threading.get_ident())
        answer = self._ask(scope, body)
        status, headers, content = loop.run_until_complete(answer) if loop else asyncio.run(answer)
        return httpx2.Response(
            status, headers=headers, stream=httpx2.ByteStream(content), request=request
        )

    async def _ask(
        self, scope: dict[str, Any], body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        waiting: list[Message] = [{"type": "http.request", "body": body}]
        told: list[Message] = []

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            if told and not told[-1].get("more_body", True):
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()  # the client stays and has nothing more to say
            raise AssertionError

        async def send(message: Message) -> None:
            told.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            if self.raises:
                raise
        if not told:
            assert not self.raises, "no answer"
            return 500, [], b""
        content = b"".join(bytes(it.get("body", b"")) for it in told[1:])
        return told[0]["status"], told[0]["headers"], b"" if scope["method"] == "HEAD" else content


@contextmanager
def asking_in_this_thread() -> Iterator[None]:
    """Starlette's clients ask in the thread that calls them; in this one with a loop that stays."""
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(testclient, "_TestClientTransport", InProcess)
        patch.setitem(_loops, threading.get_ident(), runner.get_loop())
        yield
