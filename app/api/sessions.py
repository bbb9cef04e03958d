"""Sittings: open one, report a platform's own controls, close it, read it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, ValidationError

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of, sitting
from app.api.problems import field_errors
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import UNSET, Answer, EpochMs, Sha256, UnsetType
from app.domain.controls.controls_due import ControlsDue
from app.domain.judging import sitting_view
from app.domain.judging.sitting_view import SittingView
from app.domain.sittings import platform_controls, sittings
from app.domain.sittings.platform_controls import ControlReport, ControlReports
from app.domain.sittings.sittings import Opened, Opening
from app.domain.wire import ClientInstant, Id, Wire
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/sessions", tags=["sittings"], route_class=AnswerRoute)

SessionId = Annotated[Id, Path()]
Word = Annotated[str, Field(max_length=500)]


class ClientTerms(Wire):
    """What the learner studies with, and the actions that its face check can ask for beside head
    turns: `nearer` and `farther` are asked of clients that name both. Other names are kept."""

    user_agent: Word | None = None
    sdk_version: Word | None = None
    face_actions: Annotated[list[Id], Field(max_length=20)] | None = None
    questions: Annotated[
        bool | None, Field(description="it can show pop-ups that ask something, with choices")
    ] = None


class SessionTerms(Wire):
    session_id: Id | None = None
    learner_id: Id
    class_id: Id
    lesson_id: Id
    device_id: Id
    window_id: Id
    client: ClientTerms = ClientTerms()
    started_at_ms: ClientInstant | None = None


class SessionClosing(Wire):
    reason: Annotated[str, Field(max_length=128)] = "closed"


class Lease(Answer, frozen=True, kw_only=True):
    """The person's one right to study, for the time being. A browser that has `token` may write to
    this sitting; play is told every `heartbeat_s`. Where there is an `idle_limit_s`, what is played
    longer than that with nobody there does not count, and the page has to tell that somebody is."""

    token: str
    expires_at_ms: EpochMs
    heartbeat_s: float
    idle_limit_s: float | UnsetType = UNSET


class OpenedSession(Answer, frozen=True, kw_only=True):
    """`resume_position` in seconds; `commitment` is to the seed that is revealed at the end."""

    session_id: str
    lease: Lease
    resume_position: float
    next_seq: int
    controls: ControlsDue
    commitment: Sha256


class RefusedControl(Answer, frozen=True, kw_only=True):
    """A reported control that was not taken, by its place in the report."""

    index: int
    status: Literal["rejected"]
    code: str
    detail: str
    field: str | UnsetType = UNSET


class ControlsReceipt(Answer, frozen=True, kw_only=True):
    stored: int
    unchanged: int
    rejected: list[RefusedControl]


class ClosedSession(Answer, frozen=True, kw_only=True):
    session_id: str
    status: Literal["accepted"]


@router.post("", status_code=201)
def open_session(
    request: Request, caller: Annotated[Caller, require(KeyScope.INGEST)], terms: SessionTerms
) -> OpenedSession:
    """Open a sitting under the person's one playback lease.

    The same request again renews the lease of the open sitting, with a new token.
    """
    services = services_of(request)
    opening = Opening(
        learner=terms.learner_id,
        klass=terms.class_id,
        lesson=terms.lesson_id,
        device=terms.device_id,
        window=terms.window_id,
        client=terms.client.model_dump(exclude_none=True),
        session=terms.session_id,
        started_at_ms=terms.started_at_ms,
    )
    with services.database.write() as connection:
        opened = sittings.open_sitting(
            connection,
            services.vault,
            services.controls,
            caller.platform,
            opening,
            services.clock(),
        )
    services.closed(opened.ended)
    return _opened(opened)


def _opened(opened: Opened) -> OpenedSession:
    return OpenedSession(
        session_id=opened.session,
        lease=Lease(
            token=opened.token,
            expires_at_ms=opened.lease_expires_ms,
            heartbeat_s=opened.heartbeat_ms / 1000,
            idle_limit_s=UNSET if opened.idle_limit_ms is None else opened.idle_limit_ms / 1000,
        ),
        resume_position=opened.resume_ms / 1000,
        next_seq=opened.next_seq,
        controls=opened.demands.due(),
        commitment=opened.commitment.hex(),
    )


@router.post("/{session_id}/controls")
def report_controls(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    session_id: SessionId,
    body: ControlReports,
) -> ControlsReceipt:
    """Controls that the platform issued itself, in a class opened with `controls: platform`."""
    services = services_of(request)
    items = [_report(item) for item in body.controls]
    with services.database.write() as connection:
        row_id, results = platform_controls.report(
            connection, caller.platform, session_id, items, services.clock()
        )
    services.controls.wake(row_id)
    return ControlsReceipt(
        stored=sum(result["status"] == "stored" for result in results),
        unchanged=sum(result["status"] == "unchanged" for result in results),
        rejected=[
            RefusedControl(index=index, **result)
            for index, result in enumerate(results)
            if result["status"] == "rejected"
        ],
    )


def _report(item: dict[str, Any]) -> ControlReport | dict[str, Any]:
    try:
        return ControlReport.model_validate(item)
    except ValidationError as error:
        first = field_errors(error.errors())[0]
        return {"code": "invalid_control", "detail": first["detail"], "field": first["field"]}


@router.post("/{session_id}/close", status_code=202)
def close_session(
    request: Request,
    caller: Annotated[Caller, sitting()],
    session_id: SessionId,
    body: SessionClosing | None = None,
) -> ClosedSession:
    """End the sitting and reveal its seed; closing twice changes nothing."""
    services = services_of(request)
    reason = (body or SessionClosing()).reason
    with services.database.write() as connection:
        row, ended = sittings.close_sitting(
            connection,
            services.vault,
            services.controls,
            caller.platform,
            session_id,
            reason,
            services.clock(),
        )
    if ended:
        services.closed([row.id])
    return ClosedSession(session_id=session_id, status="accepted")


@router.get("/{session_id}")
def get_session(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    session_id: SessionId,
    platform: Annotated[Id | None, Query(description="only for people: whose session")] = None,
) -> SittingView:
    """State, credited intervals, controls ledger, and the latest verdict with its findings."""
    services = services_of(request)
    with services.database.read() as connection:
        return sitting_view.view(connection, caller.scope, session_id, platform, services.clock())
