"""A class opened and changed in a form, by the terms of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.datastructures import FormData

from app.clock import day
from app.console import consequences, forms, labels, weighty
from app.console.forms import Errors, Typed
from app.console.login import FormOfThisLogin, require_role
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain import credit_codes
from app.domain.accounts.users import SETS_UP, Login
from app.domain.catalogue import class_setups, classes
from app.domain.catalogue.classes import Applicant, ClassTerms, PlannedAssessment
from app.domain.catalogue.institutions import Reasoned
from app.domain.policy import packs
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotFound
from app.store.catalogue import catalogue, class_file
from app.store.catalogue import class_setups as setup_store
from app.store.catalogue import institutions as institution_store
from app.store.catalogue.class_setups import SetupRow
from detectors.occupations import Occupations
from detectors.qualifications import LEVELS, Certificate, certificate_of, level_of

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Setter = Annotated[Login, Depends(require_role(*SETS_UP))]
TEACHERS = 6  # rows of the form at least, two of them empty
_OTHER = "other"
_NOT_IN_ADDRESSES = re.compile(r"[\s/\\?#%]")
_TEACHER = ("teacher", "full_time", "certificate")
_PARTS: Mapping[str, tuple[str, ...]] = {
    "applicant": ("type", "name", "uscc"),
    "assessment": ("planned_on", "applied_on", "mode"),
}
_OF_PARTS = {"applicant": Applicant, "assessment": PlannedAssessment}


async def filled_in(request: Request) -> FormData:
    return await request.form()


FilledIn = Annotated[FormData, Depends(filled_in)]


@router.get("/classes/new")
def new(request: Request, login: Setter, platform: str = "", setup: str = "") -> Response:
    services = request.app.state.services
    typed: dict[str, Any] = {"platform": platform, "setup": setup}
    typed |= {"mode": "online", "course_ids": []}
    with services.database.read() as connection:
        begun = _setup(connection, login, typed)
        if begun is not None:
            typed |= _begun(connection, begun)
        offered = setup_store.offered_platforms(connection, login.user.scope)
    if not typed["platform"] and len(offered) == 1:
        typed["platform"] = offered[0].slug
    today = day(services.clock())
    typed |= {"class_id": f"{today:%Y%m%d}-{services.clock() % 10_000:04}"}
    typed |= {"policy_id": services.settings.default_pack, "controls": "service"}
    return _page(request, login, typed)


def _begun(connection: Connection, begun: SetupRow) -> dict[str, Any]:
    """What the wizard knows already."""
    rows = catalogue.listed_courses(connection, [begun.platform_id or -1])
    chosen = [it.external_id for it in rows if it.id == begun.course_id]
    known = {"platform": begun.platform or "", "institution": begun.institution}
    return {**known, "course_ids": chosen}


@router.get("/classes/{class_id}/terms")
def edit(request: Request, login: Setter, class_id: RowId, setup: str = "") -> Response:
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
    typed = _flat(klass.terms) | {
        "platform": klass.platform,
        "class_id": klass.external_id,
        "setup": setup,
    }
    return _page(request, login, typed, class_row=class_id)


@router.post("/classes", dependencies=[FormOfThisLogin])
def open_one(request: Request, login: Setter, form: FilledIn) -> Response:
    return _save(request, login, form, None)


@router.post("/classes/{class_id}/terms", dependencies=[FormOfThisLogin])
def change(request: Request, login: Setter, class_id: RowId, form: FilledIn) -> Response:
    """Without a reason: what the terms, as typed, will do."""
    typed = _typed(form)
    if typed.pop("again", ""):
        return _page(request, login, typed, class_row=class_id)
    problem = weighty.problem_of(typed["reason"]) if "reason" in typed else ""
    if "reason" not in typed or problem:
        try:
            return _weigh(request, login, typed, class_id, problem)
        except (ValidationError, BadInput, Conflict) as error:
            return _page(request, login, typed, _errors(error, typed), class_id)
    return _save(request, login, form, class_id)


def _weigh(
    request: Request, login: Login, typed: dict[str, Any], class_row: int, problem: str = ""
) -> Response:
    """Raises ValidationError, BadInput, Conflict as saving would."""
    services, reason = request.app.state.services, str(typed.pop("reason", ""))
    with services.database.read() as connection:
        klass = _found(connection, login, class_row)
        terms = _terms(typed, _kept(klass), login, connection)
        _check_courses(connection, login, klass.platform_id, terms)
        row = catalogue.class_by_id(connection, class_row)
        changed = classes.changes(
            connection,
            row,
            terms,
            default_pack=services.settings.default_pack,
            institution_id=login.user.institution_id,
        )
        studied = catalogue.has_sessions(connection, class_row)
        if not changed and studied:
            return see_other(f"/console/classes/{class_row}")
        typed.pop("csrf", None)
        deed = consequences.terms(connection, klass, changed, typed, language_of(request))
    return weighty.page(request, login, deed, reason, problem)


def _kept(klass: Any) -> dict[str, Any]:
    return {it: klass.terms.get(it) for it in ClassTerms.model_fields} if klass else {}


def _save(request: Request, login: Login, form: FormData, class_row: int | None) -> Response:
    """Open the class, or change the one of that row; what its terms say beyond the form stays."""
    services, typed = request.app.state.services, _typed(form)
    try:
        with services.database.write() as connection:
            klass = _found(connection, login, class_row)
            reason = forms.read(Reasoned, typed).reason if klass else ""
            terms = _terms(typed, _kept(klass), login, connection)
            setup = _setup(connection, login, typed)
            opened = _open(connection, request, login, typed, klass, terms, reason)
            if setup is not None and klass is None:
                class_setups.choose_class(connection, setup, opened)
    except (ValidationError, BadInput, Conflict) as error:
        return _page(request, login, typed, _errors(error, typed), class_row)
    return see_other(f"/console/setups/{setup.id}" if setup else f"/console/classes/{opened}")


def _errors(error: ValidationError | BadInput | Conflict, typed: Mapping[str, Any]) -> Errors:
    """Beside the fields that are wrong: an occupation outside the catalogue has its own."""
    found = forms.errors(error, tuple(_PARTS))
    if typed.get("occupation") == _OTHER and "occupation" in found:
        found["occupation_other"] = found.pop("occupation")
    return found


def _found(connection: Connection, login: Login, class_row: int | None) -> Any:
    if class_row is None:
        return None
    klass = class_file.klass(connection, class_row, login.user.scope)
    if klass is None:
        raise NotFound("unknown_class", "there is no such class")
    return klass


def _open(
    connection: Connection,
    request: Request,
    login: Login,
    typed: Mapping[str, Any],
    klass: Any,
    terms: ClassTerms,
    reason: str,
) -> int:
    """The row of the class, opened or changed."""
    services, user, name = request.app.state.services, login.user, str(typed.get("class_id", ""))
    if klass is not None:
        platform_id, name = klass.platform_id, klass.external_id
    else:
        platform_id = class_setups.offered(connection, user.scope, typed.get("platform", "")).id
        if not 0 < len(name.strip()) <= 128:
            raise BadInput("bad_class_id", "class_id: 1 to 128", field="class_id")
        if _NOT_IN_ADDRESSES.search(name.strip()):
            raise BadInput("class_id_characters", "class_id: no such characters", field="class_id")
        if catalogue.class_of_platform(connection, platform_id, name.strip()) is not None:
            raise Conflict("class_taken", "class_id: there is such a class", field="class_id")
    _check_courses(connection, login, platform_id, terms)
    classes.open_class(
        connection,
        platform_id,
        name.strip(),
        terms,
        default_pack=services.settings.default_pack,
        actor=user.actor,
        now_ms=services.clock(),
        institution_id=user.institution_id,
        reason=reason,
    )
    return classes.class_of(connection, platform_id, name.strip()).id


def _check_courses(
    connection: Connection, login: Login, platform_id: int, terms: ClassTerms
) -> None:
    """Raises BadInput for a course that is not offered to this person."""
    rows = class_setups.courses_offered(connection, login.user.scope, [platform_id])
    if not {*terms.course_ids} <= {it.external_id for it in rows}:
        raise BadInput("unknown_course", "course_ids: choose of the list", field="course_ids")


def _typed(form: FormData) -> dict[str, Any]:
    """The form's fields as text; of `course_ids` all that were ticked."""
    typed: dict[str, Any] = {name: it for name, it in form.items() if isinstance(it, str)}
    ticked = [str(it) for it in form.getlist("course_ids")]
    return {"platform": "", **typed, "course_ids": ticked}


