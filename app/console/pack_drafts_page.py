"""A county's own pack: one person writes and tries it, another one publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from app.clock import day
from app.console import consequences, labels, pack_problems, readable, weighty
from app.console.actors import named
from app.console.language import Language
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import DECIDES, OF_AUTHORITY, Login
from app.domain.judging import what_if
from app.domain.policy import pack_draft, packs
from app.domain.policy.pack import Pack
from app.domain.policy.pack_draft import PackDraft
from app.domain.policy.pack_schema import PackError
from app.domain.review import pack_drafts
from app.errors import BadInput, Conflict

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Official = Annotated[Login, Depends(require_role(*OF_AUTHORITY))]
Decider = Annotated[Login, Depends(require_role(*DECIDES))]
Typed = Annotated[str, Form()]


@router.get("/pack-drafts")
def shelf(request: Request, login: Official) -> Response:
    return _shelf(request, login)


def _shelf(
    request: Request, login: Login, problem: str = "", typed: dict[str, str] | None = None
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        rows = pack_drafts.listed(connection, login.user)
    counties = login.user.scope.counties
    return render(
        request,
        "pack_drafts.html",
        login=login,
        rows=rows,
        packs=packs.available(),
        counties=counties or (),
        problem=problem,
        typed=typed or {"base": packs.load(services.settings.default_pack).name},
        status=422 if problem else 200,
    )


@router.post("/pack-drafts", dependencies=[FormOfThisLogin])
def begin(
    request: Request,
    login: Decider,
    county: Typed = "",
    base: Typed = "",
    pack_id: Typed = "",
    version: Typed = "",
    title: Typed = "",
) -> Response:
    """Begin a draft on a published pack."""
    services = request.app.state.services
    county = county or (login.user.scope.counties or ("",))[0]
    typed = {"base": base, "pack_id": pack_id, "version": version, "title": title}
    try:
        with services.database.write() as connection:
            draft_id = pack_drafts.begin(
                connection, login.user, county, **typed, now_ms=services.clock()
            )
    except (BadInput, Conflict) as error:
        problem = labels.PROBLEMS.get(error.code, error.detail)
        return _shelf(request, login, problem, typed | {"county": county})
    return see_other(f"/console/pack-drafts/{draft_id}")


@router.get("/pack-drafts/{draft_id}")
def shown(request: Request, login: Official, draft_id: RowId) -> Response:
    return _page(request, login, draft_id)


def _page(
    request: Request,
    login: Login,
    draft_id: int,
    problem: str = "",
    typed: PackDraft | None = None,
) -> Response:
    services, lang = request.app.state.services, language_of(request)
    with services.database.read() as connection:
        row = pack_drafts.seen(connection, login.user, draft_id)
        people = [f"user:{it}" for it in (*row.writers, row.published_by) if it]
        name = named(connection, lang, people, login.user)
    kept = pack_drafts.draft_of(row)
    wrong, pack = _checked(kept)
    today = day(services.clock())
    return render(
        request,
        "pack_draft.html",
        login=login,
        row=row,
        draft=typed or kept,
        digest=kept.digest,
        problems=[pack_problems.told(it, lang) for it in wrong],
        open=row.state == pack_drafts.PackDraftState.DRAFT,
        mine=login.user.username in row.writers,
        people=[name(it) for it in people],
        pack=pack,
        **_against_base(pack, kept, lang),
        since=(today.replace(day=1) - timedelta(days=1)).replace(day=1).isoformat(),
        until=(today.replace(day=1) - timedelta(days=1)).isoformat(),
        problem=problem,
        status=422 if problem else 200,
    )


def _checked(draft: PackDraft) -> tuple[tuple[str, ...], Pack | None]:
    try:
        return (), pack_draft.tried(draft)
    except PackError as error:
        return error.problems, None


def _against_base(pack: Pack | None, draft: PackDraft, lang: Language) -> dict[str, Any]:
    """What the draft decides differently from the pack that it extends, and what it may change."""
    base = packs.found(pack_draft.base_of(draft)) if pack else None
    return {
        "base": base,
        "changes": readable.differences(base, pack) if base and pack else [],
        "words": readable.pack_words(lang),
        "parameters": [
            (f"{table}.{it.name}", it)
            for table in (pack.table.tables if pack else ())
            for it in (pack.parameters_of(table) if pack else ())
        ],
        "clauses": sorted(pack.clauses) if pack else [],
    }


@router.post("/pack-drafts/{draft_id}", dependencies=[FormOfThisLogin])
def save(
    request: Request,
    login: Decider,
    draft_id: RowId,
    text: Typed = "",
    clauses: Typed = "",
    digest: Typed = "",
) -> Response:
    """Keep the text as typed; what is wrong with it is told beside it."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            pack_drafts.save(
                connection, login.user, draft_id, text, clauses, digest, services.clock()
            )
    except (BadInput, Conflict) as error:
        with services.database.read() as connection:
            row = pack_drafts.seen(connection, login.user, draft_id)
        typed = PackDraft(row.pack_id, row.version, text, clauses)
        return _page(request, login, draft_id, labels.PROBLEMS[error.code], typed)
    return see_other(f"/console/pack-drafts/{draft_id}")


