"""Runs: nights and classes judged by hand, how far they are and what they came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.console import labels
from app.console.actors import named
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render
from app.domain import runs
from app.errors import NotFound
from app.store.catalogue import class_file
from app.store.judging import runs as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 50


@router.get("/runs")
def run_list(request: Request, login: SignedIn, before: int = 0) -> Response:
    services = request.app.state.services
    start = before if 0 < before < 2**62 else None
    with services.database.read() as connection:
        rows = store.recent(connection, login.user.scope, start, PAGE + 1)
        nights = [] if start else store.nights(connection, 5)
        name = named(connection, language_of(request), [it.requested_by for it in rows], login.user)
    now_ms = services.clock()
    return render(
        request,
        "runs.html",
        login=login,
        nights=[(it, runs.shown(it, now_ms)) for it in nights],
        rows=[(it, runs.shown(it, now_ms)) for it in rows[:PAGE]],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        before=start,
        name=name,
        models=services.readers.files,
        rejected=services.readers.notices,
    )


@router.get("/runs/{run_id}")
def run(
    request: Request, login: SignedIn, run_id: RowId, state: str = "", after: int = 0
) -> Response:
    """A night with its classes, or one class's run: live while it is under way."""
    services, scope = request.app.state.services, login.user.scope
    now_ms = services.clock()
    with services.database.read() as connection:
        night = store.night(connection, run_id)
        row = night or store.seen(connection, scope, run_id)
        if row is None:
            raise NotFound("unknown_run", "there is no such run")
        told = runs.shown(row, now_ms)
        actors = [row.requested_by, *(it["by"] for it in told["resumptions"])]
        model: dict[str, Any] = {
            "row": row,
            "told": told,
            "broke_off": runs.broke_off(connection, row, now_ms),
            "name": named(connection, language_of(request), actors, login.user),
            "cause": runs.cause,
        }
        if night is None:
            return render(
                request,
                "run.html",
                login=login,
                night=runs.night_of(row),
                klass=class_file.klass(connection, row.class_id or 0, scope),
                counted=_counted,
                **model,
            )
        wanted = state if state in labels.RUN_STATES else None
        start = after if 0 < after < 2**62 else 0
        view = runs.night_view(connection, scope, night, wanted, start, PAGE)
    return render(
        request,
        "night.html",
        login=login,
        view=view,
        rows=[(it, runs.shown(it, now_ms)) for it in view.rows[:PAGE]],
        next_after=view.rows[PAGE - 1].id if len(view.rows) > PAGE else None,
        state=wanted,
        after=start,
        counted=_counted,
        **model,
    )


def _counted(summary: Mapping[str, Any], what: str) -> dict[str, list[tuple[labels.Label, int]]]:
    """What a run left, `outcomes` as the machine proposes them or `standing` as people decided: by
    kind of verdict, each word and how many have it."""
    said = summary.get(what, {})
    books = {kind: labels.HOURS if kind == "class_hour" else labels.VERDICTS for kind in said}
    return {
        kind: [(labels.label(book, code), said[kind][code]) for code in book if code in said[kind]]
        for kind, book in books.items()
    }
