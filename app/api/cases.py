"""Cases: findings of one cause, listed and decided together."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from app.api.answers import AnswerRoute
from app.api.auth import person, require, services_of
from app.clock import day
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import User
from app.domain.answer import Answer, Date, EpochMs
from app.domain.judging import rulings
from app.domain.review import cases, review
from app.domain.wire import Wire
from app.errors import BadInput
from app.http.keyring import Caller
from app.store.review import cases as store
from app.store.review.cases import CaseCursor, CaseFilter
from app.store.review.finding_queue import QueueFilter

router = APIRouter(prefix="/v1/cases", tags=["findings"], route_class=AnswerRoute)

PAGE, MOST_PAGE = 50, 200
CaseId = Annotated[int, Path(ge=1, lt=2**62)]
Words = Annotated[str, Field(max_length=5_000, pattern=r"^[^\x00]*$")]
FindingIds = Annotated[list[Annotated[int, Field(ge=1, lt=2**62)]], Field(max_length=cases.MOST)]
Reader = Annotated[Caller, require(KeyScope.READ)]


class CaseInList(Answer, frozen=True, kw_only=True):
    """A case: how many findings it has and how many wait; `finding_id` is one that weighs most."""

    case_id: int
    kind: str
    findings: int
    waiting: int
    finding_id: int
    opened_ms: EpochMs
    due_on: Date
    snoozed_until: Date | None


class CaseList(Answer, frozen=True, kw_only=True):
    """Cases, the gravest first; `next_cursor` leads on."""

    cases: list[CaseInList]
    next_cursor: str | None


class CaseFindings(Answer, frozen=True, kw_only=True):
    """What lies in a case, by where it stands."""

    case_id: int
    kind: str
    due_on: Date
    undecided: list[int]
    decided: list[int]


class CaseReviewRequest(Wire):
    """One decision on what waits in a case, without what is taken out: see
    `POST /v1/findings/{finding_id}/reviews`. With `of`, Conflict `case_changed` unless exactly
    these findings wait for whoever decides."""

    decision: Words
    reason: Words
    without: FindingIds = Field(default_factory=list)
    of: FindingIds | None = None


class DecidedCase(Answer, frozen=True, kw_only=True):
    """Findings that got a review each, and those left to somebody else or to another decision."""

    case_id: int
    decided: list[int]
    left: list[int]


class CaseCorrection(Wire):
    """Decided findings to be opened again, and why."""

    findings: FindingIds
    reason: Words


class ReopenedFindings(Answer, frozen=True, kw_only=True):
    """Findings of a case that wait again."""

    case_id: int
    findings: list[int]


@router.get("")
def list_cases(
    request: Request,
    caller: Reader,
    state: Literal["todo", "material", "snoozed", "done"] = "todo",
    cursor: Annotated[str | None, Query(max_length=40, pattern=r"^\d{1,5}-\d{1,18}$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = PAGE,
) -> CaseList:
    """Cases that wait, wait for material, are put off, or in which nothing waits any more."""
    services = services_of(request)
    wanted = CaseFilter(QueueFilter(), day(services.clock()).isoformat(), state=state)
    after = CaseCursor(*map(int, cursor.split("-"))) if cursor else None
    with services.database.read() as connection:
        rows = store.page(connection, caller.scope, wanted, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return CaseList(
        cases=[
            CaseInList(
                case_id=it.id,
                kind=it.kind,
                findings=it.findings,
                waiting=it.waiting,
                finding_id=store.first_of(it),
                opened_ms=it.opened_ms,
                due_on=it.due_on,
                snoozed_until=it.snoozed_until,
            )
            for it in rows[:limit]
        ],
        next_cursor=f"{last.gravity}-{last.id}" if last else None,
    )


@router.get("/{case_id}")
def get_case(request: Request, caller: Reader, case_id: CaseId) -> CaseFindings:
    """The findings of one case, by id."""
    with services_of(request).database.read() as connection:
        row = cases.case_seen(connection, caller.scope, case_id)
        found = store.findings_of(connection, caller.scope, case_id)
    return CaseFindings(
        case_id=row.id,
        kind=row.kind,
        due_on=row.due_on,
        undecided=[it.id for it in found if it.status in review.UNDECIDED],
        decided=[it.id for it in found if it.status in cases.SETTLED],
    )


@router.post("/{case_id}/reviews", status_code=201)
def review_case(
    request: Request, user: Annotated[User, person()], case_id: CaseId, ruling: CaseReviewRequest
) -> DecidedCase:
    """Decide a case: each of its findings gets a review, all or none. Learners and classes are
    judged again before this answers."""
    services = services_of(request)
    with services.database.write() as connection:
        made = cases.decide(
            connection,
            case_id,
            user,
            ruling.decision,
            ruling.reason,
            without=ruling.without,
            seen=None if ruling.of is None else cases.seen(ruling.of),
            now_ms=services.clock(),
        )
        rulings.follow(connection, made.decided, services.clock())
    return DecidedCase(case_id=case_id, decided=list(made.decided), left=list(made.left))


@router.post("/{case_id}/undo", status_code=201)
def undo_case(
    request: Request, user: Annotated[User, person()], case_id: CaseId
) -> ReopenedFindings:
    """Take back one's own last decision on a case within ten minutes."""
    services = services_of(request)
    with services.database.write() as connection:
        found = cases.undo(connection, user, case_id, services.clock())
        rulings.follow(connection, found, services.clock())
    return ReopenedFindings(case_id=case_id, findings=found)


@router.post("/{case_id}/corrections", status_code=201)
def correct_case(
    request: Request, user: Annotated[User, person()], case_id: CaseId, change: CaseCorrection
) -> ReopenedFindings:
    """Open decided findings again, because what was decided is wrong; it stays on record."""
    if not change.findings:
        raise BadInput("none_chosen", "findings: name at least one", field="findings")
    services = services_of(request)
    with services.database.write() as connection:
        found = cases.correct(
            connection, user, case_id, change.findings, change.reason, services.clock()
        )
        rulings.follow(connection, found, services.clock())
    return ReopenedFindings(case_id=case_id, findings=found)
