"""What people recorded on a class, and the forms to record, approve and revoke it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from app.console import consequences, labels, weighty
from app.console.actors import named
from app.console.checks_left import OF_CLASS, OF_LEARNER, CheckLeft, checks_left, title_of
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain import id_numbers
from app.domain.accounts.users import Login
from app.domain.policy import packs
from app.domain.policy.pack import Pack
from app.domain.review import acts, enrolment_acts
from app.domain.review.act_kinds import KINDS, ActKind, Stretch
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.languages import Text, told_in_both
from app.reports.sheet import text
from app.store.catalogue import catalogue, class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.review import acts as store

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

# What a field of an act's body is called in its form.
FIELDS: Mapping[str, str] = {
    "answer_window_s": N_("应答时限（秒，60至600）"),
    "class_hours": N_("课时序号（用逗号分开）"),
    "checked_on": N_("核验日期"),
    "checked_by": N_("核验人"),
    "lesson_id": N_("课程小节"),
    "media_seconds": N_("实际时长（秒）"),
    "skipped": N_("片中没有的段落（起-止，如 20:00-22:00 或 1200-1320，用逗号分开，可不填）"),
    "examined": N_("核查了什么"),
    "ends_on": N_("推迟后的结束日期"),
    "formerly": N_("原结束日期（可不填）"),
    "from_on": N_("请假起"),
    "to_on": N_("请假止"),
    "name": N_("姓名"),
    "id_type": N_("证件类型（可不填）"),
    "id_number": N_("证件号码"),
    "former_name": N_("原姓名"),
    "former_id_number": N_("原证件号码"),
    "check": N_("检查项"),
    "decision": N_("决定"),
    "found": N_("认定时的实有情况"),
    "least_hours": N_("规定的学时"),
    "last_on": N_("在班最后一天"),
    "first_on": N_("在班第一天"),
    "to_class": N_("转入班级编号（同一课程）"),
}
# The same where they are told, without what helps to fill them in.
_TOLD: Mapping[str, str] = {
    "answer_window_s": N_("应答时限（秒）"),
    "class_hours": N_("课时序号"),
    "skipped": N_("片中没有的段落（秒）"),
    "formerly": N_("原结束日期"),
    "id_type": N_("证件类型"),
    "to_class": N_("转入班级"),
}
_OF_A_MOVE = {"last_on": N_("在原班最后一天"), "first_on": N_("在新班第一天")}
DECISIONS: Mapping[str, str] = {"allowed": N_("准予"), "refused": N_("不予")}
# How kinds of documents are called; the codes are those of rosters.
ID_TYPES: Mapping[str, str] = {
    "resident_id": N_("居民身份证"),
    "passport": N_("护照"),
    "hk_macao_permit": N_("港澳居民来往内地通行证"),
    "taiwan_permit": N_("台湾居民来往大陆通行证"),
    "residence_permit": N_("港澳台居民居住证"),
    "permanent_residence": N_("外国人永久居留身份证"),
}
_FORM = {
    "kind": N_("事项"),
    "reason": N_("理由"),
    "learner_id": N_("学员"),
    "document": N_("依据文件"),
}
_INPUTS = {"int": "number", "float": "number", "date": "date"}


@router.get("/classes/{class_id}/acts")
def of_class(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    kind: str = "",
    learner: str = "",
    check: str = "",
    person: str = "",
    class_hours: str = "",
) -> Response:
    """The page; a link from a check that is left to the authority, or from a face that could not be
    compared, opens the form for it."""
    asked = {"kind": kind, "learner": learner, "check": check}
    asked |= {"person": person, "class_hours": class_hours[:80]}
    return _page(request, login, class_id, typed=asked if kind else None)


def _page(
    request: Request,
    login: SignedIn,
    class_id: int,
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
    *,
    why: Text | None = None,
) -> Response:
    """The page; `wrong` is the field on account of which nothing was recorded of what was typed,
    which stays in its form, and `why` tells what is wrong with it."""
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        rows = store.of_class(connection, class_id)
        roster = class_file.roster(connection, class_id)
        targets = enrolment_acts.targets(connection, catalogue.class_by_id(connection, class_id))
        lessons, pack = _lessons(connection, class_id), _pack_of(klass)
        actors = [it for row in rows for it in (row.recorded_by, row.approved_by, row.revoked_by)]
        left = checks_left(connection, class_id, roster)
        name = named(connection, language_of(request), [it for it in actors if it], login.user)
    return render(
        request,
        "acts.html",
        login=login,
        klass=klass,
        rows=[(row, KINDS[row.kind], labels.ACT_STATES[acts.state_of(row)]) for row in rows],
        roster=roster,
        left=left,
        decided=_decided(rows),
        name=name,
        kinds=[
            (kind, inputs(kind))
            for kind in KINDS.values()
            if acts.records(login.user, kind)
            and (kind.name not in (OF_CLASS, OF_LEARNER) or any(it.act == kind.name for it in left))
        ],
        fields=FIELDS,
        choices=_choices(left, lessons, targets),
        told=lambda body: told(body, lessons, pack, language_of(request)),
        typed=typed or {},
        wrong=FIELDS.get(wrong, wrong),
        why=why,
        status=422 if wrong else 200,
    )


def _choices(
    left: Sequence[CheckLeft], lessons: Mapping[str, str], targets: Sequence[ClassRow]
) -> dict[str, list[tuple[str, Any]]]:
    """What may be chosen in a field of a form: code and title."""
    return {
        "check": list({it.check: it.title for it in left}.items()),
        "decision": list(DECISIONS.items()),
        "lesson_id": list(lessons.items()),
        "to_class": [(it.external_id, _class_title(it)) for it in targets],
        "id_type": [(it, ID_TYPES[it]) for it in id_numbers.ID_TYPES],
    }


def _class_title(row: ClassRow) -> str:
    return (
        f"{row.external_id} · {row.terms.get('occupation') or ''} · {row.starts_on} – {row.ends_on}"
    )


def _lessons(connection: Connection, class_id: int) -> dict[str, str]:
    """Titles of the class's lessons by the platform's id."""
    return {it.external_id: it.title for it in class_file.lessons(connection, class_id)}


def _pack_of(klass: class_file.ClassCase | None) -> Pack | None:
    return packs.found(klass.pack_id, klass.pack_version) if klass else None


def told(
    body: Mapping[str, Any], lessons: Mapping[str, str], pack: Pack | None, lang: Language
) -> list[str]:
    """What an act says beside its reason, field by field."""
    known = {"decision": DECISIONS, "id_type": ID_TYPES, "lesson_id": lessons}

    def value(field: str, said: Any) -> str:
        if field == "check":
            return lang.of(title_of(said, pack))
        if isinstance(said, str):
            return lang.say(known[field][said]) if said in known.get(field, ()) else said
        if isinstance(said, list):
            spans = ("–".join(map(text, it)) if isinstance(it, list) else text(it) for it in said)
            return lang.say(N_("、")).join(spans)
        return text(said)

    names = {**FIELDS, **_TOLD, **(_OF_A_MOVE if "to_class" in body else {})}
    return [
        f"{lang.say(names[field])}：{value(field, said)}"
        for field, said in body.items()
        if field != "because"
    ]


def _decided(rows: Sequence[store.ActRow]) -> dict[tuple[str, str, str], str]:
    """How the acts on checks stand that are not revoked, by kind, learner and check."""
    return {
        (it.kind, it.learner or "", str(it.body.get("check"))): acts.state_of(it)
        for it in reversed(rows)
        if it.kind in (OF_CLASS, OF_LEARNER) and it.revoked_ms is None
    }


async def filled_in(request: Request) -> Mapping[str, str]:
    """The form's fields: which ones there are depends on the kind of act."""
    return {name: str(value) for name, value in (await request.form()).items()}


