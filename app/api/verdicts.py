"""What was concluded: class-hours, eligibility, timelines, conformity; and asking for a run."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.api.answers import AnswerRoute
from app.api.auth import people_too, require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.api.sessions import SessionId
from app.console.login import signed_in
from app.domain import runs
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer
from app.domain.catalogue import classes
from app.domain.judging import (
    class_report,
    class_requests,
    conformity_report,
    eligibility,
    timeline_view,
)
from app.domain.judging.timeline_view import TimelineView
from app.domain.judging.views import ClassEligibility, ClassHoursView, PlatformConformity
from app.domain.runs import Run
from app.domain.wire import Id
from app.http.keyring import Caller

router = APIRouter(prefix="/v1", tags=["verdicts"], route_class=AnswerRoute)

Reader = Annotated[Caller, require(KeyScope.READ)]
RunId = Annotated[int, Path(ge=1, lt=2**62)]


class RequestedRun(Answer, frozen=True, kw_only=True):
    """`status` is where the run's progress is read."""

    run_id: int
    class_id: str
    status: str


@router.get("/classes/{class_id}/class-hours")
def get_class_hours(
    request: Request,
    caller: Reader,
    class_id: ClassId,
    learner_id: Annotated[Id | None, Query()] = None,
    platform: PlatformSlug = None,
) -> ClassHoursView:
    """Every learner × every planned class-hour: outcome, coverage, credit, findings."""
    with services_of(request).database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        return class_report.class_hours(connection, klass, learner_id)


@router.get("/classes/{class_id}/eligibility")
def get_eligibility(
    request: Request, caller: Reader, class_id: ClassId, platform: PlatformSlug = None
) -> ClassEligibility:
    """The checks before the assessment and the verdicts on class and learners, both scales.

    Lists and rosters may have changed since the verdicts were written: then new ones are written
    beside them before this answers.
    """
    services = services_of(request)
    now_ms = services.clock()
    with services.database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        behind = eligibility.stale(connection, klass, now_ms)
    if behind:
        with services.database.write() as connection:
            eligibility.conclude(connection, klass.id, now_ms)
    with services.database.read() as connection:
        return eligibility.view(connection, klass, now_ms)


@router.post("/classes/{class_id}/validate", status_code=202)
def validate_class(
    request: Request,
    caller: Annotated[Caller, people_too(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> RequestedRun:
    """Judge the class now, in the background. One that is under way already is the answer. Of
    people, auditors and the class's own institution ask."""
    services = services_of(request)
    with services.database.write() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        if caller.platform_id is None:
            user = signed_in(request).user
            run_id = class_requests.judge(connection, klass.id, user, services.clock())
        else:
            run_id = runs.request(connection, klass.id, caller.actor, services.clock())
    return RequestedRun(run_id=run_id, class_id=class_id, status=f"/v1/runs/{run_id}")


@router.get("/runs/{run_id}")
def get_run(request: Request, caller: Reader, run_id: RunId) -> Run:
    """How far a run is (done, total, rate a second, eta_s), and what came of it."""
    services = services_of(request)
    with services.database.read() as connection:
        return runs.view(connection, caller.scope, run_id, services.clock())


@router.get("/sessions/{session_id}/timeline")
def get_timeline(
    request: Request, caller: Reader, session_id: SessionId, platform: PlatformSlug = None
) -> TimelineView:
    """What the console plots of a sitting: times are epoch ms of the server's clock."""
    with services_of(request).database.read() as connection:
        return timeline_view.view(connection, caller.scope, session_id, platform)


@router.get("/platforms/{platform_id}/conformity")
def get_conformity(
    request: Request,
    caller: Reader,
    platform_id: Annotated[Id, Path(description="the platform's slug")],
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> PlatformConformity:
    """The six controls by class: configured, observed, missing; evidence and fault shares.

    `trend` adds up the judged classes of the year, by the month in which they opened.
    """
    services = services_of(request)
    with services.database.read() as connection:
        return conformity_report.of_platform(
            connection, caller.scope, platform_id, services.clock(), cursor=cursor, size=limit
        )
