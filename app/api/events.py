"""The hot path: event batches, acknowledged once the disk has them.

Plain ASGI instead of a body model: the raw body goes to msgspec, what falls due comes from memory,
and only what changes the ledger takes a thread. The OpenAPI document describes it by hand.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NoReturn

import msgspec
import structlog
from fastapi import APIRouter, Request
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app import tracing
from app.api import problems
from app.api.auth import demand
from app.domain.accounts.platforms import KeyScope
from app.domain.events import ingest
from app.domain.events.batch_answer import BatchAnswer, BatchesAnswer
from app.domain.events.intake import EventIntake
from app.domain.sittings import leases
from app.errors import BadInput, BodyTooLarge, MalformedBody, ZhenxueError
from app.http import addresses
from app.http.callers import Callers
from app.http.keyring import Caller
from app.http.middleware import request_id_of, require_plain_address
from app.http.patience import drain, next_piece
from app.outages import outage_of
from app.sdk.door import open_headers
from app.services import Services

log = structlog.get_logger("zhenxue.events")

_ONE = re.compile(r"/v1/sessions/([^/]{1,128})/events")
_ROUTE = "/v1/sessions/{session_id}/events"
_MANY = "/v1/events"
LONGEST_BATCH_ID = 128
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


router = APIRouter()  # of what the hot path hands on: other methods, and ids that nobody has


async def _of_nobody(_request: Request) -> NoReturn:
    raise HTTPException(404)


for _path in (_ROUTE, _MANY):
    router.add_route(_path, _of_nobody, methods=["POST"], include_in_schema=False)


class HotPath:
    """Answers the two event endpoints itself and hands everything else on.

    It stands before the framework, the routing and the outer layer, which together cost more than
    storing a batch; what they do for other requests and is needed here, it does itself.
    """

    def __init__(self, app: ASGIApp, services: Services, callers: Callers) -> None:
        self._app = app
        self._services = services
        self._callers = callers
        self._intake = EventIntake(
            services.database,
            services.events,
            services.controls,
            services.clock,
            run_in_threadpool,
            callers.refusals.note_over,
        )
        events = Counter(
            "zhenxue_events_total", "Events by fate", ("fate",), registry=services.registry
        )
        requests = Counter(
            "zhenxue_event_requests_total",
            "Event batches answered",
            ("status",),
            registry=services.registry,
        )
        self._events = cache(events.labels)  # a label is looked up behind a lock
        self._requests = cache(requests.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        path = addresses.divided(scope)
        session = _ONE.fullmatch(path)
        if session is None and path != _MANY:
            await self._app(scope, receive, send)
            return
        with tracing.span("request", server=True):
            status = await self._take(scope, receive, send, session)
            tracing.tell_request("POST", _MANY if session is None else _ROUTE, status)

    async def _take(
        self, scope: Scope, receive: Receive, send: Send, session: re.Match[str] | None
    ) -> int:
        """The status that it was answered with."""
        named = None if session is None else addresses.whole(session[1])
        asked = dict(scope["headers"])
        try:
            require_plain_address(scope)
            status, answer = 200, await self._answer(scope, receive, named, asked)
            self._count(answer)
            body = msgspec.json.encode(answer)
            headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
            if session is not None:
                headers += open_headers(asked)
            if answer.rejected:
                request_id = request_id_of(scope)
                headers.append((b"x-request-id", request_id.encode()))
                self._callers.refusals.note_items(
                    scope, answer.rejected, request_id, **_named(named)
                )
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except ZhenxueError as error:
            status = error.status
            await self._refuse(error, scope, receive, send, named)
        except Exception as error:
            fault: ZhenxueError | None = outage_of(error)
            if fault is None:
                log.exception("events could not be taken", path=scope["path"])
                detail = "the events could not be taken; send them again"
                fault = ZhenxueError("internal_error", detail)
            status = fault.status
            await self._refuse(fault, scope, receive, send, named)
        self._requests(str(status)).inc()
        return status

    async def _refuse(
        self,
        error: ZhenxueError,
        scope: Scope,
        receive: Receive,
        send: Send,
        session: str | None,
    ) -> None:
        request_id = request_id_of(scope)
        answer = problems.response(error, scope)
        answer.headers["x-request-id"] = request_id
        if session is not None:
            answer.raw_headers += open_headers(dict(scope["headers"]))
        await answer(scope, receive, send)
        self._callers.refusals.note(scope, error.status, request_id, **_named(session))

    def _count(self, answer: BatchAnswer | BatchesAnswer) -> None:
        self._events("accepted").inc(answer.accepted)
        if answer.duplicates:
            self._events("duplicate").inc(answer.duplicates)
        if answer.rejected:
            self._events("rejected").inc(len(answer.rejected))

    async def _answer(
        self, scope: Scope, receive: Receive, session: str | None, headers: dict[bytes, bytes]
    ) -> BatchAnswer | BatchesAnswer:
        authorization = headers.get(b"authorization")
        text = None if authorization is None else authorization.decode("latin-1")
        browser = leases.is_lease((text or "").partition(" ")[2].strip())
        caller = await self._caller(text, session if browser else None)
        self._callers.shares.admit(scope, caller)
        body = await self._body(scope, headers, receive)
        self._callers.shares.count(scope, len(body))
        media_type = ingest.media_type_of(headers.get(b"content-type", b"").decode("latin-1"))
        batch_id = _batch_id(headers)
        if session is not None:
            found = ingest.arrived(body, media_type, batch_id, must_number=browser)
            return await self._intake.one_session(caller.platform, session, found)
        by_session, lost = ingest.addressed(body, media_type, batch_id)
        return await self._intake.many_sessions(caller.platform, by_session, lost)

    async def _caller(self, authorization: str | None, session: str | None) -> Caller:
        """`session` is the one that a lease is told for."""
        if session is not None:
            ring = self._callers.leases
            browser = ring.met(authorization, session)
            browser = browser or await run_in_threadpool(ring.caller, authorization, session)
            if browser is not None:
                return browser
        return demand(self._callers.keys.caller(authorization), KeyScope.INGEST)

    async def _body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The plain body, refused as soon as it is known to be too large."""
        limit = self._services.settings.max_body_bytes
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await drain(scope, receive)
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await next_piece(receive)
            if message["type"] == "http.disconnect":
                raise MalformedBody("disconnected", "the body broke off")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                if message.get("more_body"):
                    await drain(scope, receive)
                raise _too_large(limit)
            if not message.get("more_body"):
                break
        encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        return ingest.decompressed(b"".join(parts), encoding, limit)


def _named(session: str | None) -> dict[str, str]:
    """What the routing would have told of the address."""
    return {"route": _MANY if session is None else _ROUTE, "session": session or ""}


def _batch_id(headers: dict[bytes, bytes]) -> str | None:
    """The name of a batch that is not in its body. Raises BadInput."""
    told = headers.get(b"idempotency-key", b"").decode("latin-1").strip().strip('"')
    if len(told) > LONGEST_BATCH_ID:
        detail = f"Idempotency-Key: at most {LONGEST_BATCH_ID} characters"
        raise BadInput("idempotency_key", detail)
    return told or None


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge("body_too_large", f"the body is larger than {limit} bytes", limit=limit)
