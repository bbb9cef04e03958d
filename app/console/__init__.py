"""What auditors see: server-rendered pages, Chinese first, nothing loaded from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Response

from app.console import (
    assets,
    findings_page,
    login_page,
    session_page,
)
from app.console.page import ConsoleRoute, see_other
from app.console.throttle import LoginThrottle
from app.errors import NotFound

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@router.get("/")
def root() -> Response:
    return see_other("/console")


for part in (assets, login_page, findings_page, session_page):
    router.include_router(part.router)


@router.get("/console/{rest:path}")
def nowhere(rest: str) -> Response:
    raise NotFound("no_such_page", "there is no such page")


def mount(app: FastAPI) -> None:
    """Add the console to an application that has `app.state.services`."""
    app.state.login_throttle = LoginThrottle()
    app.include_router(router)
