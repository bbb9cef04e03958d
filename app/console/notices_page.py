"""What one was told of, and which of it also goes by mail or to a group robot."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, render, see_other
from app.domain.accounts.users import Login
from app.domain.review import notices
from app.domain.review.notices import NoticePlan, NoticeWays
from app.errors import BadInput
from app.store.review import notices as store

MOST = 200

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Text = Annotated[str, Form()]


@router.get("/notices")
def feed(request: Request, login: SignedIn, saved: bool = False) -> Response:
    return _page(request, login, saved=saved)


@router.post("/notices/read", dependencies=[FormOfThisLogin])
def read(request: Request, login: SignedIn, until: Text = "") -> Response:
    """What stood on the page has been read; what came since has not."""
    services = request.app.state.services
    until_ms = int(until) if until.isdecimal() and len(until) < 15 else 0
    with services.database.write() as connection:
        store.read(connection, login.user.id, until_ms, services.clock())
    return see_other("/console/notices")


@router.post("/notices/ways", dependencies=[FormOfThisLogin])
def choose(
    request: Request,
    login: SignedIn,
    kind: Annotated[list[str] | None, Form()] = None,
    often: Text = "daily",
    email: Text = "",
    robot: Text = "",
    robot_url: Text = "",
    robot_secret: Text = "",
) -> Response:
    """Keep what to tell this person, and where."""
    services = request.app.state.services
    ways = NoticeWays(email.strip(), robot, robot_url.strip(), robot_secret.strip())
    plan = NoticePlan(frozenset(kind or ()), often != "at_once", ways)
    try:
        with services.database.write() as connection:
            notices.choose(
                connection,
                services.vault,
                login.user,
                plan,
                services.settings.robots,
                services.clock(),
            )
    except BadInput as error:
        return _page(request, login, problem=labels.PROBLEMS[error.code], typed=plan)
    return see_other("/console/notices?saved=1#ways")


def _page(
    request: Request,
    login: Login,
    *,
    saved: bool = False,
    problem: str = "",
    typed: NoticePlan | None = None,
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        rows = store.feed(connection, login.user.id, MOST)
        kept = notices.plan_of(connection, services.vault, login.user)
    return render(
        request,
        "notices.html",
        login=login,
        rows=rows,
        texts=notices.TEXTS,
        kinds=notices.kinds_for(login.user),
        plan=typed or kept,
        robot_kept=kept.ways.robot,
        mails=bool(services.settings.smtp_host),
        saved=saved,
        problem=problem,
        status=422 if problem else 200,
    )
