"""Answers that leave in one piece."""

from __future__ import annotations

import asyncio
from typing import Any

_MOST = 64 * 1024  # bytes that are kept back


class OnePiece:
    """A transport that sends together what was written within one turn of its loop: the server
    writes the head of an answer and its body apart, and each would cost a call of the system and
    wake the client."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)
        self._size += len(data)
        if self._size > _MOST:
            self._send()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        parts, self._parts, self._size = self._parts, [], 0
        if parts and not self._transport.is_closing():  # the client may have gone meanwhile
            self._transport.write(b"".join(parts))
