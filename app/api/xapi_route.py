"""What all resources under `/xAPI` share: who asks, in which version, and what answers bear."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from app.api import problems
from app.api.answers import AnswerRoute
from app.api.auth import demand, services_of
from app.api.xapi_request import NEWEST, Asked, authenticate, read_request
from app.domain.accounts.platforms import KeyScope
from app.domain.exchange import xapi
from app.domain.exchange.xapi_values import as_timestamp
from app.errors import ZhenxueError
from app.http.callers import callers_of
from app.http.keyring import Caller
from app.http.lease_ring import LeaseRing
from app.http.refusals import AUTHORIZATION
from app.services import Services

SETTLED = "x-experience-api-consistent-through"


class XapiRoute(AnswerRoute):
    """Every answer, refusals too, names the version that it was given in, and until when all
    statements are to be seen."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except ZhenxueError as error:
                response = problems.response(error, request.scope)
            settled_ms = services_of(request).clock() - xapi.SETTLING_MS
            response.headers.setdefault(SETTLED, as_timestamp(settled_ms))
            response.headers.setdefault("x-experience-api-version", NEWEST)
            return response

        return answer


async def answered(
    request: Request,
    answer: Callable[[Services, Asked, Caller], Response],
    browser: Callable[[Asked, LeaseRing], Caller | None] = lambda _asked, _leases: None,
) -> Response:
    """What `answer` makes of a request on behalf of the platform whose key came along: `read` asks,
    `ingest` writes; or of the `browser` whose lease did. Raises NotSignedIn, NotAllowed,
    MalformedBody."""
    services = services_of(request)
    asked = await read_request(request, services.settings.max_body_bytes)
    callers = callers_of(request)
    request.scope[AUTHORIZATION] = asked.authorization

    def work() -> Response:
        learner = browser(asked, callers.leases)
        if learner is not None:
            callers.shares.admit(request.scope, learner)
            return answer(services, asked, learner)
        scope = KeyScope.READ if asked.method == "GET" else KeyScope.INGEST
        caller = authenticate(asked.authorization, callers.keys, services.database)
        demand(caller, scope)
        if scope is KeyScope.INGEST:
            callers.shares.admit(request.scope, caller)
        return answer(services, asked, caller)

    response = await run_in_threadpool(work)
    response.headers["x-experience-api-version"] = asked.version
    return response
