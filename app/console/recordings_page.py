"""Recordings of a class's teaching in person: what is recorded, where it lies, and spot checks."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request, Response

from app.console.login import SignedIn
from app.console.page import ConsoleRoute, RowId, render
from app.domain.accounts.users import Role
from app.domain.catalogue import films
from app.domain.review import inspections
from app.domain.review.inspections import RECORDINGS
from app.errors import NotFound
from app.store.catalogue import class_file
from app.store.catalogue import films as film_rows
from app.store.review import inspections as drawn

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/classes/{class_id}/recordings")
def recordings(request: Request, login: SignedIn, class_id: RowId) -> Response:
    """Who is told of a draw can mend a film in time: draws are not shown to platforms."""
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        hours = films.recorded(connection, klass)
        held = film_rows.of_class(connection, class_id)
        told = login.user.role is not Role.PLATFORM_VIEWER
        made = drawn.of_class(connection, class_id) if told else []
        checks = drawn.checks_of_class(connection, class_id) if told else []
    mine = [it for it in made if it.frame_kind == RECORDINGS]
    ids = {it.id for it in mine}
    return render(
        request,
        "recordings.html",
        login=login,
        klass=klass,
        hours=hours,
        results=Counter(it.result.value for it in hours),
        films=held,
        shown={name for it in hours for name in it.files},
        draws=mine,
        checked={it.learner: it.result for it in checks if it.inspection_id in ids},
        most=inspections.MOST,
    )
