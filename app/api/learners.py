"""Who is in a class."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Request

from app.api.answers import AnswerRoute, described_model, named
from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer, EpochMs
from app.domain.catalogue import classes, roster, roster_rows
from app.domain.catalogue.roster import Roster
from app.domain.catalogue.roster_rows import LearnerTerms
from app.domain.id_numbers import ID_TYPES
from app.domain.review import learner_link
from app.domain.wire import Id
from app.errors import BadInput, NotFound
from app.http.keyring import Caller
from app.http.middleware import public_address
from app.store.catalogue import people

router = APIRouter(prefix="/v1/classes/{class_id}", tags=["catalogue"], route_class=AnswerRoute)


class LearnerLink(Answer, frozen=True, kw_only=True):
    """An address for the learner alone: whoever has it is taken for them."""

    url: str
    expires_at_ms: EpochMs


# Any for the framework: rows are read one by one, so that a bad one spoils no other.
Learners = Annotated[Any, Body()]


def _described() -> dict[str, Any]:
    rows = {
        "type": "array",
        "items": described_model(LearnerTerms),
        "description": "added to who is in the class",
    }
    schema = named(
        "RosterRows", {"type": "object", "required": ["learners"], "properties": {"learners": rows}}
    )
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


named("IdType", {"type": "string", "enum": list(ID_TYPES)})


@router.put("/roster", openapi_extra=_described())
def put_roster(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    body: Learners,
) -> Roster:
    """Enrol learners, row by row: good rows are taken, bad ones come back in `rejected` by index,
    account and name, with the reason in Chinese and English; 422 when no row was good.

    Names and ID numbers are cleaned of what carries no meaning, and `cleaned` says of whom. One
    natural person stands once in a class; once there is evidence, name and number change by an
    `identity_correction` act only. A class holds at most as many persons as its policy pack allows
    (80 in the packs shipped), also when they come in several calls; a call that would bring more is
    refused whole. The answer is the whole roster, with masked ID numbers.
    """
    services = services_of(request)
    rows = body.get("learners") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise BadInput("invalid_input", "learners: should be a list", field="learners")
    good, bad, cleaned = roster_rows.read(rows)
    now_ms = services.clock()
    with services.database.write() as connection:
        row = classes.class_of(connection, caller.platform, class_id, lock=True)
        done = roster.enrol(
            connection, services.vault, row, good, actor=caller.actor, now_ms=now_ms
        )
        roster.tell_swaps(connection, class_id, done, actor=caller.actor, now_ms=now_ms)
        refused = sorted([*bad, *done.refused], key=lambda error: error.index)
        view = roster.view(connection, row, refused, cleaned)
    if rows and len(refused) == len(rows):
        first = refused[0]
        raise BadInput(
            first.code,
            f"learners[{first.index}].{first.detail}",
            errors=[msgspec.to_builtins(roster.refused_row(error)) for error in refused],
        )
    return view


@router.get("/roster")
def get_roster(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> Roster:
    """The roster, with masked ID numbers."""
    with services_of(request).database.read() as connection:
        row = classes.class_seen(connection, caller.scope, class_id, platform)
        return roster.view(connection, row)


@router.post("/learners/{learner_id}/link", status_code=201)
def create_learner_link(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    learner_id: Id,
) -> LearnerLink:
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
    return LearnerLink(url=public_address(request) + issued.path, expires_at_ms=issued.expires_ms)
