"""A platform's own webhooks: registered, removed, their deliveries looked through and repeated."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from app.api.auth import require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.exchange import webhooks
from app.domain.exchange.notify import Event
from app.domain.exchange.webhooks import Webhook
from app.domain.review.findings import after
from app.domain.wire import Line, Wire
from app.keyring import Caller

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

PAGE = 50
Admin = Annotated[Caller, require(KeyScope.ADMIN)]
RowId = Annotated[int, Path(ge=1, lt=2**31)]


class WebhookWanted(Wire):
    url: str = Field(min_length=1, max_length=2000)
    events: list[Annotated[Event, Field(strict=False)]] = Field(min_length=1, max_length=len(Event))


@router.get("")
def list_webhooks(request: Request, caller: Admin) -> dict[str, Any]:
    """The platform's webhooks, without their secrets."""
    with services_of(request).database.read() as connection:
        return {"webhooks": [shown(it) for it in webhooks.webhooks(connection, caller.platform)]}


@router.post("", status_code=201)
def add_webhook(request: Request, caller: Admin, wanted: WebhookWanted) -> dict[str, Any]:
    """A new webhook. Its secret is in this answer and nowhere else.

    Messages follow Standard Webhooks: headers `webhook-id`, `webhook-timestamp` and
    `webhook-signature` (HMAC-SHA256), body `{type, timestamp, data}`. The same message may come
    more than once, under the same id.
    """
    services = services_of(request)
    with services.database.write() as connection:
        made = webhooks.register(
            connection,
            services.vault,
            caller.platform,
            url=wanted.url,
            events=wanted.events,
            https_only=services.settings.production,
            actor=caller.actor,
            now_ms=services.clock(),
        )
    return shown(made.webhook) | {"secret": made.secret}


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(request: Request, caller: Admin, webhook_id: RowId) -> Response:
    """Nothing more is sent there."""
    services = services_of(request)
    with services.database.write() as connection:
        webhooks.remove(
            connection, caller.platform, webhook_id, actor=caller.actor, now_ms=services.clock()
        )
    return Response(status_code=204)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(
    request: Request,
    caller: Admin,
    webhook_id: RowId,
    cursor: Annotated[Line | None, Query()] = None,
) -> dict[str, Any]:
    """What was sent and how it fared, newest first; `next_cursor` leads to what is older."""
    before = None if cursor is None else after(cursor)
    with services_of(request).database.read() as connection:
        rows = webhooks.deliveries(connection, caller.platform, webhook_id, before, PAGE + 1)
    more = len(rows) > PAGE
    return {
        "deliveries": rows[:PAGE],
        "next_cursor": str(rows[PAGE - 1]["delivery_id"]) if more else None,
    }


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
def redeliver(
    request: Request, caller: Admin, webhook_id: RowId, delivery_id: RowId
) -> dict[str, Any]:
    """Send a message once more, under its id, however it fared before."""
    services = services_of(request)
    with services.database.write() as connection:
        webhooks.redeliver(
            connection,
            caller.platform,
            webhook_id,
            delivery_id,
            actor=caller.actor,
            now_ms=services.clock(),
        )
    return {"delivery_id": delivery_id, "state": "waiting"}


def shown(it: Webhook) -> dict[str, Any]:
    return {
        "webhook_id": it.id,
        "url": it.url,
        "events": list(it.events),
        "created_at_ms": it.created_ms,
        "waiting": it.waiting,
        "dead": it.dead,
    }
