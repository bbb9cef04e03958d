"""Remote inspection of a class: who is on line, a draw that can be done again, what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from app.console import forms, labels
from app.console.acts_page import FilledIn
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, render, see_other
from app.domain.accounts.users import Login
from app.domain.review import inspections, spot_checks
from app.domain.review.inspections import Noted
from app.errors import BadInput, NotFound
from app.store.catalogue import class_file, films
from app.store.review import inspections as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

NOTE_FIELDS: Mapping[str, str] = {
    "place": N_("地点（不填为远程）"),
    "teachers_present": N_("到岗教师人数"),
    "heads_present": N_("实到学员人数"),
    "materials": N_("培训资料留存情况"),
}


@router.get("/classes/{class_id}/inspections")
def of_class(request: Request, login: SignedIn, class_id: RowId, refused: str = "") -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        inspections.may_read(login.user)
        online = inspections.online(connection, class_id, services.clock())
        made = [
            it
            for it in store.of_class(connection, class_id)
            if it.frame_kind != inspections.RECORDINGS
        ]
        members = store.members(connection, class_id)
        asked = spot_checks.lately(connection, login.user, services.clock(), class_id)
    return render(
        request,
        "inspections.html",
        login=login,
        klass=klass,
        online=online,
        made=made,
        members=members,
        frames={it: labels.INSPECTION_FRAMES[it] for it in ("online", "roster")},
        most=inspections.MOST,
        asked=asked,
        refused=refused,
    )


@router.post("/classes/{class_id}/inspections", dependencies=[FormOfThisLogin])
def draw(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    frame: Annotated[str, Form()] = "",
    count: Annotated[int, Form()] = 0,
) -> Response:
    services = request.app.state.services
    with services.database.write() as connection:
        made = inspections.draw(connection, class_id, login.user, frame, count, services.clock())
    return see_other(f"/console/inspections/{made}")


@router.get("/inspections/{inspection_id}")
def inspection(
    request: Request, login: SignedIn, inspection_id: RowId, refused: str = ""
) -> Response:
    return _inspection(request, login, inspection_id, refused=refused)


def _inspection(
    request: Request,
    login: Login,
    inspection_id: int,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
    refused: str = "",
    errors: forms.Errors | None = None,
) -> Response:
    services = request.app.state.services
    now_ms = services.clock()
    with services.database.read() as connection:
        row = inspections.seen(connection, inspection_id, login.user)
        members = store.members(connection, row.class_id)
        checks = store.checks(connection, inspection_id)
        notes = store.notes_of_class(connection, row.class_id)
        held = {it.item: it for it in films.of_class(connection, row.class_id)}
        online = {it.learner: it for it in inspections.online(connection, row.class_id, now_ms)}
        asked = spot_checks.lately(
            connection,
            login.user,
            now_ms,
            row.class_id,
            max(now_ms - row.drawn_ms, spot_checks.SHOWN_MS),
        )
    return render(
        request,
        "inspection.html",
        login=login,
        row=row,
        members=members,
        checks=checks,
        latest={it.learner: it for it in checks},
        online=online,
        asked={it.row.learner: it for it in reversed(asked)},
        refused=refused,
        films=held,
        results={
            it: labels.INSPECTION_RESULTS[it] for it in inspections.results_of(row.frame_kind)
        },
        noted=notes.get(inspection_id),
        note_fields=NOTE_FIELDS,
        typed=typed or {},
        problem=problem,
        errors=errors or {},
        status=422 if problem or errors else 200,
    )


@router.post("/inspections/{inspection_id}/checks", dependencies=[FormOfThisLogin])
def check(request: Request, login: SignedIn, inspection_id: RowId, form: FilledIn) -> Response:
    """Record what was found of everybody it was said of, and of the class: `result-1`, `remark-1`
    are those of the first who was drawn."""
    services = request.app.state.services
    try:
        noted = forms.read(Noted, form)
        with services.database.write() as connection:
            inspections.record(connection, inspection_id, login.user, form, noted, services.clock())
    except ValidationError as error:
        return _inspection(request, login, inspection_id, form, errors=forms.errors(error))
    except BadInput as error:
        if error.code == "too_many_heads":
            told: forms.Errors = {"heads_present": labels.PROBLEMS[error.code]}
            return _inspection(request, login, inspection_id, form, errors=told)
        problem = labels.PROBLEMS.get(error.code, labels.PROBLEMS["bad_result"])
        return _inspection(request, login, inspection_id, form, problem)
    return see_other(f"/console/inspections/{inspection_id}")
