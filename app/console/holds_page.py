"""Legal holds on a class and on its learners: what is kept although its term is over."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from app.console import labels
from app.console.actors import named
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.faces import retention
from app.errors import BadInput, NotAllowed, NotFound
from app.store.catalogue import class_file
from app.store.faces import retention as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Typed = Annotated[str, Form()]


@router.get("/classes/{class_id}/holds")
def of_class(request: Request, login: SignedIn, class_id: RowId) -> Response:
    return _page(request, login, class_id)


def _page(
    request: Request, login: SignedIn, class_id: int, problem: str = "", **typed: Any
) -> Response:
    """The page; `typed` is what a form said that was refused for `problem`."""
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        if not login.user.of_authority:
            raise NotAllowed("role", "holds are shown to the authority")
        rows = store.holds_of_class(connection, class_id)
        roster = class_file.roster(connection, class_id)
        name = named(connection, language_of(request), [it.placed_by for it in rows], login.user)
    return render(
        request,
        "holds.html",
        login=login,
        klass=klass,
        rows=rows,
        roster=roster,
        name=name,
        problem=labels.PROBLEMS[problem] if problem else "",
        typed={"learner": "", "reason": "", "lift": 0} | typed,
        status=422 if problem else 200,
    )


@router.post("/classes/{class_id}/holds", dependencies=[FormOfThisLogin])
def keep(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    learner: Typed = "",
    reason: Typed = "",
    lift: Annotated[int, Form(ge=0, le=2**62)] = 0,
) -> Response:
    """Hold the class or one of its learners, or end the hold that `lift` names."""
    services, user = request.app.state.services, login.user
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers hold photos")
    by = {"reason": reason, "actor": user.actor, "now_ms": services.clock()}
    try:
        with services.database.write() as connection:
            klass = class_file.klass(connection, class_id, user.scope)
            if klass is None:
                raise NotFound("unknown_class", "there is no such class")
            if lift:
                there = {it.id for it in store.holds_of_class(connection, class_id)}
                if lift not in there:
                    raise NotFound("unknown_hold", f"there is no hold {lift}")
                retention.lift_hold(connection, lift, **by)
            else:
                of_class = {it.external_id for it in class_file.roster(connection, class_id)}
                if learner and learner not in of_class:
                    raise NotFound("unknown_learner", f"there is no learner {learner!r}")
                retention.place_hold(
                    connection,
                    klass.platform_id,
                    class_id=None if learner else klass.external_id,
                    learner_id=learner or None,
                    **by,
                )
    except BadInput as error:
        return _page(
            request, login, class_id, error.code, learner=learner, reason=reason, lift=lift
        )
    return see_other(f"/console/classes/{class_id}/holds")
