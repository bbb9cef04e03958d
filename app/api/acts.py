"""Recorded acts on a class: what a person decided or attested, with a reason and by name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field

from app.api.answers import AnswerRoute
from app.api.auth import people_too, person, require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.console.login import signed_in, user_of
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import User
from app.domain.answer import Answer
from app.domain.catalogue import classes
from app.domain.review import acts
from app.domain.review.acts import Act
from app.domain.wire import Id, Wire
from app.http.keyring import Caller

router = APIRouter(prefix="/v1", tags=["acts"], route_class=AnswerRoute)

ActId = Annotated[int, Path(ge=1, lt=2**62)]


class ActRequest(Wire):
    """An act to record. `body` holds the fields of its kind."""

    kind: Id
    learner_id: Id | None = None
    body: dict[str, Any]
    reason: Annotated[str, Field(max_length=acts.MAX_REASON)]
    document: Annotated[str, Field(max_length=acts.MAX_DOCUMENT)] = ""


class Revocation(Wire):
    reason: Annotated[str, Field(max_length=acts.MAX_REASON)]


class ActList(Answer, frozen=True, kw_only=True):
    acts: list[Act]


@router.get("/classes/{class_id}/acts")
def list_acts(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> ActList:
    """All acts recorded on the class, newest first."""
    with services_of(request).database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        return ActList(acts=acts.of_class(connection, klass, told_people=caller.told_reviewers))


@router.post("/classes/{class_id}/acts", status_code=201)
def record_act(
    request: Request,
    caller: Annotated[Caller, people_too(KeyScope.INGEST)],
    class_id: ClassId,
    wanted: ActRequest,
    platform: PlatformSlug = None,
) -> Act:
    """Record an act, by a person of the authority or by a platform for the institution."""
    services = services_of(request)
    user = user_of(request) if caller.platform_id is None else None
    with services.database.write() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        act_id = acts.record(
            connection,
            klass,
            kind=wanted.kind,
            learner=wanted.learner_id,
            body=wanted.body,
            reason=wanted.reason,
            document=wanted.document,
            actor=caller.actor,
            user=user,
            now_ms=services.clock(),
            vault=services.vault,
        )
        return acts.one(connection, caller.scope, act_id, told_people=caller.told_reviewers)


@router.post("/acts/{act_id}/approval")
def approve_act(request: Request, user: Annotated[User, person()], act_id: ActId) -> Act:
    """Bring an act into force; the class is judged again."""
    services = services_of(request)
    with services.database.write() as connection:
        acts.approve(connection, act_id, user, services.clock())
        return acts.one(connection, user.scope, act_id, told_people=True)


@router.post("/acts/{act_id}/revocation")
def revoke_act(
    request: Request,
    caller: Annotated[Caller, people_too(KeyScope.INGEST)],
    act_id: ActId,
    body: Revocation,
) -> Act:
    """End an act; the class is judged again without it. A platform ends what it recorded itself of
    who left, joined late or moved."""
    services = services_of(request)
    now_ms = services.clock()
    with services.database.write() as connection:
        if caller.platform_id is None:
            acts.revoke(connection, act_id, signed_in(request).user, body.reason, now_ms)
        else:
            acts.take_back(connection, caller.scope, act_id, caller.actor, body.reason, now_ms)
        return acts.one(connection, caller.scope, act_id, told_people=caller.told_reviewers)
