"""How a platform's xAPI statements find their sittings: a form, tried on pasted statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from app.console import forms
from app.console.forms import YES, Errors, FilledIn, Typed
from app.console.login import FormOfThisLogin
from app.console.page import ConsoleRoute, render, see_other
from app.console.platforms_page import Keeper, kept
from app.domain.accounts.users import Login
from app.domain.exchange import statement_mappings, xapi
from app.domain.exchange.statement_mappings import MOST_TRIED, TriedStatement
from app.domain.exchange.xapi_batch import read_post
from app.domain.exchange.xapi_mapping import StatementMapping, read_mapping
from app.domain.exchange.xapi_sittings import Openings
from app.errors import BadInput
from app.languages import Text

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PARTS = ("learner", "lesson", "class_activity")
_BETWEEN = ("=", "＝", "\t")  # an id of the emitter, and the platform's own


@router.get("/platforms/{slug}/statements")
def statements(request: Request, login: Keeper, slug: str) -> Response:
    with request.app.state.services.database.read() as connection:
        platform = kept(connection, login, slug)
        mapping = xapi.mapping_of(connection, platform.id)
    return _page(request, login, slug, _typed(mapping), is_set=mapping is not None)


@router.post("/platforms/{slug}/statements", dependencies=[FormOfThisLogin])
def change(request: Request, login: Keeper, slug: str, form: FilledIn) -> Response:
    """Try the mapping on the statements, save it, or take it away."""
    services, act = request.app.state.services, form.get("act", "")
    with services.database.read() as connection:
        platform = kept(connection, login, slug)
        is_set = xapi.mapping_of(connection, platform.id) is not None
    tried: Sequence[TriedStatement] = ()
    try:
        mapping = None if act == "remove" else read_mapping(_told(form))
        if act == "try":
            tried = _try(request, login, platform.id, mapping, form.get("statements", ""))
            return _page(request, login, slug, form, is_set=is_set, tried=tried)
    except BadInput as error:
        return _page(request, login, slug, form, is_set=is_set, errors=forms.errors(error))
    with services.database.write() as connection:
        statement_mappings.change_mapping(
            connection, platform.id, mapping, actor=login.user.actor, now_ms=services.clock()
        )
    return see_other(f"/console/platforms/{slug}/statements")


def _try(
    request: Request, login: Login, platform_id: int, mapping: StatementMapping | None, said: str
) -> list[TriedStatement]:
    services = request.app.state.services
    try:
        batch = read_post(said.encode(), two=True)
    except BadInput as error:
        text = Text(f"语句读不懂：{error.detail}", error.detail)
        raise BadInput(error.code, f"{text.zh} / {text.en}", field="statements") from None
    if len(batch) > MOST_TRIED:
        zh, en = f"一次最多试{MOST_TRIED}条", f"at most {MOST_TRIED} at once"
        raise BadInput("too_many_statements", f"{zh} / {en}", field="statements")
    authority = {"account": {"homePage": "urn:zhenxue", "name": login.user.actor}}
    return statement_mappings.rehearse(
        services.database,
        Openings(services.vault, services.controls),
        services.clock,
        xapi.Sender(platform_id, authority, two=True),
        mapping,
        batch,
    )


def _told(form: Typed) -> dict[str, Any]:
    """The form as the interface would be told it; parts are left out where nothing is typed."""
    told: dict[str, Any] = {"opens": form.get("opens") == YES, "ends": form.get("ends") == YES}
    for part in PARTS:
        values: dict[str, Any] = {
            name: it
            for name in ("by", "home_page", "shape")
            if (it := form.get(f"{part}.{name}", "").strip())
        }
        names = _names(form.get(f"{part}.names", ""))
        if values.get("by"):
            told[part] = values | ({"names": names} if names else {})
    return told


def _names(text: str) -> dict[str, str]:
    names = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        between = next((it for it in _BETWEEN if it in line), None)
        found, _, ours = line.rpartition(between) if between else (line, "", "")
        names[found.strip()] = ours.strip()
    return names


def _typed(mapping: StatementMapping | None) -> dict[str, str]:
    told = (mapping or StatementMapping()).model_dump(mode="json")
    typed = {name: YES if told[name] else "" for name in ("opens", "ends")}
    for part in PARTS:
        for name, value in (told[part] or {}).items():
            lines = value.items() if isinstance(value, dict) else ()
            text = "\n".join(f"{one} = {other}" for one, other in lines)
            typed[f"{part}.{name}"] = text if isinstance(value, dict) else value or ""
    return typed


def _page(
    request: Request,
    login: Login,
    slug: str,
    typed: Typed,
    *,
    is_set: bool,
    tried: Sequence[TriedStatement] = (),
    errors: Errors | None = None,
) -> Response:
    with request.app.state.services.database.read() as connection:
        platform = kept(connection, login, slug)
    return render(
        request,
        "statements.html",
        login=login,
        status=422 if errors else 200,
        platform=platform,
        typed=typed,
        errors=errors or {},
        is_set=is_set,
        tried=[(it, _event(it)) for it in tried],
    )


def _event(tried: TriedStatement) -> str:
    """The event as a developer reads it."""
    return "" if not tried.event else json.dumps(tried.event, ensure_ascii=False)
