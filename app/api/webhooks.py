"""A platform's own webhooks: registered, removed, their deliveries looked through and repeated."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from app.api.answers import AnswerRoute
from app.api.auth import demand, require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer, EpochMs
from app.domain.cursor import after
from app.domain.exchange import webhooks
from app.domain.exchange.webhooks import Delivery, DeliveryState, Webhook
from app.domain.notify import WebhookEvent
from app.domain.wire import Line, Wire
from app.http.keyring import Caller

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=AnswerRoute)

PAGE = 50
Admin = Annotated[Caller, require(KeyScope.ADMIN)]


def reading_admin(caller: Admin) -> Caller:
    """The caller, who reads what is sent: verdicts and findings are in it. Raises NotAllowed."""
    return demand(caller, KeyScope.READ)


ReadingAdmin = Annotated[Caller, Depends(reading_admin)]
RowId = Annotated[int, Path(ge=1, lt=2**31)]


class WebhookRequest(Wire):
    url: str = Field(min_length=1, max_length=2000)
    events: list[Annotated[WebhookEvent, Field(strict=False)]] = Field(
        min_length=1, max_length=len(WebhookEvent)
    )


class FetchRequest(Wire):
    got: list[Annotated[int, Field(ge=1, lt=2**31)]] = Field(default_factory=list, max_length=PAGE)


class WebhookView(Answer, frozen=True, kw_only=True):
    """A webhook without its secret; `waiting` and `dead` count its deliveries."""

    webhook_id: int
    url: str
    events: list[WebhookEvent]
    created_at_ms: EpochMs
    waiting: int
    dead: int


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A new webhook. `secret` signs what is sent to it, and is told this once."""

    secret: str


class WebhookList(Answer, frozen=True, kw_only=True):
    webhooks: list[WebhookView]


class DeliveryPage(Answer, frozen=True, kw_only=True):
    deliveries: list[Delivery]
    next_cursor: str | None


class MessageList(Answer, frozen=True, kw_only=True):
    messages: list[Delivery]


class Redelivery(Answer, frozen=True, kw_only=True):
    delivery_id: int
    state: DeliveryState


@router.get("")
def list_webhooks(request: Request, caller: Admin) -> WebhookList:
    """The platform's webhooks, without their secrets."""
    with services_of(request).database.read() as connection:
        mine = webhooks.webhooks(connection, caller.platform)
    return WebhookList(webhooks=[shown(it) for it in mine])


@router.post("", status_code=201)
def add_webhook(
    request: Request, caller: ReadingAdmin, wanted: WebhookRequest
) -> WebhookWithSecret:
    """A new webhook, by a key with the scope `read` as well: it is sent what such a key reads. Its
    secret is in this answer and nowhere else.

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
    return WebhookWithSecret(**_fields(made.webhook), secret=made.secret)


@router.post("/{webhook_id}/rotate")
def rotate_webhook_secret(request: Request, caller: Admin, webhook_id: RowId) -> WebhookWithSecret:
    """A new secret, in this answer and nowhere else. For 24 hours each message carries a signature
    of either, apart by a space, so that nothing is lost while the receiver changes."""
    services = services_of(request)
    with services.database.write() as connection:
        secret = webhooks.rotate_secret(
            connection,
            services.vault,
            caller.platform,
            webhook_id,
            actor=caller.actor,
            now_ms=services.clock(),
        )
        found = webhooks.webhook(connection, caller.platform, webhook_id)
    return WebhookWithSecret(**_fields(found), secret=secret)


@router.post("/{webhook_id}/messages")
def fetch_messages(
    request: Request, caller: ReadingAdmin, webhook_id: RowId, wanted: FetchRequest
) -> MessageList:
    """What waits for a webhook whose address is `listen:`, the oldest first; `got` are
    those deliveries that have arrived. For developers' machines that cannot be reached: ask again
    every second or so, as `zhenxue listen` does."""
    services = services_of(request)
    with services.database.write() as connection:
        found = webhooks.messages(
            connection, caller.platform, webhook_id, wanted.got, PAGE, services.clock()
        )
    return MessageList(messages=found)


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(request: Request, caller: Admin, webhook_id: RowId) -> WebhookView:
    """Send this address a `webhook.test`, whatever it listens to."""
    services = services_of(request)
    with services.database.write() as connection:
        webhooks.test(
            connection, caller.platform, webhook_id, actor=caller.actor, now_ms=services.clock()
        )
        return shown(webhooks.webhook(connection, caller.platform, webhook_id))


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
    caller: ReadingAdmin,
    webhook_id: RowId,
    cursor: Annotated[Line | None, Query()] = None,
) -> DeliveryPage:
    """What was sent and how it fared, newest first; `next_cursor` leads to what is older."""
    before = None if cursor is None else after(cursor)
    with services_of(request).database.read() as connection:
        rows = webhooks.deliveries(connection, caller.platform, webhook_id, before, PAGE + 1)
    more = len(rows) > PAGE
    return DeliveryPage(
        deliveries=rows[:PAGE],
        next_cursor=str(rows[PAGE - 1].delivery_id) if more else None,
    )


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
def redeliver_webhook(
    request: Request, caller: Admin, webhook_id: RowId, delivery_id: RowId
) -> Redelivery:
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
    return Redelivery(delivery_id=delivery_id, state=DeliveryState.WAITING)


def shown(it: Webhook) -> WebhookView:
    return WebhookView(**_fields(it))


def _fields(it: Webhook) -> dict[str, Any]:
    return {
        "webhook_id": it.id,
        "url": it.url,
        "events": [WebhookEvent(event) for event in it.events],
        "created_at_ms": it.created_ms,
        "waiting": it.waiting,
        "dead": it.dead,
    }
