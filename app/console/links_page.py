"""The links that a class's learners were given: when, by whom, until when, and whether opened."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.console import labels
from app.console.actors import named
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.review import learner_link
from app.errors import NotAllowed, NotFound
from app.store.accounts import links as store
from app.store.catalogue import class_file

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

PAGE = 100


@router.get("/classes/{class_id}/links")
def of_class(request: Request, login: SignedIn, class_id: RowId, before: int = 0) -> Response:
    services = request.app.state.services
    start = before if 0 < before < 2**62 else None
    with services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        rows = store.of_class(connection, class_id, start, PAGE + 1)
        name = named(connection, language_of(request), [it.issued_by for it in rows], login.user)
    now_ms = services.clock()
    states = {it.id: learner_link.standing(it, now_ms) for it in rows}
    return render(
        request,
        "links.html",
        login=login,
        klass=klass,
        rows=[(it, states[it.id], labels.LINK_STATES[states[it.id]]) for it in rows[:PAGE]],
        name=name,
        days=services.settings.learner_link_days,
        before=start,
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@router.post("/classes/{class_id}/links/{link_id}/revoke", dependencies=[FormOfThisLogin])
def revoke(request: Request, login: SignedIn, class_id: RowId, link_id: RowId) -> Response:
    services, user = request.app.state.services, login.user
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers end links")
    with services.database.write() as connection:
        if class_file.klass(connection, class_id, user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
        learner_link.revoke_one(
            connection, class_id, link_id, actor=user.actor, now_ms=services.clock()
        )
    return see_other(f"/console/classes/{class_id}/links")
