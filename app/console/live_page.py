"""The live board: the county at this moment, loaded anew by itself in its place."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.console.login import SignedIn
from app.console.page import ConsoleRoute, render
from app.domain.review import live_board, spot_checks

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/live")
def live(request: Request, login: SignedIn, refused: str = "") -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        board = live_board.board(connection, login.user, services.clock())
        asked = spot_checks.lately(connection, login.user, services.clock())
    return render(
        request,
        "live.html",
        login=login,
        board=board,
        asked=asked,
        refused=refused,
        names={it.row.id: it.row for it in board.lines},
    )
