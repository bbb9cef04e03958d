"""What is known of agents and activities that statements name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api import xapi_document_schema as schema
from app.api.xapi_parameters import activity_of, agent_of
from app.api.xapi_request import Asked
from app.api.xapi_route import XapiRoute, answered
from app.domain.exchange import xapi
from app.domain.exchange.xapi_formats import person
from app.domain.exchange.xapi_values import dump_json
from app.http.keyring import Caller
from app.services import Services

router = APIRouter(prefix="/xAPI", tags=["xAPI"], route_class=XapiRoute)


@router.get("/agents", **schema.known(schema.AGENT, schema.PERSON))
async def get_agent(request: Request) -> Response:
    """An agent as a Person. One agent is never joined with another: whose accounts are one
    learner's is no affair of players."""

    def answer(_services: Services, asked: Asked, _caller: Caller) -> Response:
        return _json(person(agent_of(asked.only("agent"))))

    return await answered(request, answer)


@router.get("/activities", **schema.known(schema.ACTIVITY, schema.ACTIVITY_BODY))
async def get_activity(request: Request) -> Response:
    """An activity with all that this platform's statements told about it."""

    def answer(services: Services, asked: Asked, caller: Caller) -> Response:
        name = activity_of(asked.only("activityId"))
        with services.database.read() as connection:
            return _json(xapi.activity_of(connection, caller.platform, name))

    return await answered(request, answer)


def _json(body: dict[str, Any]) -> Response:
    return Response(dump_json(body), media_type="application/json")
