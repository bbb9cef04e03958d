"""The signed lists of a class: what was submitted, signed or sent back, and when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.api.classes import ClassId, PlatformSlug
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer
from app.domain.catalogue import classes
from app.domain.review import sign_off
from app.domain.review.sign_off import SignOffView
from app.http.keyring import Caller
from app.store.review import sign_offs

router = APIRouter(prefix="/v1", tags=["classes"], route_class=AnswerRoute)


class SignOffList(Answer, frozen=True, kw_only=True):
    """All submissions of a class's lists, newest first. Without a signed one the lists are drafts;
    the newest signed one is what exports give."""

    sign_offs: list[SignOffView]


@router.get("/classes/{class_id}/sign-offs")
def list_sign_offs(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.READ)],
    class_id: ClassId,
    platform: PlatformSlug = None,
) -> SignOffList:
    """The lists of the class that people signed, or that wait for a signature."""
    with services_of(request).database.read() as connection:
        klass = classes.class_seen(connection, caller.scope, class_id, platform)
        rows = sign_offs.of_class(connection, klass.id)
    return SignOffList(sign_offs=sign_off.history(rows, told_people=caller.told_reviewers))
