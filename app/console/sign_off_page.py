"""Signing the lists of a class: who stands where, who is undecided, and two persons' forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from app.clock import day
from app.console import labels, mending
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import Login, User
from app.domain.judging import reasons, unsettled
from app.domain.judging.unsettled import Matter
from app.domain.policy.packs import rule_title
from app.domain.review import sign_off
from app.domain.review.sign_off import Submission
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.reports import exports, signed_lists
from app.reports.dossier import Dossier
from app.services import Services
from app.store.catalogue import catalogue, class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.review import sign_offs
from detectors.eligibility import Cure

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Text = Annotated[str, Form()]
LISTS = {"admitted": N_("准予"), "refused": N_("不接受"), "pending": N_("未审结")}
_DECIDE = N_("请审核员、复核员逐项决定")
_TODO: Mapping[str, str] = {
    "hours_not_studied": N_("在本班结束前学完"),
    "violation_in_review": _DECIDE,
    "finding_in_review": _DECIDE,
    "hours_in_review": _DECIDE,
    "violation_awaits_reviewers": N_("请两人复核"),
    "appeal_waiting": N_("请没有决定过的人答复申诉"),
    "class_pending": N_("先定班级事项，见“考核申请结论”"),
    "hours_not_proven": N_("学员补学，或当面核对后登记"),
    "hours_attested": N_("由主管部门登记认可"),
    "hours_platform_controls": N_("由主管部门登记认可"),
    "hours_made_up": N_("由主管部门登记同意补课"),
}
_TITLES: Mapping[str, str] = {
    "hours_not_studied": N_("课时没有学完"),
    "appeal_waiting": N_("申诉未答复：%(rule)s"),
    "finding_in_review": N_("%(rule)s（存疑）"),
    "class_pending": N_("班级本身还有事项未定"),
    "hours_not_proven": N_("课时未能证实"),
    "hours_in_review": N_("课时待人工审核"),
    "hours_attested": N_("学时只有平台日志佐证"),
    "hours_platform_controls": N_("管控由平台自行实施"),
    "hours_made_up": N_("违规课时补学待同意"),
}
_OF_PEOPLE = frozenset({"violation_in_review", "finding_in_review", "violation_awaits_reviewers"})


@dataclass(frozen=True, slots=True)
class MatterShown:
    """Why learners are undecided, what has to be done, and where."""

    title: str
    learners: int
    todo: str
    href: str
    until: str
    urgent: bool


def matters_shown(
    found: tuple[Matter, ...], class_id: int, pack: str, today: str, lang: Language, user: User
) -> list[MatterShown]:
    """What the class waits for, in words, and where this person goes for it."""
    shown = []
    for it in found:
        href, todo = _href(it, class_id), _TODO.get(it.code)
        way = None if todo else mending.way(it.reason, class_id, user)
        if way:
            href, todo = way
        shown.append(
            MatterShown(
                title=_title(it, pack, lang),
                learners=it.learners,
                todo=lang.say(todo or N_("补齐资料，或由主管部门决定")),
                href=href,
                until=it.until or "",
                urgent=bool(it.until and it.until < today),
            )
        )
    return shown


def _title(it: Matter, pack: str, lang: Language) -> str:
    if it.code in _TITLES:
        return lang.say(_TITLES[it.code], rule=rule_title(it.source, pack).in_(lang.code))
    if it.code in _OF_PEOPLE:
        return rule_title(it.source, pack).in_(lang.code)
    return reasons.reason_sentence(it.reason, pack).in_(lang.code)


def _href(it: Matter, class_id: int) -> str:
    if it.code in _OF_PEOPLE:
        return f"/console/findings?class={class_id}&rule={it.source}"
    if it.code == "hours_in_review":
        return f"/console/findings?class={class_id}"
    if it.code == "appeal_waiting":
        return f"/console/findings?class={class_id}&status=all&appeal=waiting"
    if it.code == "hours_not_proven" or it.reason.cure.how == Cure.AUTHORITY:
        return mending.act(it.code, class_id, it.source)
    return f"/console/classes/{class_id}#conclusion"


@router.get("/classes/{class_id}/sign-off")
def of_class(request: Request, login: SignedIn, class_id: RowId) -> Response:
    if login.user.decides:  # who signs decides by what holds now
        services = request.app.state.services
        exports.conclude(services, _decided_by(services, login, class_id))
    return _page(request, login, class_id)


@router.post("/classes/{class_id}/sign-off", dependencies=[FormOfThisLogin])
def submit(request: Request, login: SignedIn, class_id: RowId, reason: Text = "") -> Response:
    """Submit the lists as they stand for another person's signature."""
    services = request.app.state.services
    klass = _decided_by(services, login, class_id)
    exports.conclude(services, klass)
    now_ms = services.clock()
    try:
        with services.database.write() as connection:
            made = _submission(connection, klass, now_ms)
            sign_off.submit(connection, services.vault, class_id, login.user, made, reason, now_ms)
    except (BadInput, Conflict) as error:
        return _page(request, login, class_id, problem=labels.PROBLEMS[error.code], typed=reason)
    return see_other(f"/console/classes/{class_id}/sign-off")


