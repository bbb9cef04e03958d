"""One case: what it holds, the one decision that settles it, and all that was done about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from sqlalchemy import Connection

from app.clock import day
from app.console import actors, labels, readable
from app.console.case_evidence import case_evidence
from app.console.case_lines import about, next_case, people_of
from app.console.few_photos import few_photos
from app.console.finding_view import (
    interval,
    limit_of,
    measured_of,
    photos_href,
    reasons_for,
    sentence_of,
)
from app.console.labels import Label
from app.console.language import N_, Language
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import Login, User
from app.domain.faces import face_confidence
from app.domain.faces.face_confidence import FACE_RULES
from app.domain.judging import rulings
from app.domain.review import case_desk, case_files, cases, material, review, review_queue
from app.domain.review.case_files import CaseFile
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotAllowed
from app.services import Services
from app.store.review import case_notes, reviews
from app.store.review import cases as store
from app.store.review import material as material_store
from app.store.review.cases import CaseFinding
from app.store.sittings import case_file

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

Text = Annotated[str, Form()]
Ids = Annotated[list[int], Form()]
SHOWN = 1_000  # findings that the page lists


@dataclass(frozen=True, slots=True)
class CaseFindingRow:
    """A finding in its case's table. `mine`: this person may decide it now."""

    id: int
    rule: str
    pack: str
    who: str
    klass: str
    when: str
    sentence: str
    outcome: Label
    status: Label
    mine: bool
    decided: bool


@dataclass(frozen=True, slots=True)
class CaseDeed:
    """Something that was done about a case. `file` leads to an attached one where it is opened."""

    at_ms: int
    who: str
    what: str
    words: str
    file: str = ""
    file_name: str = ""
    void: bool = False


@router.get("/cases/{case_id}")
def case(
    request: Request, login: SignedIn, case_id: RowId, queue: str = "", done: str = ""
) -> Response:
    return case_page(request, login, case_id, queue, done=done)


