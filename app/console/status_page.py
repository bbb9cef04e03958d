"""Is the service working, and if not, what to do: for anybody, and with the database away."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.console import health
from app.console.login import login_of
from app.console.page import ConsoleRoute, language_of, status_page

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@router.get("/status")
def status(request: Request) -> Response:
    """What each part is up to; the authority's people are told of the night and the rest too."""
    services = request.app.state.services
    seen = health.look(services)
    login = login_of(request) if seen.answers else None
    inside = []
    if login is not None and login.user.of_authority:
        with services.database.read() as connection:
            inside = health.inside(connection, services, language_of(request))
    return status_page(request, seen, login=login, inside=inside)
