"""Lists that a platform reports about a class: `{"items": […]}`, or the bare list."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Body, Request

from app.api.answers import AnswerRoute, described_model, named
from app.api.auth import require, services_of
from app.api.classes import ClassId
from app.domain.accounts.platforms import KeyScope
from app.domain.catalogue import classes, records
from app.domain.catalogue.records import (
    Assessment,
    History,
    Item,
    Leave,
    ListReport,
    OfflineHours,
    PartOfDay,
    Satisfaction,
    TeachingFilm,
)
from app.errors import BadInput
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/classes/{class_id}", tags=["records"], route_class=AnswerRoute)

Writer = Annotated[Caller, require(KeyScope.INGEST)]
# Any for the framework: items are read one by one, so that a bad one spoils no other.
Items = Annotated[Any, Body()]


def _described(kind: type[Item]) -> dict[str, Any]:
    items = {"type": "array", "items": described_model(kind)}
    wrapped = {"type": "object", "required": ["items"], "properties": {"items": items}}
    schema = {"anyOf": [named(f"{kind.__name__}List", wrapped), items]}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


named("PartOfDay", {"type": "string", "enum": list(get_args(PartOfDay))})


@router.post("/offline-attendance", openapi_extra=_described(OfflineHours))
def post_offline_attendance(
    request: Request, caller: Writer, class_id: ClassId, body: Items
) -> ListReport:
    """Class-hours attended in person. Answers `accepted`, `unchanged`, and `rejected` by index.

    Two equal rows of a learner and day in one list are a question (`duplicate_item`): two
    half-days are told apart by `session` (am, pm, evening) or `item_id`.
    """
    return _take(request, caller, class_id, OfflineHours, body)


@router.post("/leave", openapi_extra=_described(Leave))
def post_leave(request: Request, caller: Writer, class_id: ClassId, body: Items) -> ListReport:
    """Leave taken. Answers `accepted`, `unchanged`, and `rejected` by index."""
    return _take(request, caller, class_id, Leave, body)


@router.post("/satisfaction", openapi_extra=_described(Satisfaction))
def post_satisfaction(
    request: Request, caller: Writer, class_id: ClassId, body: Items
) -> ListReport:
    """Results of surveys. Answers `accepted`, `unchanged`, and `rejected` by index."""
    return _take(request, caller, class_id, Satisfaction, body)


@router.post("/assessments", openapi_extra=_described(Assessment))
def post_assessments(
    request: Request, caller: Writer, class_id: ClassId, body: Items
) -> ListReport:
    """Results of assessments. Answers `accepted`, `unchanged`, and `rejected` by index."""
    return _take(request, caller, class_id, Assessment, body)


@router.post("/history", openapi_extra=_described(History))
def post_history(request: Request, caller: Writer, class_id: ClassId, body: Items) -> ListReport:
    """Earlier trainings of persons. Answers `accepted`, `unchanged`, and `rejected` by index."""
    return _take(request, caller, class_id, History, body)


@router.post("/recordings", openapi_extra=_described(TeachingFilm))
def post_recordings(request: Request, caller: Writer, class_id: ClassId, body: Items) -> ListReport:
    """Recordings of teaching in person, which may lie elsewhere. Answers `accepted`, `unchanged`,
    and `rejected` by index."""
    return _take(request, caller, class_id, TeachingFilm, body)


def _take(
    request: Request, caller: Caller, class_id: str, kind: type[Item], body: Any
) -> ListReport:
    items = body.get("items") if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise BadInput("invalid_input", "items: should be a list", field="items")
    services = services_of(request)
    with services.database.write() as connection:
        row = classes.class_of(connection, caller.platform, class_id, lock=True)
        by: Any = {"actor": caller.actor, "now_ms": services.clock()}
        return records.take(connection, services.vault, row, kind, items, **by)