def _terms(
    typed: Mapping[str, Any], kept: Mapping[str, Any], login: Login, connection: Connection
) -> ClassTerms:
    said = {name: it for name, it in typed.items() if isinstance(it, str)}
    if said.get("occupation") == _OTHER:
        said["occupation"] = said.get("occupation_other", "")
    more: dict[str, Any] = {"course_ids": typed["course_ids"], "teachers": _teachers(said)}
    for name, fields in _PARTS.items():
        part = {it: said.get(f"{name}.{it}", "").strip() for it in fields}
        filled = {it: value for it, value in part.items() if value}
        more[name] = filled or None
    if login.user.institution_id is not None:
        own = institution_store.institution(connection, login.user.scope, login.user.institution_id)
        more["institution"] = own.name if own else ""
    beyond = {name: it for name, it in kept.items() if name not in said and it is not None}
    return forms.read(ClassTerms, said, beyond | more)


def _teachers(said: Typed) -> Any:
    """The rows of the form; None where nobody is named, which may be a number that was told."""
    found = []
    for number in range(1000):
        if f"teacher.{number}" not in said:
            break
        name = said[f"teacher.{number}"].strip()
        if name:
            found.append(
                {
                    "name": name,
                    "full_time": said.get(f"full_time.{number}") == forms.YES,
                    "certificate": said.get(f"certificate.{number}", "").strip() or None,
                }
            )
    if found:
        return found
    return whole(said.get("teacher_count", ""))