FilledIn = Annotated[Mapping[str, str], Depends(filled_in)]


@router.post("/classes/{class_id}/acts", dependencies=[FormOfThisLogin])
def record(request: Request, login: SignedIn, class_id: RowId, form: FilledIn) -> Response:
    try:
        _record(request, login, class_id, form)
    except (BadInput, Conflict) as error:
        field = error.detail.partition(":")[0].removeprefix("body.").partition("[")[0]
        if isinstance(error, Conflict) and field not in FIELDS:
            field = "learner_id"  # what is on record of the learner says otherwise
        why = told_in_both(error.detail)
        return _page(request, login, class_id, _FORM.get(field, field), form, why=why)
    return see_other(f"/console/classes/{class_id}/acts")


def _record(request: Request, login: SignedIn, class_id: int, form: Mapping[str, str]) -> None:
    services, kind = request.app.state.services, KINDS.get(form.get("kind", ""))
    with services.database.write() as connection:
        if class_file.klass(connection, class_id, login.user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
        if kind is None:
            raise BadInput("unknown_kind", "kind: choose what to record", field="kind")
        if kind.of_learner and not form.get("learner"):
            raise BadInput("missing_learner", "learner_id: choose whom it is about")
        acts.record(
            connection,
            catalogue.class_by_id(connection, class_id),
            kind=kind.name,
            learner=form.get("learner") or None,
            body=_body(kind, form),
            reason=form.get("reason", ""),
            document=form.get("document", ""),
            actor=login.user.actor,
            user=login.user,
            now_ms=services.clock(),
            vault=services.vault,
        )


@router.get("/classes/{class_id}/acts/{act_id}/approve")
def weigh_approval(request: Request, login: SignedIn, class_id: RowId, act_id: RowId) -> Response:
    return _weigh(request, login, class_id, act_id, approved=True)


@router.post("/classes/{class_id}/acts/{act_id}/approve", dependencies=[FormOfThisLogin])
def approve(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    act_id: RowId,
    reason: weighty.Reason = "",
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, class_id, act_id, reason, error.code, approved=True)
    with services.database.write() as connection:
        acts.approve(connection, act_id, login.user, services.clock(), why)
    return see_other(f"/console/classes/{class_id}/acts")


@router.get("/classes/{class_id}/acts/{act_id}/revoke")
def weigh_revocation(request: Request, login: SignedIn, class_id: RowId, act_id: RowId) -> Response:
    return _weigh(request, login, class_id, act_id, approved=False)


@router.post("/classes/{class_id}/acts/{act_id}/revoke", dependencies=[FormOfThisLogin])
def revoke(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    act_id: RowId,
    reason: weighty.Reason = "",
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, class_id, act_id, reason, error.code, approved=False)
    with services.database.write() as connection:
        acts.revoke(connection, act_id, login.user, why, services.clock())
    return see_other(f"/console/classes/{class_id}/acts")


def _weigh(
    request: Request,
    login: Login,
    class_id: int,
    act_id: int,
    reason: str = "",
    problem: str = "",
    *,
    approved: bool,
) -> Response:
    """What bringing an act into force, or ending it, will do."""
    with request.app.state.services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        found = store.of_class(connection, class_id) if klass else ()
        row = next((it for it in found if it.id == act_id), None)
        if row is None:
            raise NotFound("unknown_act", "there is no such act")
        own = login.user.hands_in and row.recorded_by == login.user.actor and not approved
        if not login.user.decides and not own:
            raise NotAllowed("role", "only auditors and reviewers do this")
        people = len(class_file.roster(connection, class_id))
        lang = language_of(request)
        said = told(row.body, _lessons(connection, class_id), _pack_of(klass), lang)
    deed = consequences.act(KINDS[row.kind], row, said, klass, people, lang, approved=approved)
    return weighty.page(request, login, deed, reason, problem)


def inputs(kind: ActKind) -> list[tuple[str, str, bool]]:
    """Name, input type and need of each field of a kind's body."""
    fields = kind.body.model_fields.items()
    return [(name, _input(it.annotation), it.is_required()) for name, it in fields]


def _input(annotation: Any) -> str:
    return _INPUTS.get(getattr(annotation, "__name__", ""), "text")


def _body(kind: ActKind, form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, in the types that the body has. What is no number stays as typed and is
    refused with the field's name."""
    fields = kind.body.model_fields
    return {name: _typed(it.annotation, form.get(name, "")) for name, it in fields.items()}


def _typed(annotation: Any, text: str) -> Any:
    said = text.strip()
    try:
        if annotation is int:
            return int(said) if len(said) < 19 else said
        if annotation is float:
            return float(said)
        if annotation == list[int]:
            return [int(it) if len(it) < 19 else it for it in _listed(said)]
        if annotation == list[Stretch]:
            return [[_seconds(it) for it in _DASH.split(span)] for span in _listed(said) if span]
    except ValueError:
        return said
    return said


_DASH = re.compile("[-–—~～至]+")


def _listed(said: str) -> list[str]:
    return [it.strip() for it in said.replace("，", ",").replace("、", ",").split(",")]


def _seconds(said: str) -> float:
    """Seconds of `1200`, `20:00` or `0:20:00`. Raises ValueError."""
    seconds = 0.0
    for part in said.replace("：", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
