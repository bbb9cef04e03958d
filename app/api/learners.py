"""Who is in a class."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.domain import classes, learner_link, roster
from app.domain.platforms import KeyScope
from app.domain.roster import LearnerTerms
from app.domain.wire import Id, Wire
from app.edge import public_address
from app.errors import BadInput, NotFound
from app.keyring import Caller
from app.store import people

router = APIRouter(prefix="/v1/classes/{class_id}", tags=["catalogue"])


class Roster(Wire):
    learners: Annotated[list[LearnerTerms], Field(description="added to who is in the class")]


@router.put("/roster")
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


@router.get("/roster")
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


@router.post("/learners/{learner_id}/link", status_code=201)
def give_link(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    learner_id: Id,
) -> dict[str, Any]:
    """A link by which the learner sees what was counted and why, and may appeal."""
    services = services_of(request)
    with services.database.write() as connection:
        row = classes.class_of(connection, caller.platform, class_id)
        known = {it.external_id: it.id for it in people.enrolled(connection, row.id)}
        learner = known.get(learner_id)
        if learner is None:
            raise NotFound("unknown_learner", f"learner {learner_id!r} is not in this class")
        issued = learner_link.issue(
            connection,
            services.vault,
            row.id,
            learner,
            actor=caller.actor,
            days=services.settings.learner_link_days,
            now_ms=services.clock(),
        )
    return {"url": public_address(request) + issued.path, "expires_at_ms": issued.expires_ms}