@router.post("/classes/{class_id}/sign-off/sign", dependencies=[FormOfThisLogin])
def sign(request: Request, login: SignedIn, class_id: RowId, seen: Text = "") -> Response:
    """Sign the lists that were shown, whose digest is `seen`."""
    services = request.app.state.services
    klass = _decided_by(services, login, class_id)
    exports.conclude(services, klass)
    now_ms = services.clock()
    try:
        with services.database.write() as connection:
            digest = _submission(connection, klass, now_ms).digest
            sign_off.sign(connection, class_id, login.user, digest, now_ms, seen=seen)
    except Conflict as error:
        return _page(request, login, class_id, problem=labels.PROBLEMS[error.code])
    return see_other(f"/console/classes/{class_id}/sign-off")


@router.post("/classes/{class_id}/sign-off/withdraw", dependencies=[FormOfThisLogin])
def withdraw(
    request: Request, login: SignedIn, class_id: RowId, reason: Text = "", seen: Text = ""
) -> Response:
    """Send the lists back that were shown, whose digest is `seen`."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            sign_off.withdraw(connection, class_id, login.user, reason, now_ms, seen=seen)
    except (BadInput, Conflict) as error:
        return _page(
            request, login, class_id, problem=labels.PROBLEMS[error.code], sent_back=reason
        )
    return see_other(f"/console/classes/{class_id}/sign-off")


def _decided_by(services: Services, login: Login, class_id: int) -> ClassRow:
    """The class, for a person who decides in it. Raises NotAllowed, NotFound."""
    if not login.user.decides:
        raise NotAllowed("role", "only auditors and reviewers sign lists")
    with services.database.read() as connection:
        if class_file.klass(connection, class_id, login.user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
        return catalogue.class_by_id(connection, class_id)


def _submission(connection: Any, klass: ClassRow, now_ms: int) -> Submission:
    return signed_lists.submission(dossier_of(connection, klass, now_ms))


def dossier_of(connection: Any, klass: ClassRow, now_ms: int) -> Dossier:
    """What a class's lists are drawn up from, with names, as they stand today."""
    return Dossier(connection, klass, now_ms, named=True, on=day(now_ms))


def _page(
    request: Request,
    login: Login,
    class_id: int,
    *,
    problem: str = "",
    typed: str = "",
    sent_back: str = "",
) -> Response:
    services, lang = request.app.state.services, language_of(request)
    now_ms = services.clock()
    today = day(now_ms).isoformat()
    with services.database.read() as connection:
        shown = class_file.klass(connection, class_id, login.user.scope)
        if shown is None:
            raise NotFound("unknown_class", "there is no such class")
        pack = f"{shown.pack_id}@{shown.pack_version}"
        judged = bool(class_file.enrolment_outcomes(connection, class_id, pack))
        found = unsettled.of_class(connection, class_id, pack)
        rows = sign_offs.of_class(connection, class_id)
        klass = catalogue.class_by_id(connection, class_id)
        dossier = dossier_of(connection, klass, now_ms)
        drafts = signed_lists.drafts(dossier) if judged else {}
        last, waiting = sign_off.in_force(rows), sign_off.waiting(rows)
        before = signed_lists.signed(dossier, services.vault, last) if last else None
    changed = before is not None and bool(drafts) and signed_lists.differ(before, drafts)
    return render(
        request,
        "sign_off.html",
        login=login,
        status=422 if problem else 200,
        klass=shown,
        today=today,
        judged=judged,
        counts={name: len(drafts[name].rows) for name in LISTS} if judged else {},
        lists=LISTS,
        matters=matters_shown(found.matters, class_id, pack, today, lang, login.user),
        waiting=waiting,
        mine=waiting is not None and waiting.prepared_by == login.user.id,
        current=waiting is not None and waiting.digest == signed_lists.digest_of(drafts),
        last=last,
        number=sum(it.signed_ms is not None for it in rows),
        changed=changed,
        changes=signed_lists.changes(before, drafts) if changed and before else [],
        history=sign_off.history(rows, told_people=login.user.of_authority),
        states=labels.SIGN_OFFS,
        problem=problem,
        typed=typed,
        sent_back=sent_back,
    )
