"""The outermost layer of the web process: request ids, limits, headers, metrics, last resort."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import tracing
from app.errors import BodyTooLarge, MalformedBody, ZhenxueError
from app.http.callers import Callers
from app.http.patience import drain, next_piece
from app.http.refusals import ASKED, REFUSAL
from app.outages import outage_of
from app.settings import Settings

log = structlog.get_logger("zhenxue.http")

PROBLEM_JSON = "application/problem+json"
PHOTO_BYTES = 20 * 1024 * 1024 + 1  # of one to enrol, which is scaled: what is larger is told so
PHOTO_FORM_BYTES = 256 * 1024 * 1024  # of a form with photos as phones take them
FILE_FORM_BYTES = 24 * 1024 * 1024  # of one with a file of a case: what is too large says the form
_FILE_FORMS = ("/console/cases/", "/console/requests/", "/my/")
_TAKEN = "zhenxue.taken"  # in a request's scope: bytes of its body so far
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/events", "/healthz", "/readyz", "/metrics")  # counted in the metrics, not logged

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
}


def public_address(request: Request) -> str:
    """Where people reach this service, without a slash at the end."""
    settings: Settings = request.app.state.services.settings
    return (settings.public_url or str(request.base_url)).rstrip("/")


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "zhenxue_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "zhenxue_http_request_seconds",
            "Time to the end of the answer",
            ("method", "route"),
            registry=registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
        )


class Edge:
    """Pure ASGI, so that the hot endpoint pays little for it."""

    def __init__(
        self, app: ASGIApp, settings: Settings, registry: CollectorRegistry, callers: Callers
    ) -> None:
        self.app = app
        self.settings = settings
        self.refusals, self.shares = callers.refusals, callers.shares
        self.metrics = HttpMetrics(registry)
        self.headers = dict(_HEADERS)
        if settings.production:
            self.headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # answered as GET is; the server leaves the body out
            scope = {**scope, "method": "GET", ASKED: "HEAD"}
        with tracing.span("request", server=True):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = request_id_of(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, **tracing.in_log())
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers["x-request-id"] = request_id
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(("/v1/", "/xAPI/")):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            require_plain_address(scope)
            await self.app(scope, self._limited(scope, receive), answer)
        except Exception as error:
            scope[REFUSAL] = _refusal_of(error, scope, request_id)
            if status:
                raise  # half an answer is out: let the server cut the connection
            await _send_problem(answer, scope[REFUSAL])
        finally:
            if status >= 400:
                self.refusals.note(scope, status, request_id)
            self.shares.count(scope, scope.get(_TAKEN, 0))
            self._record(scope, status, time.perf_counter() - started)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, refusing a body above the limit before and while it comes in."""
        limit = self._limit(scope)
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        if declared.isdigit() and int(declared) > limit:
            return _refusing(scope, receive, limit)
        taken, complete = 0, False

        async def counted() -> Message:
            nonlocal taken, complete
            message = await (receive() if complete else next_piece(receive))
            if message["type"] == "http.request":
                complete = not message.get("more_body")
                taken += len(message.get("body", b""))
                scope[_TAKEN] = taken
                if taken > limit:
                    if not complete:
                        await drain(scope, receive)
                    raise _too_large(limit)
            return message

        return counted

    def _limit(self, scope: Scope) -> int:
        path: str = scope["path"]
        if path == "/v1/imports":
            return self.settings.max_import_bytes
        if scope["method"] == "PUT" and path.endswith("-photo"):
            return max(PHOTO_BYTES, self.settings.max_image_bytes)
        if scope["method"] == "PUT" and "/snapshots/" in path:
            return self.settings.max_image_bytes
        if not is_form_with_files(scope):
            return self.settings.max_body_bytes  # it is taken into memory
        if path.startswith("/console/classes/") and path.endswith(("/enrolment", "/photos")):
            return PHOTO_FORM_BYTES
        if path.startswith(_FILE_FORMS):
            return max(FILE_FORM_BYTES, self.settings.max_body_bytes)
        return self.settings.max_body_bytes

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        asked = scope.get(ASKED, scope["method"])
        method = asked if route != "unmatched" else "any"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(method, route).observe(seconds)
        tracing.tell_request(method, route, status)
        if status >= 500 or not route.endswith(_QUIET):
            log.info(
                "request",
                method=asked,
                path=_logged(scope),
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _refusal_of(error: Exception, scope: Scope, request_id: str) -> ZhenxueError:
    """What to answer when nobody inside did."""
    if isinstance(error, MalformedBody):
        return error
    if isinstance(error, ClientDisconnect):
        return MalformedBody("body_broken_off", "the connection ended before the body did")
    outage = outage_of(error)
    if outage is None:
        log.exception("unexpected error", method=scope["method"], path=_logged(scope))
        return ZhenxueError("internal_error", f"unexpected error; request {request_id}")
    return outage


def is_form_with_files(scope: Scope) -> bool:
    """Whether it is a form whose files go to the disk as they come."""
    told = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return scope["method"] == "POST" and told == "multipart/form-data"


def require_plain_address(scope: Scope) -> None:
    """Raises MalformedBody for a path or query that is not UTF-8: what the server puts in the
    place of such bytes would be stored under another name."""
    raw_path = scope.get("raw_path") or b""
    for part in (raw_path, scope["query_string"].replace(b"+", b" ")):
        if b"%" in part or not part.isascii():
            try:
                unquote_to_bytes(part).decode()
            except UnicodeDecodeError:
                detail = "the address is not UTF-8, or not encoded as an address is"
                raise MalformedBody("malformed_address", detail) from None


def problem_body(problem: dict[str, Any]) -> bytes:
    return json.dumps(problem, ensure_ascii=False, allow_nan=False, default=str).encode(
        "utf-8", "backslashreplace"
    )


def request_id_of(scope: Scope) -> str:
    """What the sender calls the request, or a number of ours."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge("body_too_large", f"the body is larger than {limit} bytes", limit=limit)


def _refusing(scope: Scope, receive: Receive, limit: int) -> Receive:
    async def refuse() -> Message:
        await drain(scope, receive)
        raise _too_large(limit)

    return refuse


async def _send_problem(send: Send, error: ZhenxueError) -> None:
    body = problem_body(error.problem())
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _logged(scope: Scope) -> str:
    """The path as the log may hold it: a learner's link opens a page, so it stays out."""
    path: str = scope["path"]
    return "/my/…" if path.startswith("/my/") else path
