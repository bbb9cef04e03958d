"""What one was told of, and which of it also goes by mail or to a group robot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.console import labels
from app.console.case_lines import about
from app.console.language import Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, language_of, render, see_other
from app.domain.accounts.users import Login, User
from app.domain.review import notices
from app.domain.review.notices import NoticePlan, NoticeWays
from app.domain.wire import whole
from app.errors import BadInput
from app.languages import LOCALES
from app.store.review import cases as case_store
from app.store.review import notices as store

MOST = 200
NAMED = 5  # cases of a notice

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Text = Annotated[str, Form()]


@router.get("/notices")
def feed(request: Request, login: SignedIn, saved: bool = False) -> Response:
    return _page(request, login, saved=saved)


@router.post("/notices/read", dependencies=[FormOfThisLogin])
def read(request: Request, login: SignedIn, until: Text = "") -> Response:
    """What stood on the page has been read; what came since has not."""
    services = request.app.state.services
    until_ms = whole(until) or 0
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
    language: Text = "zh",
) -> Response:
    """Keep what to tell this person, and where."""
    services = request.app.state.services
    ways = NoticeWays(email.strip(), robot, robot_url.strip(), robot_secret.strip(), language)
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


@dataclass(frozen=True, slots=True)
class ToldCases:
    """The cases that a notice counts, as far as they are named, and how many there are."""

    named: list[tuple[int, str, str, str]]  # id, rule, pack, about
    count: int


def _cases(connection: Connection, user: User, now_ms: int, lang: Language) -> dict[str, ToldCases]:
    since_ms = midnight_ms(day(now_ms))
    told = notices.cases_waiting(connection, user, since_ms, now_ms)
    wanted = {it for ids in told.values() for it in ids[:NAMED]}
    rows = {it.id: it for it in case_store.summaries(connection, user.scope, wanted)}
    firsts = {it.first for it in rows.values()}
    first = {it.id: it for it in case_store.shown_by(connection, firsts)}
    named: dict[int, tuple[int, str, str, str]] = {}
    for row in rows.values():
        it = first[row.first]
        named[row.id] = row.id, it.rule, it.pack, about(row.kind, it, lang)
    return {
        kind: ToldCases([named[it] for it in ids[:NAMED] if it in named], len(ids))
        for kind, ids in told.items()
    }


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
        cases = _cases(connection, login.user, services.clock(), language_of(request))
    return render(
        request,
        "notices.html",
        login=login,
        rows=rows,
        cases=cases,
        texts=notices.TEXTS,
        kinds=notices.kinds_for(login.user),
        plan=typed or kept,
        robot_kept=kept.ways.robot,
        languages=LOCALES,
        chosen=bool(typed or kept.kinds),
        today=day(services.clock()).isoformat(),
        mails=bool(services.settings.smtp_host),
        saved=saved,
        problem=problem,
        status=422 if problem else 200,
    )
