"""What a platform was refused of late, and why: for its developers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.domain.accounts import refused_requests
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.refused_requests import RefusedRequestView
from app.domain.answer import Answer
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/refused-requests", tags=["keys"], route_class=AnswerRoute)

Reader = Annotated[Caller, require(KeyScope.READ)]


class RefusedRequestList(Answer, frozen=True, kw_only=True):
    refused: list[RefusedRequestView]


@router.get("")
def list_refused_requests(request: Request, caller: Reader) -> RefusedRequestList:
    """The platform's last refused requests with their reasons, newest first: at most 200, of the
    last 14 days. A request shows here within a few seconds, by whichever service it was refused.

    The same reason within a minute is one entry with a `count`. No body is kept, and of what a
    sentence quotes, nothing.
    """
    services = services_of(request)
    with services.database.read() as connection:
        refused = refused_requests.of_platform(connection, caller.platform, services.clock())
    return RefusedRequestList(refused=refused)
