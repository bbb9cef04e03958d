"""What passes between browsers and the service, written down where the service hears it."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SITTINGS = "/v1/sessions"


class Tape:
    """An application around the service that keeps every POST about a sitting.

    An exchange is {"at_ms": when the request was whole by the server's clock, "to": open, events,
    close or snapshots, "session", "body", "status", "answer"}. A picture's bytes are not kept.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.exchanges: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def around(self, app: Any) -> Any:
        async def heard(scope: Any, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] != "http" or scope["method"] != "POST" or SITTINGS not in path:
                await app(scope, receive, send)
                return
            asked, told, at = bytearray(), bytearray(), [0]
            status = [0]

            async def hear() -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    asked.extend(message.get("body", b""))
                    at[0] = self.clock()
                return message

            async def tell(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status[0] = message["status"]
                else:
                    told.extend(message.get("body", b""))
                await send(message)

            await app(scope, hear, tell)
            self._keep(path, at[0], bytes(asked), status[0], bytes(told))

        return heard

    def _keep(self, path: str, at_ms: int, asked: bytes, status: int, told: bytes) -> None:
        _, _, rest = path.partition(SITTINGS + "/")
        session, _, to = rest.partition("/")
        answer = _json(told) or {}
        exchange = {
            "at_ms": at_ms,
            "to": to or "open",
            "session": session or answer.get("session_id"),
            "body": _json(asked),
            "status": status,
            "answer": _brief(answer),
        }
        with self._lock:
            self.exchanges.append(exchange)


def _brief(answer: dict[str, Any]) -> dict[str, Any]:
    """What the client acts on; no lease token and no seed."""
    names = ("session_id", "resume_position", "next_seq", "controls", "rejected", "code", "stop")
    brief = {name: answer[name] for name in names if answer.get(name)}
    if "heartbeat_s" in answer.get("lease", {}):
        brief["heartbeat_s"] = answer["lease"]["heartbeat_s"]
    return brief


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
