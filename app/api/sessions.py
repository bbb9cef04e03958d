"""Sittings: open one, report a platform's own controls, close it, read it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, ValidationError

from app.api.auth import require, services_of, sitting
from app.api.problems import field_errors
from app.domain.accounts.platforms import KeyScope
from app.domain.controls import platform_controls
from app.domain.controls.platform_controls import ControlReport, ControlReports
from app.domain.sittings import sitting_view, sittings
from app.domain.sittings.sittings import Opened, Opening
from app.domain.wire import ClientInstant, Id, Wire
from app.keyring import Caller

router = APIRouter(prefix="/v1/sessions", tags=["sittings"])

SessionId = Annotated[Id, Path()]
Word = Annotated[str, Field(max_length=500)]


class Client(Wire):
    """What the learner studies with."""

    user_agent: Word | None = None
    sdk_version: Word | None = None


class OpeningTerms(Wire):
    session_id: Id | None = None
    learner_id: Id
    class_id: Id
    lesson_id: Id
    device_id: Id
    window_id: Id
    client: Client = Client()
    started_at_ms: ClientInstant | None = None


class Closing(Wire):
    reason: Annotated[str, Field(max_length=128)] = "closed"


@router.post("", status_code=201)
def open_session(
    request: Request, caller: Annotated[Caller, require(KeyScope.INGEST)], terms: OpeningTerms
) -> dict[str, Any]:
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


def _opened(opened: Opened) -> dict[str, Any]:
    return {
        "session_id": opened.session,
        "lease": {
            "token": opened.token,
            "expires_at_ms": opened.lease_expires_ms,
            "heartbeat_s": opened.heartbeat_ms / 1000,
        },
        "resume_position": opened.resume_ms / 1000,
        "next_seq": opened.next_seq,
        "controls": opened.demands.wire(),
        "commitment": opened.commitment.hex(),
    }


@router.post("/{session_id}/controls")
def report_controls(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    session_id: SessionId,
    body: ControlReports,
) -> dict[str, Any]:
    """Controls that the platform issued itself, in a class opened with `controls: platform`."""
    services = services_of(request)
    items = [_report(item) for item in body.controls]
    with services.database.write() as connection:
        row_id, results = platform_controls.report(
            connection, caller.platform, session_id, items, services.clock()
        )
    services.controls.forget(row_id)
    told = [{"index": index, **result} for index, result in enumerate(results)]
    return {
        "stored": sum(result["status"] == "stored" for result in told),
        "unchanged": sum(result["status"] == "unchanged" for result in told),
        "rejected": [result for result in told if result["status"] == "rejected"],
    }


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
    body: Closing | None = None,
) -> dict[str, Any]:
    """End the sitting and reveal its seed; closing twice changes nothing."""
    services = services_of(request)
    reason = (body or Closing()).reason
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
    return {"session_id": session_id, "status": "accepted"}


@router.get("/{session_id}")
def get_session(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    session_id: SessionId,
    platform: Annotated[Id | None, Query(description="only for people: whose session")] = None,
) -> dict[str, Any]:
    """State, credited intervals, controls ledger, and the latest verdict with its findings."""
    services = services_of(request)
    with services.database.read() as connection:
        return sitting_view.view(connection, caller.scope, session_id, platform, services.clock())
