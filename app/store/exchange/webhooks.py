"""Where platforms want to be told, and the outbox of what they are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, func, insert, select, update

from app.store.judging.runs import NamedRun
from app.store.moments import has_come
from app.store.row import fetch, fetch_one, fetch_one_or_none
from app.store.upsert import insert_new
from models import (
    Finding,
    Learner,
    Review,
    Run,
    Session,
    SignOff,
    TrainingClass,
    Verdict,
    Webhook,
    WebhookDelivery,
)

_CHUNK = 500
LISTENS = "listen:"  # in place of an address: nothing is sent there, `zhenxue listen` asks for it
_WAITING = WebhookDelivery.next_attempt_ms.is_not(None)
_DEAD = WebhookDelivery.next_attempt_ms.is_(None) & WebhookDelivery.delivered_ms.is_(None)


def insert_webhook(connection: Connection, **values: Any) -> int:
    return connection.execute(insert(Webhook).values(**values).returning(Webhook.id)).scalar_one()


class WebhookRow(Protocol):
    id: int
    platform_id: int
    url: str
    events: list[Any]
    secret_encrypted: bytes
    former_until_ms: int | None
    created_ms: int
    disabled_ms: int | None


def by_id(connection: Connection, webhook_id: int) -> WebhookRow | None:
    return fetch_one_or_none(
        connection, select(Webhook).where(Webhook.id == webhook_id), WebhookRow
    )


def of_platform(connection: Connection, platform_id: int | None) -> Sequence[WebhookRow]:
    """Webhooks that were not removed, of one platform or of all."""
    query = select(Webhook).where(Webhook.disabled_ms.is_(None)).order_by(Webhook.id)
    if platform_id is not None:
        query = query.where(Webhook.platform_id == platform_id)
    return fetch(connection, query, WebhookRow)


def change_secret(connection: Connection, webhook_id: int, **values: Any) -> None:
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(**values))


def disable(connection: Connection, webhook_id: int, now_ms: int) -> None:
    """Nothing is sent there any more; what waits is given up."""
    connection.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.disabled_ms.is_(None))
        .values(disabled_ms=now_ms)
    )
    connection.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, _WAITING)
        .values(next_attempt_ms=None)
    )


def left_behind(connection: Connection, before_ms: int) -> list[int]:
    """Webhooks that are asked for what waits, and were not since then."""
    query = (
        select(WebhookDelivery.webhook_id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(Webhook.url == LISTENS, Webhook.disabled_ms.is_(None))
        .where(_WAITING, WebhookDelivery.created_ms < before_ms)
    )
    return sorted(connection.execute(query.distinct()).scalars())


class Listener(Protocol):
    id: int
    events: list[Any]
    sandbox: bool


def listeners(connection: Connection, class_id: int) -> Sequence[Listener]:
    """The webhooks of the platform that the class is held on, and whether that is a sandbox."""
    return fetch(
        connection,
        select(Webhook.id, Webhook.events, TrainingClass.sandbox)
        .join(TrainingClass, TrainingClass.platform_id == Webhook.platform_id)
        .where(TrainingClass.id == class_id, Webhook.disabled_ms.is_(None)),
        Listener,
    )


# -------------------------------------------------------------------------------- what is told


class VerdictNotice(Protocol):
    id: int
    outcome: str
    pack: str
    digest: bytes
    body: bytes
    created_ms: int
    klass: str
    session: str
    learner: str


def session_verdicts(connection: Connection, class_id: int, after: int) -> Sequence[VerdictNotice]:
    """Verdicts on sittings of a class that were stored after one of that id."""
    return fetch(
        connection,
        select(
            Verdict.id,
            Verdict.outcome,
            Verdict.pack,
            Verdict.digest,
            Verdict.body,
            Verdict.created_ms,
            TrainingClass.external_id.label("klass"),
            TrainingClass.occupation,
            Session.external_id.label("session"),
            Learner.external_id.label("learner"),
        )
        .join(TrainingClass, TrainingClass.id == Verdict.class_id)
        .join(Session, Session.id == Verdict.subject_id)
        .join(Learner, Learner.id == Session.learner_id)
        .where(Verdict.class_id == class_id, Verdict.subject_kind == "session", Verdict.id > after)
        .order_by(Verdict.id),
        VerdictNotice,
    )


class FindingNotice(Protocol):
    id: int
    class_id: int
    rule: str
    reason: str
    outcome: str
    fault: str
    hour: int | None
    status: str
    shadow: bool
    needs_two_reviewers: bool
    body: dict[str, Any]
    klass: str
    session: str | None
    learner: str | None


def findings(connection: Connection, class_id: int, keys: Collection[str]) -> list[FindingNotice]:
    """Findings of rules that act, by their keys in the class."""
    wanted, found = sorted(keys), list[FindingNotice]()
    for at in range(0, len(wanted), _CHUNK):
        query = _findings().where(
            Finding.class_id == class_id,
            Finding.key.in_(wanted[at : at + _CHUNK]),
            Finding.shadow.is_(False),
        )
        found += fetch(connection, query.order_by(Finding.id), FindingNotice)
    return found


class DecisionNotice(FindingNotice, Protocol):
    decision: str
    decided_ms: int


def reviewed(connection: Connection, review_id: int) -> DecisionNotice:
    """The finding that a review decided, with the decision."""
    return fetch_one(
        connection,
        _findings()
        .add_columns(Review.decision, Review.created_ms.label("decided_ms"))
        .join(Review, Review.finding_id == Finding.id)
        .where(Review.id == review_id),
        DecisionNotice,
    )


class ListsNotice(Protocol):
    class_id: int
    klass: str
    digest: str
    counts: dict[str, int]
    signed_ms: int


def signed_lists(connection: Connection, sign_off_id: int) -> ListsNotice:
    """Lists of a class that were signed."""
    return fetch_one(
        connection,
        select(
            SignOff.class_id,
            TrainingClass.external_id.label("klass"),
            SignOff.digest,
            SignOff.counts,
            SignOff.signed_ms,
        )
        .join(TrainingClass, TrainingClass.id == SignOff.class_id)
        .where(SignOff.id == sign_off_id),
        ListsNotice,
    )


def run(connection: Connection, run_id: int) -> NamedRun | None:
    """The run of a class; None for a run of anything else."""
    return fetch_one_or_none(
        connection,
        select(Run, TrainingClass.external_id.label("klass"), TrainingClass.occupation)
        .join(TrainingClass, TrainingClass.id == Run.class_id)
        .where(Run.id == run_id),
        NamedRun,
    )


def _findings() -> Any:
    return (
        select(
            Finding.id,
            Finding.class_id,
            Finding.rule,
            Finding.reason,
            Finding.outcome,
            Finding.fault,
            Finding.hour,
            Finding.status,
            Finding.shadow,
            Finding.needs_two_reviewers,
            Finding.body,
            TrainingClass.external_id.label("klass"),
            TrainingClass.occupation,
            Session.external_id.label("session"),
            Learner.external_id.label("learner"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Session, Session.id == Finding.session_id, isouter=True)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
    )


# ---------------------------------------------------------------------------------- the outbox


def enter(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Put messages into the outbox; one that is there already stays as it is."""
    insert_new(connection, WebhookDelivery, rows, ("webhook_id", "message_id"))


