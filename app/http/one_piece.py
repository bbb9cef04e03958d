"""Answers that leave in one piece."""

from __future__ import annotations

import asyncio
from typing import Any


class OnePiece:
    """A transport that keeps the head of an answer until its body is written, which the server
    does apart: each would cost a call of the system and wake the client. What no more follows
    within the turn of the loop goes alone."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._kept: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._kept is None:
            self._kept = data
            self._loop.call_soon(self.flush)
        else:
            kept, self._kept = self._kept, None
            self._transport.writelines((kept, data))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None and not self._transport.is_closing():  # the client may have gone
            self._transport.write(kept)
