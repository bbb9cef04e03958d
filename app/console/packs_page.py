"""Policy packs: every number beside the words it comes from, or marked as the product's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from app.clock import day
from app.console import labels, readable
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain import runs
from app.domain.accounts.users import Login, Role
from app.domain.judging import what_if
from app.domain.policy import pack_term, packs
from app.domain.policy.clauses import Clause
from app.domain.policy.pack import Pack, Parameter
from app.domain.policy.pack_schema import PackError
from app.errors import BadInput, NotFound
from app.store.judging import runs as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

KINDS = (
    ("session", N_("学习会话")),
    ("class_hour", N_("课时")),
    ("enrolment", N_("考核申请结论")),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule, check or section as the page shows it."""

    key: str
    title: str
    status: str
    reach: str
    clause: Clause | None
    parameters: tuple[Parameter, ...]


@router.get("/packs")
def shelf(request: Request, login: SignedIn) -> Response:
    return _shelf(request, login)


@router.post("/what-if", dependencies=[FormOfThisLogin])
def try_pack(
    request: Request,
    login: SignedIn,
    pack: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
) -> Response:
    """Try another pack on what is stored; the trial runs beside everything else."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            run_id = what_if.request(connection, login.user, pack, since, until, now_ms)
    except BadInput as error:
        return _shelf(request, login, problem=labels.PROBLEMS[error.code])
    return see_other(f"/console/what-if/{run_id}")


@router.get("/what-if/{run_id}")
def trial(request: Request, login: SignedIn, run_id: RowId) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        row = what_if.seen(connection, login.user, run_id)
    result = row.summary.get("result")
    return render(
        request,
        "what_if.html",
        login=login,
        row=row,
        told=runs.shown(row, services.clock()),
        asked=row.summary,
        **_tried(row.summary, language_of(request)),
        result=result,
        kinds=[(kind, title, _outcomes(result, kind)) for kind, title in KINDS] if result else [],
    )


def _tried(asked: dict[str, Any], lang: Language) -> dict[str, Any]:
    """What the tried pack is called, and what must be told beside days on which it is not in
    force."""
    try:
        pack = what_if.pack_of(asked)
    except (packs.UnknownPack, PackError):
        return {}
    title = f"{lang.of(pack.title)} {pack.name.partition('@')[2]}"
    return {"title": title, "outside": _outside(asked, pack, lang)}


def _outside(asked: Mapping[str, Any], pack: Pack, lang: Language) -> str:
    own = pack.instrument
    since, until = (date.fromisoformat(asked[it]) for it in ("since", "until"))
    if pack_term.covered(own, since, until):
        return ""
    first, last = (str(it or lang.say(N_("不限"))) for it in (own.effective_from, own.effective_to))
    said = N_(
        "试算的日子不都在%(number)s的有效期（%(first)s至%(last)s）内，能否适用由主管部门决定。"
    )
    return lang.say(said, number=own.number, first=first, last=last)


def _outcomes(result: Mapping[str, Any], kind: str) -> list[tuple[str, int, int]]:
    """(outcome, before, after) of one kind of verdict."""
    before, after = (
        {name.partition(":")[2]: n for name, n in result[when].items() if name.startswith(kind)}
        for when in ("before", "after")
    )
    known = [code for code in labels.VERDICTS | labels.HOURS if code in before or code in after]
    return [(code, before.get(code, 0), after.get(code, 0)) for code in known]


def _shelf(request: Request, login: Login, problem: str = "") -> Response:
    services, user = request.app.state.services, login.user
    with services.database.read() as connection:
        tried = store.what_ifs(connection, None if user.role is Role.ADMIN else user.actor, 10)
    today = day(services.clock())
    return render(
        request,
        "packs.html",
        login=login,
        status=422 if problem else 200,
        packs=packs.available(),
        tried=tried,
        since=(today.replace(day=1) - timedelta(days=1)).replace(day=1).isoformat(),
        until=today.isoformat(),
        problem=problem,
    )


@router.get("/packs/{name}")
def pack(request: Request, login: SignedIn, name: str, against: str = "") -> Response:
    """One pack; `against` names another whose differences are listed on top."""
    chosen, other = _load(name), _load(against) if against else None
    lang = language_of(request)
    return render(
        request,
        "pack.html",
        login=login,
        pack=chosen,
        other=other,
        changes=readable.differences(other, chosen) if other else [],
        others=[it for it in packs.available() if it.name != chosen.name],
        rules=list(_rules(chosen, lang)),
        checks=list(_checks(chosen, lang)),
        sections=list(_sections(chosen, lang)),
    )


def _load(name: str) -> Pack:
    try:
        return packs.load(name)
    except packs.UnknownPack as error:
        raise NotFound("unknown_pack", error.detail) from error


def _rules(pack: Pack, lang: Language) -> Iterator[Entry]:
    for key, rule in pack.table.rules.items():
        title = getattr(pack.title_of(key), lang.code)
        status, reach = str(rule.status), str(rule.reach)
        yield Entry(key, title, status, reach, pack.clause_of(key), pack.parameters_of(key))


def _checks(pack: Pack, lang: Language) -> Iterator[Entry]:
    for key, check in pack.table.checks.items():
        title = getattr(pack.title_of(key), lang.code)
        reach = str(check.reach)
        yield Entry(key, title, "", reach, pack.clause_of(key), pack.parameters_of(key))


def _sections(pack: Pack, lang: Language) -> Iterator[Entry]:
    for key, section in pack.table.sections.items():
        clause = pack.clause_of(key) if section.clause else None
        yield Entry(
            key, lang.say(readable.SECTIONS.get(key, key)), "", "", clause, pack.parameters_of(key)
        )