def with_due(connection: Connection, now_ms: int) -> list[int]:
    """Webhooks that a delivery is due to."""
    query = (
        select(WebhookDelivery.webhook_id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(has_come(WebhookDelivery.next_attempt_ms, now_ms), Webhook.disabled_ms.is_(None))
        .where(Webhook.url != LISTENS)
    )
    return sorted(connection.execute(query.distinct()).scalars())


class DeliveryRow(Protocol):
    id: int
    webhook_id: int
    message_id: str
    event: str
    payload: dict[str, Any]
    created_ms: int
    attempts: int
    next_attempt_ms: int | None
    delivered_ms: int | None
    last_status: int | None
    last_error: str | None


class DueDelivery(DeliveryRow, Protocol):
    url: str
    secret_encrypted: bytes
    former_encrypted: bytes | None
    former_until_ms: int | None


def due(connection: Connection, webhook_id: int, now_ms: int, limit: int) -> Sequence[DueDelivery]:
    """Deliveries to a webhook whose time has come, the oldest first, with where they go."""
    return fetch(
        connection,
        select(
            WebhookDelivery,
            Webhook.url,
            Webhook.secret_encrypted,
            Webhook.former_encrypted,
            Webhook.former_until_ms,
        )
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(has_come(WebhookDelivery.next_attempt_ms, now_ms), Webhook.disabled_ms.is_(None))
        .where(Webhook.id == webhook_id)
        .order_by(WebhookDelivery.id)
        .limit(limit),
        DueDelivery,
    )


def claim(connection: Connection, delivery: DueDelivery, until_ms: int) -> bool:
    """Take one attempt on; False when another process did. Nobody else tries before `until_ms`,
    and whoever dies over it leaves it to the others then."""
    result = connection.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == delivery.id,
            WebhookDelivery.next_attempt_ms == delivery.next_attempt_ms,
        )
        .values(next_attempt_ms=until_ms, attempts=WebhookDelivery.attempts + 1)
    )
    return result.rowcount == 1


def attempted(connection: Connection, delivery_id: int, **values: Any) -> None:
    """Write down how an attempt went."""
    connection.execute(
        update(WebhookDelivery).where(WebhookDelivery.id == delivery_id).values(**values)
    )


def fetched(connection: Connection, webhook_id: int, got: Collection[int], now_ms: int) -> None:
    """A listener has got these."""
    connection.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.id.in_(got), _WAITING)
        .values(
            delivered_ms=now_ms,
            next_attempt_ms=None,
            attempts=WebhookDelivery.attempts + 1,
            last_error=None,
        )
    )


def deliveries(
    connection: Connection, webhook_id: int, before: int | None, size: int
) -> Sequence[DeliveryRow]:
    """The log of a webhook, newest first, from below an id."""
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    return fetch(connection, query.order_by(WebhookDelivery.id.desc()).limit(size), DeliveryRow)


def again(connection: Connection, webhook_id: int, delivery_id: int, now_ms: int) -> bool:
    """Send a message once more from its first attempt on; False when the webhook has no such."""
    result = connection.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
        .values(attempts=0, next_attempt_ms=now_ms, delivered_ms=None)
    )
    return result.rowcount == 1


def counts(connection: Connection, webhook_id: int | None = None) -> tuple[int, int]:
    """(deliveries that wait, those that were given up), of one webhook or of all."""
    found = []
    for condition in (_WAITING, _DEAD):
        query = (
            select(func.count())
            .select_from(WebhookDelivery)
            .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
            .where(condition, Webhook.disabled_ms.is_(None))
        )
        if webhook_id is not None:
            query = query.where(Webhook.id == webhook_id)
        found.append(int(connection.execute(query).scalar_one()))
    return found[0], found[1]