def _flat(terms: Mapping[str, Any]) -> dict[str, Any]:
    """A class's terms as the form's fields."""
    typed: dict[str, Any] = {
        name: "" if it is None else str(it)
        for name, it in terms.items()
        if not isinstance(it, dict | list)
    }
    for name, fields in _PARTS.items():
        part = terms.get(name) or {}
        typed |= {f"{name}.{it}": part.get(it) or "" for it in fields}
    details = terms.get("teacher_details") or [
        {"name": it} for it in terms.get("teacher_names", [])
    ]
    for number, it in enumerate(details):
        typed[f"teacher.{number}"] = it["name"]
        typed[f"full_time.{number}"] = forms.YES if it.get("full_time") else ""
        typed[f"certificate.{number}"] = it.get("certificate") or ""
    if not details and terms.get("teachers") is not None:
        typed["teacher_count"] = str(terms["teachers"])
    level, certificate = terms.get("level"), terms.get("certificate_type")
    typed["level"] = (LEVELS[known][0] if (known := level_of(level or "")) else level) or ""
    typed["certificate_type"] = str(certificate_of(certificate or "") or certificate or "")
    return typed | {"course_ids": list(terms.get("course_ids", []))}


def _setup(connection: Connection, login: Login, typed: Mapping[str, Any]) -> SetupRow | None:
    number = whole(str(typed.get("setup", "")))
    return None if number is None else class_setups.setup_seen(connection, login.user.scope, number)


def _page(
    request: Request,
    login: Login,
    typed: dict[str, Any],
    errors: Errors | None = None,
    class_row: int | None = None,
) -> Response:
    services, scope = request.app.state.services, login.user.scope
    with services.database.read() as connection:
        offered = setup_store.offered_platforms(connection, scope)
        setup = _setup(connection, login, typed)
        klass = _found(connection, login, class_row)
        platform_ids = [klass.platform_id] if klass else [it.id for it in offered]
        platform_ids = [it.id for it in offered if it.slug == typed["platform"]] or platform_ids
        course_rows = class_setups.courses_offered(connection, scope, platform_ids)
        listed = institution_store.listed(connection, scope)
        studied = klass is not None and catalogue.has_sessions(connection, klass.id)
    lang = language_of(request)
    pack = packs.found(str(typed.get("policy_id") or "")) or packs.load(
        services.settings.default_pack
    )
    occupations = _occupations(pack.occupations)
    names = {name for _, row in occupations for name in row}
    if typed.get("occupation") and typed["occupation"] not in (*names, _OTHER):
        typed |= {"occupation_other": typed["occupation"], "occupation": _OTHER}
    return render(
        request,
        "class_terms.html",
        login=login,
        klass=klass,
        setup=setup,
        studied=studied,
        frozen=classes.FROZEN if studied else (),
        platforms=[(it.slug, it.name) for it in offered],
        courses=[it for it in course_rows if it.platform == typed["platform"] or klass],
        institutions=[it.name for it in listed],
        occupations=occupations,
        levels=[(words[0], f"{words[0]}/{words[4]}") for words in _levels()],
        certificates=[str(it) for it in Certificate],
        packs=_packs(lang.code),
        teachers=range(max(TEACHERS, 2 + sum(_named(typed)))),
        typed=typed,
        doubtful=credit_codes.doubtful,
        errors=errors or {},
        modes=[(code, lang.say(word)) for code, word in labels.MODES.items()],
        kinds=[(code, lang.say(word)) for code, word in labels.TRAINING_KINDS.items()],
        applicants=[(code, lang.say(word)) for code, word in labels.APPLICANTS.items()],
        status=422 if errors else 200,
    )


def _occupations(catalogue: Occupations) -> list[tuple[str, list[str]]]:
    """What each row of the catalogue names that none before it does, under the row's title."""
    seen: set[str] = set()
    rows = []
    for row in catalogue.rows:
        names = [name for name in row.names if name not in seen]
        seen |= set(names)
        rows.append((row.title, names))
    return rows


def _named(typed: Mapping[str, Any]) -> list[bool]:
    """Which teacher fields say something."""
    return [bool(it) for name, it in typed.items() if name.startswith("teacher.")]


def _levels() -> Sequence[tuple[str, ...]]:
    """The usual names of each level, the lowest first."""
    return [(*words[:4], words[4] if len(words) > 4 else words[3]) for words in LEVELS.values()]


def _packs(code: str) -> list[tuple[str, str]]:
    """The packs on the shelf, each in its latest version, with the days that its text is in
    force."""
    found = []
    for it in packs.available():
        if it.latest:
            own = packs.load(it.id).instrument
            first, last = own.effective_from or "…", own.effective_to or "…"
            found.append((it.id, f"{it.title.in_(code)}（{own.number}，{first} – {last}）"))
    return found
