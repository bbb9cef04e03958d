"""The web process: `create_app` puts the house together."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__, api, jobs
from app.api import problems
from app.api.events import HotPath
from app.clock import Clock, system_clock
from app.http.middleware import Edge
from app.sdk.door import BrowserDoor
from app.services import Services
from app.settings import Settings


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

    app = FastAPI(
        title="Zhenxue 真学",
        version=__version__,
        summary="Decides whether online class-hours were really studied",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        strict_content_type=False,
    )
    app.state.services = services
    app.add_middleware(Edge, settings=settings, registry=services.registry)
    app.add_middleware(HotPath, services=services)
    app.add_middleware(BrowserDoor)  # added last: it comes first
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
