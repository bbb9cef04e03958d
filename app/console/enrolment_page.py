"""Enrolled photos: who of a class has too few, and handing in more for a learner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.datastructures import FormData

from app.clock import day
from app.console import forms, labels
from app.console.labels import Label
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn, require_role
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import HANDS_IN, Login
from app.domain.catalogue import consents
from app.domain.catalogue.consents import SignedConsent
from app.domain.faces import enrolling, enrolment_photos
from app.domain.faces.enrolment_photos import EnrolledPhoto
from app.domain.wire import whole
from app.errors import BadInput, NotAllowed, NotFound, ZhenxueError
from app.store.catalogue import class_file, class_setups
from app.store.catalogue.class_file import ClassCase
from app.store.faces import reference_photos

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Clerk = Annotated[Login, Depends(require_role(*HANDS_IN))]


async def sheet(request: Request) -> FormData:
    return await request.form()


Sheet = Annotated[FormData, Depends(sheet)]

STEPS = {
    "straight": N_("正面"),
    "left": N_("向左"),
    "right": N_("向右"),
    "nearer": N_("靠近"),
    "other_light": N_("换光线"),
}
_TAKEN = Label(N_("已登记"), "clear")
_REFUSED = Label(N_("未登记"), "violation")


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file, and what can be done about it."""

    name: str
    word: Label
    told: str


@router.get("/classes/{class_id}/enrolments")
def of_class(request: Request, login: SignedIn, class_id: RowId, consented: int = 0) -> Response:
    """Learners of whom no consent is recorded, and those with fewer photos than are wanted;
    `consented`: of how many consent was recorded a moment ago."""
    return _of_class(request, login, class_id, {}, {}, consented=consented)


@router.post("/classes/{class_id}/consents", dependencies=[FormOfThisLogin])
def consent(request: Request, login: Clerk, class_id: RowId, form: Sheet) -> Response:
    """Record who signed that faces may be processed."""
    services = request.app.state.services
    chosen = {it for it in map(whole, map(str, form.getlist("learners"))) if it is not None}
    typed = {name: it for name, it in form.items() if isinstance(it, str)}
    try:
        said = forms.read(SignedConsent, typed)
        with services.database.write() as connection:
            _class(connection, login, class_id)
            by: dict[str, Any] = {"actor": login.user.actor, "now_ms": services.clock()}
            consents.record(connection, class_id, chosen, said, **by)
    except (ValidationError, BadInput) as error:
        return _of_class(request, login, class_id, typed, forms.errors(error), chosen)
    return see_other(f"/console/classes/{class_id}/enrolments?consented={len(chosen)}")


def _of_class(
    request: Request,
    login: Login,
    class_id: int,
    typed: forms.Typed,
    errors: forms.Errors,
    chosen: Collection[int] = (),
    consented: int = 0,
) -> Response:
    services = request.app.state.services
    with services.database.read() as connection:
        klass = _class(connection, login, class_id)
        counts = reference_photos.counts(connection, class_id)
        roster = class_file.roster(connection, class_id)
        setup = class_setups.of_class(connection, login.user.scope, class_id)
    few = [
        (it, counts[it.id])
        for it in roster
        if counts.get(it.id, enrolment_photos.WANTED) < enrolment_photos.WANTED
    ]
    return render(
        request,
        "enrolments.html",
        login=login,
        klass=klass,
        setup=setup,
        few=few,
        nobody=not any(it.face_consent for it in roster),
        silent=[it for it in roster if not it.face_consent and not it.ended_by],
        typed={"signed_on": day(services.clock()).isoformat()} | dict(typed),
        errors=errors,
        chosen=chosen,
        consented=consented,
        wanted=enrolment_photos.WANTED,
        status=422 if errors else 200,
    )


def _class(connection: Connection, login: Login, class_id: int) -> ClassCase:
    klass = class_file.klass(connection, class_id, login.user.scope)
    if klass is None:
        raise NotFound("unknown_class", "there is no such class")
    return klass


@router.get("/classes/{class_id}/learners/{learner_id}/enrolment")
def of_learner(request: Request, login: SignedIn, class_id: RowId, learner_id: RowId) -> Response:
    return _page(request, login, class_id, learner_id)


@router.post("/classes/{class_id}/learners/{learner_id}/enrolment", dependencies=[FormOfThisLogin])
def hand_in(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    learner_id: RowId,
    files: Annotated[list[UploadFile] | None, File()] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Enrol photos for a learner; the page tells of each file what became of it."""
    if not login.user.hands_in:
        raise NotAllowed("role", "only auditors, reviewers and the school hand photos in")
    services, lang = request.app.state.services, language_of(request)
    with services.database.read() as connection:
        _, person = _found(connection, login, class_id, learner_id)
    chosen = [it for it in files or () if it.filename]
    if not chosen or len(chosen) > enrolling.MOST_AT_ONCE:
        return _page(request, login, class_id, learner_id, problem="files_missing", reason=reason)
    try:
        results = services.enrolments.hand_in_for(
            person, [it.file.read() for it in chosen], actor=login.user.actor, reason=reason
        )
    except BadInput as error:
        return _page(request, login, class_id, learner_id, problem=error.code, reason=reason)
    told = [
        _result(str(file.filename), result, lang)
        for file, result in zip(chosen, results, strict=True)
    ]
    return _page(request, login, class_id, learner_id, results=told)


def _page(
    request: Request,
    login: Login,
    class_id: int,
    learner_id: int,
    *,
    results: list[FileResult] | None = None,
    problem: str = "",
    reason: str = "",
) -> Response:
    with request.app.state.services.database.read() as connection:
        klass, person = _found(connection, login, class_id, learner_id)
        told = enrolling.progress(connection, learner_id)
    return render(
        request,
        "enrolment.html",
        login=login,
        status=422 if problem else 200,
        klass=klass,
        person=person,
        told=told,
        steps=[(STEPS[it.step], it.enrolled) for it in told.steps],
        most=enrolling.MOST_AT_ONCE,
        results=results or [],
        problem=labels.PROBLEMS[problem] if problem else "",
        reason=reason,
    )


def _found(connection: Connection, login: Login, class_id: int, learner_id: int) -> tuple[Any, Any]:
    klass = class_file.klass(connection, class_id, login.user.scope)
    roster = class_file.roster(connection, class_id, learner_id) if klass else []
    if not roster:
        raise NotFound("unknown_learner", "there is no such learner in the class")
    return klass, roster[0]


def _result(name: str, result: EnrolledPhoto | ZhenxueError, lang: Language) -> FileResult:
    if isinstance(result, EnrolledPhoto):
        unlike = result.quality.agrees_with_enrolled == "mismatch"
        return FileResult(name, _TAKEN, (unlike and result.advice) or "")
    reasons = result.extra.get("reasons") or [result.extra.get("reason") or {}]
    told = "".join(it.get(lang.code, "") for it in reasons)
    known = labels.PROBLEMS.get(result.code, labels.PROBLEMS["photo_not_taken"])
    return FileResult(name, _REFUSED, told or lang.say(known))
