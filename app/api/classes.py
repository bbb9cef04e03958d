"""Classes and their rosters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.catalogue import classes
from app.domain.catalogue.classes import Class, ClassClock, ClassTerms
from app.domain.wire import Id, Wire
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/classes", tags=["catalogue"], route_class=AnswerRoute)

ClassId = Annotated[Id, Path()]
PlatformSlug = Annotated[
    Id | None, Query(description="only for people: whose class, where ids are the same")
]


@router.put("/{class_id}")
def put_class(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    terms: ClassTerms,
) -> Class:
    """Open the class: freezes course versions and the class-hour plan, and returns the plan."""
    services = services_of(request)
    with services.database.write() as connection:
        return classes.open_class(
            connection,
            caller.platform,
            class_id,
            terms,
            default_pack=services.settings.default_pack,
            actor=caller.actor,
            now_ms=services.clock(),
        ).view


@router.get("/{class_id}")
def get_class(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> Class:
    """The class as opened, with its plan."""
    with services_of(request).database.read() as connection:
        row = classes.class_seen(connection, caller.scope, class_id, platform)
        return classes.view(connection, row)


class ClockAdvance(Wire):
    advance_s: Annotated[
        int,
        Field(
            ge=0,
            le=classes.MOST_ADVANCE_S,
            description="0 only tells what time it is in the class",
        ),
    ]


@router.post("/{class_id}/clock")
def move_clock(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    wanted: ClockAdvance,
) -> ClassClock:
    """Move the clock of a sandbox class forward: leases, pop-ups, photos and class dates go by it.

    What is sent to its sittings from then on is received at the moved time. Times in events
    (`at_ms`) follow the same clock.
    """
    services = services_of(request)
    with services.database.write() as connection:
        return classes.move_clock(
            connection,
            caller.platform,
            class_id,
            wanted.advance_s,
            actor=caller.actor,
            now_ms=services.clock(),
        )
