"""Help, reached from every page at the part that is about it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.console.help_topics import TOPICS
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, render

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.get("/help")
def shown(request: Request, login: SignedIn) -> Response:
    return render(request, "help.html", login=login, topics=TOPICS)
