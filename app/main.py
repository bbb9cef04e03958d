"""The web process: `create_app` puts the house together."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__, api, jobs, logging
from app.api import problems
from app.api.events import HotPath
from app.clock import Clock, system_clock
from app.http.callers import Callers
from app.http.middleware import Edge
from app.http.patience import ImpatientProtocol
from app.sdk.door import BrowserDoor
from app.services import Services
from app.settings import Settings


class _Application(FastAPI):
    """`first` answers the events, or hands on to `routed`: of what the framework does around each
    request, storing a batch needs nothing, and it costs a tenth of it."""

    first: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.first(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """An application on its own database, clock and metrics; nothing is shared between two.

    Parts start with the lifespan. The database must be at head (`app.store.schema.upgrade`).
    """
    services = Services.build(settings, clock)
    jobs.install(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.start()
        try:
            yield
        finally:
            services.stop()

    app = _Application(
        title="Zhenxue 真学",
        version=__version__,
        summary="Decides whether online class-hours were really studied",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        strict_content_type=False,
        generate_unique_id_function=lambda route: route.name,  # names of generated clients' calls
    )
    app.state.services = services
    app.state.callers = callers = Callers.of(services)
    app.add_middleware(Edge, settings=settings, registry=services.registry, callers=callers)
    app.add_middleware(BrowserDoor)  # added last: it comes first
    app.first = HotPath(app.routed, services, callers)
    problems.install(app)
    api.include_routers(app)
    return app


def lasting_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The application of a process that does nothing but serve it.

    What exists by now stays as long as the process, so the garbage collector does not walk it
    again: each time took 0.14 s, in the middle of somebody's request.
    """
    app = create_app(settings, clock)
    gc.collect()
    gc.freeze()
    return app


def run_service(
    settings: Settings,
    host: str,
    port: int,
    *,
    as_json: bool = False,
    more: APIRouter | None = None,
) -> None:
    """Serve until told to stop, with `more` beside it; the database is at head."""
    logging.configure(as_json=settings.log_json or as_json)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn repeats it once it has stopped
    application = lasting_app(settings)
    if more is not None:
        application.include_router(more)
    uvicorn.run(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=20,
        http=ImpatientProtocol,
    )
