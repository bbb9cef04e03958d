"""Policy packs: every number beside the words it comes from, or marked as the product's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from app.console.language import Language
from app.console.login import SignedIn
from app.console.page import ConsoleRoute, language_of, render
from app.domain import packs
from app.domain.clauses import Clause
from app.domain.pack import Pack, Parameter
from app.errors import NotFound

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


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
    return render(request, "packs.html", login=login, packs=packs.available())


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
        changes=packs.diff(other, chosen) if other else [],
        others=[it for it in packs.available() if it.name != chosen.name],
        rules=list(_rules(chosen, lang)),
        checks=list(_checks(chosen, lang)),
        sections=list(_sections(chosen)),
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


def _sections(pack: Pack) -> Iterator[Entry]:
    for key, section in pack.table.sections.items():
        clause = pack.clause_of(key) if section.clause else None
        yield Entry(key, key, "", "", clause, pack.parameters_of(key))
