"""Who is in a class."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.domain import classes, roster
from app.domain.platforms import KeyScope
from app.domain.roster import LearnerTerms
from app.domain.wire import Wire
from app.errors import BadInput
from app.keyring import Caller

router = APIRouter(prefix="/v1/classes/{class_id}/roster", tags=["catalogue"])


class Roster(Wire):
    learners: Annotated[list[LearnerTerms], Field(description="added to who is in the class")]


@router.put("")
def put_roster(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    body: Roster,
) -> dict[str, Any]:
    """Enrol learners; all of them, or none and the reasons by index.

    A class holds at most as many as its policy pack allows (80 in the packs shipped), also when
    they come in several calls. The answer is the whole roster, with masked ID numbers.
    """
    services = services_of(request)
    with services.database.write() as connection:
        row = classes.class_of(connection, caller.platform, class_id, lock=True)
        enrolled = roster.enrol(
            connection,
            services.vault,
            row,
            list(enumerate(body.learners)),
            actor=caller.actor,
            now_ms=services.clock(),
        )
        if enrolled.refused:
            first = enrolled.refused[0]
            raise BadInput(
                first.code,
                f"learners[{first.index}].{first.detail}",
                errors=[error.shown() for error in enrolled.refused],
            )
        return roster.view(connection, row)


@router.get("")
def get_roster(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> dict[str, Any]:
    """The roster, with masked ID numbers."""
    with services_of(request).database.read() as connection:
        row = classes.class_seen(connection, caller.scope, class_id, platform)
        return roster.view(connection, row)
