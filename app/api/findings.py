"""Findings: reading them, deciding them, appealing against them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from pydantic_core import PydanticCustomError

from app.api.answers import AnswerRoute
from app.api.auth import people_too, person, require, services_of
from app.api.classes import PlatformSlug
from app.console.login import user_of
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import User
from app.domain.answer import Answer
from app.domain.catalogue import classes
from app.domain.judging import findings, rulings
from app.domain.judging.findings import PAGE
from app.domain.judging.views import FindingDetail, FindingPage
from app.domain.review import appeals, review
from app.domain.review.appeals import AppealView
from app.domain.wire import Id, Wire, instant, whole
from app.errors import BadInput
from app.http.keyring import Caller
from app.store.review.findings import FindingQuery

router = APIRouter(prefix="/v1/findings", tags=["findings"], route_class=AnswerRoute)

Reader = Annotated[Caller, require(KeyScope.READ)]
FindingId = Annotated[int, Path(ge=1, lt=2**62)]
Name = Annotated[str | None, Query(max_length=64, pattern=r"^[\w.:+ -]*$")]
Words = Annotated[str, Field(max_length=5_000, pattern=r"^[^\x00]*$")]


class ReviewRequest(Wire):
    """`uphold` confirms the finding, `overturn` strikes it, `need_more` leaves it open."""

    decision: Words
    reason: Words


class AppealRequest(Wire):
    statement: Words


class ReviewedFinding(Answer, frozen=True, kw_only=True):
    """Where the finding stands after the review; `settled`: nobody else has to decide."""

    review_id: int
    finding_id: int
    stage: str
    decision: review.ReviewDecision
    status: str
    settled: bool


@router.get("")
def list_findings(
    request: Request,
    caller: Reader,
    rule: Name = None,
    outcome: Name = None,
    status: Annotated[
        Name, Query(description="findings that are gone come only if asked for")
    ] = None,
    since: Annotated[Name, Query(description="entered or changed since; RFC 3339 or ms")] = None,
    class_id: Annotated[Id | None, Query()] = None,
    learner_id: Annotated[Id | None, Query()] = None,
    session_id: Annotated[Id | None, Query()] = None,
    platform: PlatformSlug = None,
    cursor: Name = None,
    limit: Annotated[int, Query(ge=1, le=findings.MOST_PAGE)] = PAGE,
) -> FindingPage:
    """Findings in the order they were entered; `next_cursor` leads on."""
    with services_of(request).database.read() as connection:
        klass = None
        if class_id is not None:
            klass = classes.class_seen(connection, caller.scope, class_id, platform)
        wanted = FindingQuery(
            rule=rule or None,
            outcome=outcome or None,
            status=status or None,
            since_ms=_instant(since) if since else None,
            class_id=None if klass is None else klass.id,
            learner=learner_id,
            session=session_id,
        )
        return findings.page(connection, caller.scope, wanted, cursor or None, limit)


@router.get("/{finding_id}")
def get_finding(request: Request, caller: Reader, finding_id: FindingId) -> FindingDetail:
    """One finding with its reviews and appeals."""
    user = user_of(request) if caller.platform_id is None else None
    with services_of(request).database.read() as connection:
        return findings.detail(connection, caller.scope, finding_id, user)


@router.post("/{finding_id}/reviews", status_code=201)
def review_finding(
    request: Request, user: Annotated[User, person()], finding_id: FindingId, ruling: ReviewRequest
) -> ReviewedFinding:
    """A person's decision. Where two are needed, the second must be somebody else's.

    Once the finding is settled its learner, or its class, is judged again before this answers.
    """
    services = services_of(request)
    with services.database.write() as connection:
        decided = review.decide(
            connection, finding_id, user, ruling.decision, ruling.reason, services.clock()
        )
        rulings.follow(connection, [finding_id], services.clock())
    return ReviewedFinding(
        review_id=decided.review_id,
        finding_id=finding_id,
        stage=decided.stage,
        decision=decided.decision,
        status=decided.status,
        settled=decided.settled,
    )


@router.post("/{finding_id}/appeals", status_code=201)
def file_appeal(
    request: Request,
    caller: Annotated[Caller, people_too(KeyScope.INGEST)],
    finding_id: FindingId,
    body: AppealRequest,
) -> AppealView:
    """An appeal, by a platform for its learner, or by a person who may see the finding."""
    services = services_of(request)
    with services.database.write() as connection:
        return appeals.file(
            connection,
            caller.scope,
            finding_id,
            body.statement,
            actor=caller.actor,
            now_ms=services.clock(),
        )


def _instant(text: str) -> int:
    """A time as it stands in a query, where an unquoted + has become a blank."""
    number = whole(text)
    value = text.replace(" ", "+") if number is None else number
    try:
        return instant(value)
    except PydanticCustomError as error:
        raise BadInput("bad_time", f"since: {error.message()}", field="since") from error
