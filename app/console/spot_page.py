"""核验一次: asks a learner's page for a face check now; where that was pressed tells the rest."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, local_path, see_other
from app.domain.review import spot_checks
from app.errors import Conflict, TooManyRequests

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.post("/sessions/{session_id}/spot-check", dependencies=[FormOfThisLogin])
def ask(
    request: Request, login: SignedIn, session_id: RowId, back: Annotated[str, Form()] = ""
) -> Response:
    services = request.app.state.services
    place = local_path(back, "/console/live").partition("?")[0]
    try:
        with services.database.write() as connection:
            spot_checks.ask(connection, login.user, session_id, services.clock())
    except (Conflict, TooManyRequests) as error:
        return see_other(f"{place}?{urlencode({'refused': error.code})}")
    services.controls.wake(session_id)
    return see_other(f"{place}#spot-checks")
