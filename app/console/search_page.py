"""One search for everything: people, classes, sittings, institutions, platforms, findings.

What was typed is posted, so that no ID number stands in an address; one hit, or one person in
several classes, leads straight there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from app.console.findings_page import plain_text
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, render, see_other
from app.domain.accounts import finder
from app.domain.accounts.finder import MOST
from app.store.catalogue import class_file
from app.store.catalogue import finder as store
from app.store.catalogue.finder import LearnerHit
from app.store.review import cases

# How people write a case's number: 15, 第15号案, 15号案.
_CASE = re.compile(r"第?([1-9]\d{0,15})(?:号案?)?")
_TELEPHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")
router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)


@router.post("/search", dependencies=[FormOfThisLogin])
def search(request: Request, login: SignedIn, q: Annotated[str, Form()] = "") -> Response:
    services, text = request.app.state.services, plain_text(q)
    number = finder.id_number(text)
    if number is None:
        return see_other(f"/console/search?{urlencode({'q': text})}" if text else "/console/search")
    with services.database.write() as connection:
        vault, now_ms = services.vault, services.clock()
        hits = finder.by_id_number(connection, vault, login.user, number, now_ms)
    return see_other(_home(hits) or "/console/search?nobody=1")


@router.get("/search")
def results(request: Request, login: SignedIn, q: str = "", nobody: bool = False) -> Response:
    """What was found; `nobody`: nobody has the ID number that was typed."""
    text, scope = plain_text(q), login.user.scope
    if finder.id_number(text):
        text = ""  # never looked up without a trace
    with request.app.state.services.database.read() as connection:
        learners = store.named(connection, scope, text, MOST) if text else []
        classes = class_file.page(connection, scope, text, None, MOST) if text else []
        platforms = store.platforms(connection, scope, text, MOST) if text else []
        finding = store.finding(connection, scope, text.removeprefix("#")) if text else None
        schools = store.institutions(connection, scope, text, MOST) if text else []
        sittings = store.sittings(connection, scope, text) if text else []
        number = _CASE.fullmatch(text)
        case = cases.one(connection, scope, int(number[1])) if number else None
    home = _home(learners)
    ways = [
        *([home] if home else (it.learner_id for it in learners)),
        *(f"/console/classes/{it.id}" for it in classes),
        *(f"/console/platforms/{it.slug}" for it in platforms),
        *(f"/console/institutions/{it.id}" for it in schools),
        *(f"/console/sessions/{it}" for it in sittings),
        *([f"/console/findings/{finding}"] if finding else []),
        *([f"/console/cases/{case.id}"] if case else []),
    ]
    if len(ways) == 1:
        return see_other(str(ways[0]))
    return render(
        request,
        "search.html",
        login=login,
        q=text,
        nobody=nobody,
        telephone=bool(_TELEPHONE.fullmatch(text)),
        learners=learners,
        classes=classes,
        platforms=platforms,
        finding=finding,
        schools=schools,
        sittings=sittings,
        case=case,
        most=MOST,
        nothing=not ways,
        asked=bool(text) or nobody,
    )


def _home(hits: Sequence[LearnerHit]) -> str | None:
    """Where one person is at home: in their class, or in the file over all of them."""
    if len({it.person_id for it in hits}) != 1:
        return None
    it = hits[0]
    if len(hits) > 1:
        return f"/console/people/{it.person_id}"
    return f"/console/classes/{it.class_id}/learners/{it.learner_id}"
