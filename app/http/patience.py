"""How long a client may take to send its headers, and how long these may be; how long it may take
to send the next piece of its body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from contextlib import suppress
from types import coroutine
from typing import Any

from starlette.types import Message, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import TooSlow
from app.http.one_piece import OnePiece

HEADERS_S = 15.0
BODY_S = 30.0
MOST_HEADERS = 64 * 1024  # bytes, beside those of the first piece that is received
_DRAINED = 64 * 1024 * 1024
_DRAIN_S = 10.0
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_H2C = re.compile(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n)", re.IGNORECASE)


class ImpatientProtocol(HttpToolsProtocol):
    """Cuts a connection whose request is not there in time: one that sends half of its headers
    would stay for ever, and one that sends ever more of them keeps the loop from all others. An
    offer of HTTP/2, which Java's client makes with every first request, is
    passed over: the parser would take the body behind it for another protocol."""

    _giving_up: asyncio.TimerHandle | None = None
    _half = False  # headers have begun and not ended
    _head_bytes = 0  # of such headers
    _between = True  # two requests, or before the first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._answers = OnePiece(transport, self.loop)
        super().connection_made(self._answers)  # type: ignore[arg-type]
        self._wait()

    def eof_received(self) -> None:
        self._answers.flush()  # the transport closes itself now
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between and b"h2c" in data:
            head, gap, rest = data.partition(b"\r\n\r\n")
            data = _H2C.sub(b"", head) + gap + rest
        began_before = self._half
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if began_before and self._half else 0
        if self._head_bytes > MOST_HEADERS:
            self._too_long()
        elif self._half and self._giving_up is None:
            self._wait()

    def _too_long(self) -> None:
        self.transport.write(_TOO_LONG)
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._between = False
        self._half = True  # mostly the headers end in the same piece, and no timer is needed
        if self._giving_up is not None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._half = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._between = True

    def _wait(self) -> None:
        self._stop_waiting()
        self._giving_up = self.loop.call_later(HEADERS_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


async def next_piece(receive: Receive) -> Message:
    """The next piece of a body; mostly it is there, and a timer would cost more than reading it.
    Raises TooSlow."""
    taking: Any = receive()
    try:
        waits_for = taking.send(None)
    except StopIteration as there:
        return there.value  # type: ignore[no-any-return]
    try:
        async with asyncio.timeout(BODY_S):
            return await _go_on(taking, waits_for)
    except TimeoutError:
        detail = f"nothing came of the body for {BODY_S:.0f} s"
        raise TooSlow("body_stalled", detail) from None


@coroutine
def _go_on(taking: Any, waits_for: Any) -> Generator[Any, Any, Message]:
    """The rest of a coroutine that has begun."""
    try:
        while True:
            try:
                told = yield waits_for
            except BaseException as error:  # noqa: BLE001 - is handed on
                waits_for = taking.throw(error)
            else:
                waits_for = taking.send(told)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


async def drain(scope: Scope, receive: Receive) -> None:
    """Take in what still comes of a body that is refused, within bounds: who sends it reads the
    answer only after that, and finds the connection cut if nobody took it. Who asked first whether
    to send it is told without."""
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while taken < _DRAINED:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
