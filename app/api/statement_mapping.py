"""How a platform's statements find their sittings: said by itself, and tried before it counts."""

from __future__ import annotations

import json
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.answers import AnswerRoute, named
from app.api.auth import require, services_of
from app.api.xapi import sender_of
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer
from app.domain.exchange import statement_mappings, xapi
from app.domain.exchange.statement_mappings import MOST_TRIED, TriedStatement
from app.domain.exchange.xapi_batch import read_post
from app.domain.exchange.xapi_mapping import ActivityField, ActorField, StatementMapping
from app.domain.exchange.xapi_sittings import Openings
from app.domain.wire import Wire
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/statement-mapping", tags=["xAPI"], route_class=AnswerRoute)

named("ActorField", {"type": "string", "enum": list(get_args(ActorField))})
named("ActivityField", {"type": "string", "enum": list(get_args(ActivityField))})

Admin = Annotated[Caller, require(KeyScope.ADMIN)]


class StatementTrial(Wire):
    """Statements of one learner or several, in the order of their coming, and the mapping to try
    them by; None: the one that is set."""

    mapping: StatementMapping | None = None
    statements: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_TRIED)]


class SetMapping(Wire):
    """None: statements have to name their session."""

    mapping: StatementMapping | None


class TriedStatements(Answer, frozen=True, kw_only=True):
    statements: list[TriedStatement]


@router.get("")
def get_statement_mapping(
    request: Request, caller: Annotated[Caller, require(KeyScope.READ)]
) -> SetMapping:
    """How the platform's statements find their sittings now."""
    with services_of(request).database.read() as connection:
        return SetMapping(mapping=xapi.mapping_of(connection, caller.platform))


@router.put("")
def put_statement_mapping(
    request: Request, caller: Admin, mapping: StatementMapping
) -> StatementMapping:
    """Set how statements find their sittings from now on."""
    services = services_of(request)
    with services.database.write() as connection:
        statement_mappings.change_mapping(
            connection, caller.platform, mapping, actor=caller.actor, now_ms=services.clock()
        )
    return mapping


@router.delete("", status_code=204)
def delete_statement_mapping(request: Request, caller: Admin) -> Response:
    """From now on, statements have to name their session."""
    services = services_of(request)
    with services.database.write() as connection:
        statement_mappings.change_mapping(
            connection, caller.platform, None, actor=caller.actor, now_ms=services.clock()
        )
    return Response(status_code=204)


@router.post("/try")
def try_statement_mapping(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    trial: StatementTrial,
) -> TriedStatements:
    """What each statement would do if it came now. Nothing is stored, opened or ended."""
    services = services_of(request)
    batch = read_post(json.dumps(trial.statements).encode(), two=True)
    mapping = trial.mapping
    if mapping is None:
        with services.database.read() as connection:
            mapping = xapi.mapping_of(connection, caller.platform)
    tried = statement_mappings.rehearse(
        services.database,
        Openings(services.vault, services.controls),
        services.clock,
        sender_of(services, caller, two=True),
        mapping,
        batch,
    )
    return TriedStatements(statements=tried)
