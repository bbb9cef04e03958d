"""Webhooks of a platform: registered with a secret that is told once, removed, sent again."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain import notify
from app.domain.answer import Answer, EpochMs
from app.domain.notify import WebhookEvent
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.exchange import webhooks as store
from app.store.exchange.webhooks import DeliveryRow, DueDelivery, WebhookRow
from app.vault import Vault

PURPOSE = "webhook-secret"
MOST = 10  # webhooks of one platform
MOST_ATTEMPTS = 10
LISTENER_GONE_MS = DAY_MS  # product default
OVERLAP_MS = 24 * 3_600_000  # both secrets sign so long after a change
_MAX_URL = 2000
_SECRET_BYTES = 32
_FIRST_MS, _LONGEST_MS = 10_000, 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it may be shown; `waiting` and `dead` count its deliveries."""

    id: int
    platform_id: int
    url: str
    events: tuple[str, ...]
    created_ms: int
    waiting: int
    dead: int
    former_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """The only moment at which the secret is known."""

    webhook: Webhook
    secret: str


class DeliveryState(StrEnum):
    """DEAD: it was tried as often as it may be."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(Answer, frozen=True, kw_only=True):
    """One message to one webhook. `payload` is what was sent: {type, timestamp, data}."""

    delivery_id: int
    message_id: str
    event: WebhookEvent
    state: DeliveryState
    attempts: int
    created_at_ms: EpochMs
    next_attempt_at_ms: EpochMs | None
    delivered_at_ms: EpochMs | None
    last_status: int | None
    last_error: str | None
    payload: dict[str, Any]


def register(
    connection: Connection,
    vault: Vault,
    platform_id: int,
    *,
    url: str,
    events: Collection[str],
    https_only: bool,
    actor: str,
    now_ms: int,
) -> NewWebhook:
    """Register an address. Raises BadInput for an address or event that is none, Conflict when
    the platform has as many as it may. Where the name leads is looked at before each delivery."""
    checked = _address(url, https_only)
    wanted = sorted(set(events))
    if not wanted or not set(wanted) <= set(WebhookEvent):
        known = ", ".join(WebhookEvent)
        raise BadInput("bad_events", f"events: one or more of {known}", field="events")
    if len(store.of_platform(connection, platform_id)) >= MOST:
        raise Conflict("too_many_webhooks", f"a platform has at most {MOST} webhooks")
    secret = _new_secret()
    webhook_id = store.insert_webhook(
        connection,
        platform_id=platform_id,
        url=checked,
        events=wanted,
        secret_encrypted=vault.seal(secret.encode(), PURPOSE),
        created_ms=now_ms,
    )
    _record(connection, now_ms, actor, "webhook.added", webhook_id, url=checked, events=wanted)
    made = Webhook(webhook_id, platform_id, checked, tuple(wanted), now_ms, 0, 0)
    return NewWebhook(made, secret)


def webhooks(connection: Connection, platform_id: int | None = None) -> list[Webhook]:
    """Webhooks by id, of one platform or of all, without those that were removed."""
    return [_counted(connection, row) for row in store.of_platform(connection, platform_id)]


def webhook(connection: Connection, platform_id: int | None, webhook_id: int) -> Webhook:
    """One that was not removed. Raises NotFound."""
    return _counted(connection, _found(connection, platform_id, webhook_id))


def remove(
    connection: Connection, platform_id: int | None, webhook_id: int, *, actor: str, now_ms: int
) -> None:
    """Send nothing there any more. Raises NotFound. `platform_id` None reaches every platform's."""
    _found(connection, platform_id, webhook_id)
    store.disable(connection, webhook_id, now_ms)
    _record(connection, now_ms, actor, "webhook.removed", webhook_id)


def remove_left_behind(connection: Connection, actor: str, now_ms: int) -> None:
    """Remove the webhooks of listeners that were killed: for a day nobody asked for what waits."""
    for webhook_id in store.left_behind(connection, now_ms - LISTENER_GONE_MS):
        remove(connection, None, webhook_id, actor=actor, now_ms=now_ms)


def messages(
    connection: Connection,
    platform_id: int | None,
    webhook_id: int,
    got: Collection[int],
    size: int,
    now_ms: int,
) -> list[Delivery]:
    """What a listener has not got yet, the oldest first; `got` are the deliveries that it has.
    Raises NotFound, Conflict for a webhook that is sent to."""
    if _found(connection, platform_id, webhook_id).url != store.LISTENS:
        raise Conflict("webhook_is_sent_to", "only a webhook with the address listen: is asked")
    store.fetched(connection, webhook_id, got, now_ms)
    rows = store.due(connection, webhook_id, now_ms, size)
    return [shown(row) for row in rows]


