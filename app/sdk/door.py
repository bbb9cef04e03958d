"""What a page of another origin may ask for: the addresses of one sitting, with its lease, those of
one enrolment, with its token, and the xAPI record store.

No cookie is ever read there, so every origin may ask: what opens is the token in the header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http import addresses

_OPEN = re.compile(
    r"/v1/sessions/[^/]+/(?:events|close|snapshots/[^/]+)"
    r"|/v1/learners/[^/]+/(?:enrolment|reference-photo)"
    r"|/xAPI/.+"
)
_ASKED_OF_RECORDS = ("X-Experience-API-Version", "If-Match", "If-None-Match")
_TOLD_BY_RECORDS = (
    "ETag",
    "Last-Modified",
    "X-Experience-API-Consistent-Through",
    "X-Experience-API-Version",
    "Zhenxue-Remedy",
    "Zhenxue-Statements",
)
_PREFLIGHT_S = 7200
_TOLD = ", ".join(["Retry-After", *_TOLD_BY_RECORDS])
_ANY_ORIGIN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", _TOLD.encode()),
    (b"vary", b"Origin"),
]
_NO_ORIGIN = [(b"vary", b"Origin")]


def open_headers(headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What the door adds to an answer at one of its addresses, for who answers before it."""
    return _ANY_ORIGIN if b"origin" in headers else _NO_ORIGIN


class BrowserDoor:
    """Adds the CORS headers to these addresses and leaves all others as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", *_ASKED_OF_RECORDS],
            expose_headers=["Retry-After", *_TOLD_BY_RECORDS],
            max_age=_PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shared = scope["type"] == "http" and _OPEN.fullmatch(addresses.divided(scope)) is not None
        await (self._shared if shared else self._app)(scope, receive, send)
