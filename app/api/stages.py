"""The steps of a class from application to payment: read here, done by people in the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.clock import day
from app.domain.accounts.platforms import KeyScope
from app.domain.catalogue import classes
from app.domain.review import stage_answer, stages
from app.domain.review.stage_answer import ClassStages
from app.http.keyring import Caller

router = APIRouter(prefix="/v1", tags=["stages"], route_class=AnswerRoute)


@router.get("/classes/{class_id}/stages")
def list_stages(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> ClassStages:
    """How far the class is from its application to the payment, and what is due by when."""
    services = services_of(request)
    with services.database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        views = stages.of_class(connection, klass.id, day(services.clock()))
    return stage_answer.of(klass.external_id, views, told_people=caller.told_reviewers)
