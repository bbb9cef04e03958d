"""Runs: nights and classes judged by hand, how far they are and what they came to."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.console.login import SignedIn
from app.console.page import ConsoleRoute, render
from app.domain import runs
from app.store import runs as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50


@router.get("/runs")
def run_list(request: Request, login: SignedIn, before: int = 0) -> Response:
    services = request.app.state.services
    start = before if 0 < before < 2**62 else None
    with services.database.read() as connection:
        rows = store.recent(connection, login.user.scope, start, PAGE + 1)
        nights = [] if start else store.nights(connection, 5)
    now_ms = services.clock()
    return render(
        request,
        "runs.html",
        login=login,
        nights=[(it, runs.shown(it, now_ms)) for it in nights],
        rows=[(it, runs.shown(it, now_ms)) for it in rows[:PAGE]],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        before=start,
        running=any(it.state in store.ACTIVE for it in [*nights, *rows]),
    )