@router.post("/pack-drafts/{draft_id}/parameter", dependencies=[FormOfThisLogin])
def set_parameter(
    request: Request,
    login: Decider,
    draft_id: RowId,
    parameter: Typed = "",
    value: Typed = "",
    clause: Typed = "",
    quote: Typed = "",
    digest: Typed = "",
) -> Response:
    """Write one number into the text."""
    services = request.app.state.services
    table, _, name = parameter.partition(".")
    try:
        with services.database.write() as connection:
            row = pack_drafts.seen(connection, login.user, draft_id)
            said = readable.pack_word(value.strip(), language_of(request))
            draft = pack_draft.with_parameter(
                pack_drafts.draft_of(row), table, name, said, clause.strip(), quote.strip()
            )
            pack_drafts.save(
                connection,
                login.user,
                draft_id,
                draft.text,
                draft.clauses,
                digest,
                services.clock(),
            )
    except (BadInput, Conflict) as error:
        return _page(request, login, draft_id, labels.PROBLEMS.get(error.code, error.detail))
    except PackError:
        return _page(request, login, draft_id, labels.PROBLEMS["pack_invalid"])
    return see_other(f"/console/pack-drafts/{draft_id}")


@router.post("/pack-drafts/{draft_id}/trial", dependencies=[FormOfThisLogin])
def trial(
    request: Request, login: Decider, draft_id: RowId, since: Typed = "", until: Typed = ""
) -> Response:
    """What the draft would have made of what is stored; no verdict changes."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            row = pack_drafts.seen(connection, login.user, draft_id)
            draft = pack_drafts.draft_of(row)
            run_id = what_if.request(connection, login.user, draft, since, until, services.clock())
    except BadInput as error:
        return _page(request, login, draft_id, labels.PROBLEMS[error.code])
    except PackError:
        return _page(request, login, draft_id, labels.PROBLEMS["pack_invalid"])
    return see_other(f"/console/what-if/{run_id}")


@router.get("/pack-drafts/{draft_id}/publish")
def weigh_publishing(
    request: Request, login: Decider, draft_id: RowId, digest: str = ""
) -> Response:
    return _weigh(request, login, draft_id, digest, published=True)


@router.post("/pack-drafts/{draft_id}/publish", dependencies=[FormOfThisLogin])
def publish(
    request: Request,
    login: Decider,
    draft_id: RowId,
    digest: Typed = "",
    reason: weighty.Reason = "",
) -> Response:
    """Put the draft among the published packs, for good."""
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, draft_id, digest, reason, error.code, published=True)
    try:
        with services.database.write() as connection:
            name = pack_drafts.publish(
                connection, login.user, draft_id, digest, services.clock(), why
            )
    except Conflict as error:
        return _page(request, login, draft_id, labels.PROBLEMS[error.code])
    return see_other(f"/console/packs/{name}")


@router.get("/pack-drafts/{draft_id}/discard")
def weigh_discarding(request: Request, login: Decider, draft_id: RowId) -> Response:
    return _weigh(request, login, draft_id, "", published=False)


@router.post("/pack-drafts/{draft_id}/discard", dependencies=[FormOfThisLogin])
def discard(
    request: Request, login: Decider, draft_id: RowId, reason: weighty.Reason = ""
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, draft_id, "", reason, error.code, published=False)
    try:
        with services.database.write() as connection:
            pack_drafts.discard(connection, login.user, draft_id, services.clock(), why)
    except Conflict as error:
        return _page(request, login, draft_id, labels.PROBLEMS[error.code])
    return see_other("/console/pack-drafts")


def _leaf(it: Any, lang: Language) -> str:
    """One of the two sides of a difference in a few words."""
    told = it.get("value", "…") if isinstance(it, Mapping) else it
    return "–" if told is None else readable.value(str(told), lang)


def _weigh(
    request: Request,
    login: Login,
    draft_id: int,
    digest: str,
    reason: str = "",
    problem: str = "",
    *,
    published: bool,
) -> Response:
    """What publishing the draft, as it was seen, or giving it up will do."""
    with request.app.state.services.database.read() as connection:
        row = pack_drafts.seen(connection, login.user, draft_id)
    kept = pack_drafts.draft_of(row)
    _, pack = _checked(kept)
    lang = language_of(request)
    against = _against_base(pack, kept, lang)
    differences = [
        f"{readable.place(it.path, pack, against['base'], lang)}："
        f"{_leaf(it.before, lang)} → {_leaf(it.after, lang)}"
        for it in against["changes"]
        if pack
    ]
    deed = consequences.draft(row, digest or kept.digest, differences, lang, published=published)
    return weighty.page(request, login, deed, reason, problem)