def rotate_secret(
    connection: Connection,
    vault: Vault,
    platform_id: int | None,
    webhook_id: int,
    *,
    actor: str,
    now_ms: int,
) -> str:
    """A new secret, told this once; for a day the former one signs beside it. Raises NotFound,
    Conflict while the one before that still signs."""
    row = _found(connection, platform_id, webhook_id)
    if row.former_until_ms is not None and row.former_until_ms > now_ms:
        raise Conflict("secret_changing", "the former secret still signs: change it again later")
    secret, until_ms = _new_secret(), now_ms + OVERLAP_MS
    store.change_secret(
        connection,
        webhook_id,
        secret_encrypted=vault.seal(secret.encode(), PURPOSE),
        former_encrypted=row.secret_encrypted,
        former_until_ms=until_ms,
    )
    _record(connection, now_ms, actor, "webhook.rotated", webhook_id, former_until_ms=until_ms)
    return secret


def test(
    connection: Connection, platform_id: int | None, webhook_id: int, *, actor: str, now_ms: int
) -> None:
    """Send that address a message that says nothing but that it is one. Raises NotFound."""
    _found(connection, platform_id, webhook_id)
    notify.test(connection, webhook_id, now_ms)
    _record(connection, now_ms, actor, "webhook.tested", webhook_id)


def deliveries(
    connection: Connection, platform_id: int | None, webhook_id: int, before: int | None, size: int
) -> list[Delivery]:
    """The latest messages to a webhook and how they fared, newest first. Raises NotFound."""
    _found(connection, platform_id, webhook_id)
    return [shown(row) for row in store.deliveries(connection, webhook_id, before, size)]


def redeliver(
    connection: Connection,
    platform_id: int | None,
    webhook_id: int,
    delivery_id: int,
    *,
    actor: str,
    now_ms: int,
) -> None:
    """Send one message once more, under its id. Raises NotFound."""
    _found(connection, platform_id, webhook_id)
    if not store.again(connection, webhook_id, delivery_id, now_ms):
        raise NotFound("unknown_delivery", f"there is no delivery {delivery_id}")
    _record(connection, now_ms, actor, "webhook.redelivered", webhook_id, delivery=delivery_id)


def secrets_of(vault: Vault, delivery: DueDelivery, now_ms: int) -> list[str]:
    """What signs a delivery now: the secret, and the former one while it still does."""
    sealed = [delivery.secret_encrypted]
    if delivery.former_encrypted and now_ms < (delivery.former_until_ms or 0):
        sealed.append(delivery.former_encrypted)
    return [vault.open(it, PURPOSE).decode() for it in sealed]


def next_attempt_ms(attempts: int, now_ms: int) -> int | None:
    """When to try again after that many attempts, None to give up: ten seconds, then four times
    as long each time up to twelve hours, a quarter more or less so that nobody comes in step."""
    if attempts >= MOST_ATTEMPTS:
        return None
    wait_ms: int = min(_FIRST_MS * 4 ** (attempts - 1), _LONGEST_MS)
    spread = wait_ms // 4
    return now_ms + wait_ms - spread + secrets.randbelow(2 * spread + 1)


def shown(row: DeliveryRow) -> Delivery:
    """A delivery as platform and administrators see it."""
    if row.delivered_ms is not None:
        state = DeliveryState.DELIVERED
    else:
        state = DeliveryState.DEAD if row.next_attempt_ms is None else DeliveryState.WAITING
    return Delivery(
        delivery_id=row.id,
        message_id=row.message_id,
        event=WebhookEvent(row.event),
        state=state,
        attempts=row.attempts,
        created_at_ms=row.created_ms,
        next_attempt_at_ms=row.next_attempt_ms,
        delivered_at_ms=row.delivered_ms,
        last_status=row.last_status,
        last_error=row.last_error,
        payload=row.payload,
    )


def _counted(connection: Connection, row: WebhookRow) -> Webhook:
    waiting, dead = store.counts(connection, row.id)
    return Webhook(
        row.id,
        row.platform_id,
        row.url,
        tuple(row.events),
        row.created_ms,
        waiting,
        dead,
        row.former_until_ms,
    )


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _address(url: str, https_only: bool) -> str:
    """The address, if it can be one. Raises BadInput."""
    if url == store.LISTENS:
        return url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    printable = url.isascii() and url.isprintable() and " " not in url
    if host is None or not printable or len(url) > _MAX_URL:
        raise BadInput("bad_url", "url: not an address", field="url")
    schemes = ("https",) if https_only else ("https", "http")
    if parts.scheme not in schemes:
        raise BadInput("bad_url", f"url: must begin with {schemes[0]}://", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("bad_url", "url: no user name, password or fragment", field="url")
    return url


def _found(connection: Connection, platform_id: int | None, webhook_id: int) -> WebhookRow:
    row = store.by_id(connection, webhook_id)
    if row is None or row.disabled_ms is not None or platform_id not in (None, row.platform_id):
        raise NotFound("unknown_webhook", f"there is no webhook {webhook_id}")
    return row


def _record(
    connection: Connection,
    now_ms: int,
    actor: str,
    action: str,
    webhook_id: int,
    **detail: Any,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"webhook:{webhook_id}",
        detail=detail,
    )