@router.post("/cases/{case_id}/decision", dependencies=[FormOfThisLogin])
def decide(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    decision: Text = "",
    reason: Text = "",
    without: Ids = [],  # noqa: B006
    seen: Text = "",
    queue: Text = "",
) -> Response:
    """Settle what waits in the case, but what was taken out."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            made = cases.decide(
                connection,
                case_id,
                login.user,
                decision,
                reason,
                without=without,
                seen=seen,
                now_ms=now_ms,
            )
            rulings.follow(connection, made.decided, now_ms)
    except (BadInput, Conflict) as error:
        typed = {"decision": decision, "reason": reason, "without": set(without)}
        problem = labels.PROBLEMS[error.code]
        if error.code == "case_changed" and not _is_later(services, login, case_id, seen):
            problem = labels.PROBLEMS["case_decided"]
        return case_page(request, login, case_id, queue, problem=problem, typed=typed)
    return see_other(case_path(case_id, queue, done=str(len(made.decided))))


def _is_later(services: Services, login: Login, case_id: int, seen: str) -> bool:
    with services.database.read() as connection:
        return cases.is_later(cases.undecided(connection, login.user, case_id).seen, seen)


@router.post("/cases/{case_id}/undo", dependencies=[FormOfThisLogin])
def undo(request: Request, login: SignedIn, case_id: RowId, queue: Text = "") -> Response:
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            concerned = cases.undo(connection, login.user, case_id, now_ms)
            rulings.follow(connection, concerned, now_ms)
    except Conflict as error:
        return case_page(request, login, case_id, queue, problem=labels.PROBLEMS[error.code])
    return see_other(case_path(case_id, queue, done="undone"))


@router.post("/cases/{case_id}/correction", dependencies=[FormOfThisLogin])
def correct(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    finding: Ids = [],  # noqa: B006
    reason: Text = "",
    queue: Text = "",
) -> Response:
    """Open what was decided again, with a reason."""
    services = request.app.state.services
    try:
        with services.database.write() as connection:
            now_ms = services.clock()
            opened = cases.correct(connection, login.user, case_id, finding, reason, now_ms)
            rulings.follow(connection, opened, now_ms)
    except BadInput as error:
        typed = {"correction": reason, "finding": set(finding)}
        return case_page(
            request, login, case_id, queue, problem=labels.PROBLEMS[error.code], typed=typed
        )
    return see_other(case_path(case_id, queue, done="corrected"))


@router.post("/cases/{case_id}/notes", dependencies=[FormOfThisLogin])
def write(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    comment: Text = "",
    file: Annotated[UploadFile | None, File()] = None,
    queue: Text = "",
) -> Response:
    """A comment, with a file if there is one."""
    services, user = request.app.state.services, login.user
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers work on cases")
    with services.database.read() as connection:
        cases.case_seen(connection, user.scope, case_id)
    try:
        kept, blob_key = taken(services, case_id, file)
        refusable = case_files.dropped_if_refused(services.blobs, [blob_key] if blob_key else [])
        with refusable, services.database.write() as connection:
            case_desk.comment(connection, user, case_id, comment, services.clock(), kept, blob_key)
    except BadInput as error:
        typed = {"comment": comment}
        return case_page(
            request, login, case_id, queue, problem=labels.PROBLEMS[error.code], typed=typed
        )
    return see_other(case_path(case_id, queue) + "#history")


def taken(
    services: Services, case_id: int, file: UploadFile | None
) -> tuple[CaseFile | None, str | None]:
    """A file that came with a form, checked and kept, and its key; neither where none came.
    Raises BadInput."""
    if file is None or not file.filename:
        return None, None
    data = file.file.read(case_files.MAX_PHOTO_BYTES + 1)
    kept = case_files.checked(file.filename, data, services.readers)
    return kept, case_files.put(services.vault, services.blobs, case_id, kept)


@router.get("/cases/{case_id}/files/{note_id}")
def attached(request: Request, login: SignedIn, case_id: RowId, note_id: RowId) -> Response:
    """An attached file, to be saved and never opened in the page."""
    services, user = request.app.state.services, login.user
    with services.database.write() as connection:
        note, blob_key = case_desk.file_opened(connection, user, case_id, note_id, services.clock())
    data = case_files.opened(services.vault, services.blobs, blob_key)
    name = urlencode({"": note.file_name})[1:].replace("+", "%20")
    return Response(
        data,
        media_type=note.media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.post("/cases/{case_id}/arrange", dependencies=[FormOfThisLogin])
def arrange(
    request: Request,
    login: SignedIn,
    case_id: RowId,
    act: Text = "",
    until: Text = "",
    due_on: Text = "",
    assignee: Text = "",
    queue: Text = "",
) -> Response:
    """Put the case off, set its day, or hand it over."""
    services, user = request.app.state.services, login.user
    now_ms = services.clock()
    try:
        with services.database.write() as connection:
            if act == "snooze":
                case_desk.snooze(connection, user, case_id, until, now_ms)
            elif act == "due":
                case_desk.set_due(connection, user, case_id, due_on, now_ms)
            else:
                case_desk.hand_over(connection, user, [case_id], whole(assignee), now_ms)
    except BadInput as error:
        return case_page(request, login, case_id, queue, problem=labels.PROBLEMS[error.code])
    return see_other(case_path(case_id, queue))


def case_path(case_id: int, queue: str, **more: str) -> str:
    kept = {name: value for name, value in {"queue": queue, **more}.items() if value}
    return f"/console/cases/{case_id}" + (f"?{urlencode(kept)}" if kept else "")


def case_page(
    request: Request,
    login: Login,
    case_id: int,
    queue: str,
    *,
    done: str = "",
    problem: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    services, lang = request.app.state.services, language_of(request)
    with services.database.read() as connection:
        told = _told(connection, login.user, case_id, queue, services.clock(), lang)
    blank = {"decision": "", "reason": "", "comment": "", "correction": ""}
    blank |= {"addressee": "", "wanted": "", "asked_until": ""}
    return render(
        request,
        "case.html",
        login=login,
        status=422 if problem else 200,
        **told,
        undo_minutes=cases.UNDO_MS // 60_000,
        kinds="、".join(case_files.TAKEN),
        queue=queue,
        done=done,
        problem=problem,
        typed={**blank, "without": set(), "finding": set(), **(typed or {})},
    )


def _told(
    connection: Connection, user: User, case_id: int, queue: str, now_ms: int, lang: Language
) -> dict[str, Any]:
    """What the page says of the case as it stands now, for this person."""
    row = cases.case_seen(connection, user.scope, case_id)
    found = store.findings_of(connection, user.scope, case_id, most=SHOWN)
    waiting = cases.undecided(connection, user, case_id)
    mine = {it.id for it in waiting.mine}
    lead = _first(found, mine)
    (first,) = store.shown_by(connection, [lead.id])
    stake = store.stakes(connection, user.scope, [case_id])[case_id]
    counties = store.counties(connection, user.scope, case_id)
    colleagues = review_queue.colleagues(connection, user) if user.decides else []
    undoable = cases.undoable(connection, user, case_id, now_ms) if user.decides else []
    table = [_row(it, mine, lang) for it in found]
    evidence = case_evidence(connection, user, lead, found, lang)
    enrolled = face_confidence.of_findings(connection, [(first.rule, first.learner_id)])
    faces = _faces(connection, user, lead, mine)
    today = day(now_ms).isoformat()
    return {
        "case": row,
        "first": first,
        "about": about(row.kind, first, lang),
        "sentence": sentence_of(first.body, lang),
        "faces": faces,
        "photos": "" if faces else _photos(connection, user, lead),
        "few_photos": few_photos(enrolled, first.learner_id, lang, first.rule),
        "outcome": labels.found(first.outcome, first.status),
        "clause": first.body.clause.quote,
        "instrument": readable.cited(first.body.clause),
        "numbers": _numbers(lead, len(found), lang),
        "table": sorted(table, key=lambda it: (it.id != lead.id, not it.mine, it.decided)),
        **evidence,
        "waiting": waiting,
        "people": people_of(stake, lang),
        "yuan": "" if stake.yuan is None else f"¥{stake.yuan:,}",
        "outside": dict.fromkeys(filter(None, (readable.outside_term(it, lang) for it in found))),
        "late": bool(waiting.mine or waiting.others) and row.due_on < today,
        "snoozed": row.snoozed_until and row.snoozed_until > today,
        "deeds": _history(connection, case_id, user, lang),
        "undoable": len(undoable),
        "colleagues": [it for it in colleagues if review_queue.covers(it, counties)],
        "needs_two": sum(it.needs_two_reviewers for it in waiting.mine),
        "reasons": reasons_for(first.rule, of_class=first.session_id is None, looked=False),
        "asked": material_store.of_case(connection, case_id) if user.decides else [],
        "addressees": _addressees(connection, user, case_id, lang) if user.decides else {},
        "asked_until": (day(now_ms) + timedelta(days=material.DAYS)).isoformat(),
        "following": next_case(connection, user, queue, now_ms, [case_id]),
    }


def _numbers(lead: CaseFinding, of: int, lang: Language) -> list[tuple[str, str]]:
    """What was measured and what it is held against, by their names: of several findings the limit
    alone, of faces none, for faces are looked at."""
    if lead.rule in FACE_RULES:
        return []
    limit = (N_("限值"), limit_of(lead.body, lang))
    if of > 1:
        return [limit]
    when = (N_("时段"), interval(lead.start_ms, lead.end_ms, lang))
    return [(N_("实测"), measured_of(lead.body, lang)), limit, when]


def _addressees(connection: Connection, user: User, case_id: int, lang: Language) -> dict[str, str]:
    """Whom this case can be asked of, in words."""
    named = {
        "platform": (N_("平台：%(name)s"), "platform"),
        "institution": (N_("培训机构：%(name)s"), "institution"),
        "enrolment": (N_("学员：%(name)s"), "learner"),
    }
    found = material.choices(connection, user.scope, case_id)
    return {
        code: lang.say(text, name=getattr(party, column))
        for code, party in found.items()
        for text, column in (named[code.partition(":")[0]],)
    }


def _faces(connection: Connection, user: User, row: CaseFinding, mine: set[int]) -> int | None:
    """The finding whose faces this person has to see side by side before the case is decided."""
    return row.id if row.id in mine and _photos(connection, user, row).endswith("/faces") else None


def _photos(connection: Connection, user: User, row: CaseFinding) -> str:
    """Where the photos are seen that the case is about; empty where there are none to see."""
    if row.session_id is None or not user.sees_photos:
        return ""
    return photos_href(row, None, case_file.photos_of(connection, [row.session_id]))


def _first(found: Sequence[CaseFinding], mine: set[int]) -> CaseFinding:
    """The finding that stands for the case: the gravest that is to be decided."""
    graver = {"violation": 0, "review": 1}
    return min(
        found,
        key=lambda it: (
            it.id not in mine,
            it.learner_id is not None,
            graver.get(it.outcome, 2),
            it.id,
        ),
    )


def _row(it: CaseFinding, mine: set[int], lang: Language) -> CaseFindingRow:
    return CaseFindingRow(
        id=it.id,
        rule=it.rule,
        pack=it.pack,
        who=it.learner_name or "",
        klass=it.class_name,
        when=interval(it.start_ms, it.end_ms, lang, seconds=False)
        if it.learner_id is not None
        else "",
        sentence=sentence_of(it.body, lang),
        outcome=labels.found(it.outcome, it.status),
        status=labels.label(labels.STATUSES, it.status),
        mine=it.id in mine,
        decided=it.status in cases.SETTLED,
    )


_ARRANGED = {
    "case.handed_over": N_("交由%(to)s"),
    "case.snoozed": N_("搁置到%(until)s"),
    "material.asked": N_("请人补充材料，%(until)s前"),
    "material.reminded": N_("催办补充材料"),
    "material.withdrawn": N_("撤销补充材料的要求"),
    "case.due": N_("改为%(due_on)s前办结"),
}
_BACK = {"case.handed_over": N_("放回，无人负责"), "case.snoozed": N_("取消搁置")}


def _history(connection: Connection, case_id: int, user: User, lang: Language) -> list[CaseDeed]:
    """What was done, in order of time: reviews as this person may see them, many alike in one
    line; comments and files; what was arranged. A platform's or school's people see what was
    settled alone."""
    deeds = _reviewed(connection, case_id, user, lang)
    if not user.scope.of_authority:
        return deeds
    notes = case_notes.of_case(connection, case_id)
    arranged = [it for it in case_notes.arranged(connection, case_id) if it.action in _ARRANGED]
    told = [it.detail.get("to") for it in arranged if it.detail.get("to")]
    people = [it.written_by for it in notes] + [it.actor for it in arranged]
    name = actors.named(connection, lang, [*people, *(f"user:{it}" for it in told)], user)
    for note in notes:
        there = note.blob_key is not None
        path = f"/console/cases/{case_id}/files/{note.id}" if there and user.decides else ""
        deeds.append(
            CaseDeed(
                note.created_ms,
                name(note.written_by),
                lang.say(N_("附件") if there else N_("备注")),
                note.body,
                path,
                note.file_name or "",
            )
        )
    for it in arranged:
        values = dict(it.detail)
        back = not any(values.values())
        if values.get("to"):
            values["to"] = name(f"user:{values['to']}")
        what = lang.say((_BACK if back else _ARRANGED)[it.action], **values)
        deeds.append(CaseDeed(it.at_ms, name(it.actor), what, ""))
    return sorted(deeds, key=lambda it: it.at_ms)


def _reviewed(connection: Connection, case_id: int, user: User, lang: Language) -> list[CaseDeed]:
    given = reviews.of_case(connection, user.scope, case_id)
    appeals = defaultdict(list)
    for appeal in reviews.appeals_of(connection, {it.finding_id for it in given}):
        appeals[appeal.finding_id].append(appeal)
    counts: Counter[tuple[Any, ...]] = Counter()
    by_finding = defaultdict(list)
    for it in given:
        by_finding[it.finding_id].append(it)
    for finding_id, written in by_finding.items():
        live = [it for it in written if it.superseded_ms is None]
        shown = review.shown_to(
            user, written[0].status, live, review.reopened_ms(appeals[finding_id])
        )
        for one, seen in zip(live, shown, strict=len(shown) == len(live)):
            counts[one.created_ms, seen.reviewer, seen.decision, seen.reason, False] += 1
        if user.decides:
            for it in written:
                if it.superseded_ms is not None:
                    counts[it.created_ms, it.reviewer, it.decision, it.reason, True] += 1
    return [
        CaseDeed(
            at_ms,
            reviewer or lang.say(N_("主管部门")),
            _said(decision, count, lang),
            reason or "",
            void=void,
        )
        for (at_ms, reviewer, decision, reason, void), count in counts.items()
    ]


def _said(decision: str | None, count: int, lang: Language) -> str:
    if decision is None:
        return lang.say(N_("已决定%(n)s条（您决定后显示）"), n=count)
    word = lang.say(labels.label(labels.REVIEWS, decision).text)
    return lang.say(N_("%(what)s%(n)s条"), what=word, n=count)
