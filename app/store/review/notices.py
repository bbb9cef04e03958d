"""What waits for a person, counted; what they were told of it; and the outbox of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from app.store.moments import has_come
from app.store.review.finding_queue import TO_DO
from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from app.store.upsert import insert_new, upsert
from models import (
    Appeal,
    Finding,
    MaterialRequest,
    Notice,
    NoticeChoice,
    NoticeDelivery,
    Review,
    ReviewCase,
    Run,
    SignOff,
    TrainingClass,
    User,
)

# ---------------------------------------------------------------------------------- what waits


def cases_waiting(
    connection: Connection, scope: AccessScope, today: str, soon: str, since_ms: int
) -> dict[str, list[int]]:
    """Ids, the latest first, of cases that wait for a decision within the scope, by what is told
    of them: `new_work` (opened since then), `due_soon`, `overdue`, `platform_fault` (a platform's,
    opened since)."""
    tallies: dict[str, ColumnElement[bool]] = {
        "new_work": ReviewCase.opened_ms >= since_ms,
        "due_soon": and_(ReviewCase.due_on >= today, ReviewCase.due_on <= soon),
        "overdue": ReviewCase.due_on < today,
        "platform_fault": and_(Finding.fault == "platform", Finding.created_ms >= since_ms),
    }
    awake = or_(ReviewCase.snoozed_until.is_(None), ReviewCase.snoozed_until <= today)
    told = [func.max(case((it, 1), else_=0)).label(name) for name, it in tallies.items()]
    query = (
        select(ReviewCase.id, *told)
        .select_from(ReviewCase)
        .join(Finding, Finding.case_id == ReviewCase.id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.status.in_(TO_DO), Finding.shadow.is_(False), scope.covers_class(), awake)
        .group_by(ReviewCase.id)
        .order_by(ReviewCase.id.desc())
    )
    rows = connection.execute(query).all()
    return {name: [it.id for it in rows if it._mapping[name]] for name in tallies}


def appeals_unanswered(connection: Connection, scope: AccessScope) -> int:
    """Appeals within the scope that nobody has answered."""
    query = (
        select(func.count())
        .select_from(Appeal)
        .join(Finding, Finding.id == Appeal.finding_id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Appeal.replied_ms.is_(None), scope.covers_class())
    )
    return int(connection.execute(query).scalar_one())


def upheld(connection: Connection, scope: AccessScope, since_ms: int) -> int:
    """Cases of the scope in which something was upheld since then that is the platform's or the
    institution's to answer for."""
    query = (
        select(func.count(Finding.case_id.distinct()))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Review, Review.finding_id == Finding.id)
        .where(
            Finding.status == "upheld",
            Finding.shadow.is_(False),
            or_(Finding.fault.in_(("platform", "institution")), Finding.learner_id.is_(None)),
            Review.created_ms >= since_ms,
            Review.superseded_ms.is_(None),
            scope.covers_class(),
        )
    )
    return int(connection.execute(query).scalar_one())


def lists_signed(connection: Connection, scope: AccessScope, since_ms: int) -> tuple[int, int]:
    """Classes of the scope whose lists were signed since then: for the first time, and as a
    correction."""
    earlier = aliased(SignOff)
    before = exists().where(
        earlier.class_id == SignOff.class_id,
        earlier.signed_ms.is_not(None),
        earlier.id < SignOff.id,
    )
    query = (
        select(
            func.count(case((~before, SignOff.class_id)).distinct()),
            func.count(case((before, SignOff.class_id)).distinct()),
        )
        .join(TrainingClass, TrainingClass.id == SignOff.class_id)
        .where(SignOff.signed_ms >= since_ms, scope.counts_class())
    )
    first, corrected = connection.execute(query).one()
    return first, corrected


def requests_open(connection: Connection, scope: AccessScope) -> int:
    """Requests for material that one platform or one institution has not answered."""
    asked: ColumnElement[bool] = MaterialRequest.platform_id == (scope.platform_id or -1)
    if scope.institution_id is not None:
        asked = MaterialRequest.institution_id == scope.institution_id
    return _requests(connection, asked)


def requests_late(connection: Connection, scope: AccessScope, today: str) -> int:
    """Requests that were made within the scope and whose day passed without an answer."""
    seen = (
        select(Finding.case_id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(scope.covers_class(), Finding.case_id.is_not(None))
    )
    late = and_(MaterialRequest.due_on < today, MaterialRequest.case_id.in_(seen))
    return _requests(connection, late)


def _requests(connection: Connection, which: ColumnElement[bool]) -> int:
    query = (
        select(func.count())
        .select_from(MaterialRequest)
        .where(which, MaterialRequest.withdrawn_ms.is_(None), MaterialRequest.answered_ms.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def nights_failed(connection: Connection, since_ms: int) -> int:
    """Nights begun since then that failed, or met problems."""
    query = select(Run.state, Run.summary).where(
        Run.kind == "nightly", Run.class_id.is_(None), Run.id > 0, Run.started_ms >= since_ms
    )
    return sum(
        row.state == "failed" or bool((row.summary or {}).get("problems"))
        for row in connection.execute(query)
    )


# ------------------------------------------------------------------------------------- the feed


class NoticeRow(Protocol):
    id: int
    user_id: int
    kind: str
    day: str
    count: int
    told_ms: int
    read_ms: int | None


def note(
    connection: Connection, user_id: int, day: str, counts: dict[str, int], now_ms: int
) -> list[str]:
    """Enter what waits on a day; the kinds of which there is more than was told before."""
    fresh = {"user_id": user_id, "day": day, "count": 0, "told_ms": now_ms, "read_ms": None}
    rows = [fresh | {"kind": kind} for kind, count in counts.items() if count]
    insert_new(connection, Notice, rows, ("user_id", "kind", "day"))
    more = []
    for kind, count in counts.items():
        query = (
            update(Notice)
            .where(
                Notice.user_id == user_id,
                Notice.day == day,
                Notice.kind == kind,
                Notice.count < count,
            )
            .values(count=count, told_ms=now_ms, read_ms=None)
        )
        if connection.execute(query).rowcount:
            more.append(kind)
    return more


def feed(connection: Connection, user_id: int, most: int) -> Sequence[NoticeRow]:
    """The latest first."""
    query = select(Notice).where(Notice.user_id == user_id)
    return fetch(
        connection, query.order_by(Notice.told_ms.desc(), Notice.id).limit(most), NoticeRow
    )


def unread(connection: Connection, user_id: int) -> int:
    query = select(func.count()).where(Notice.user_id == user_id, Notice.read_ms.is_(None))
    return int(connection.execute(query).scalar_one())


def read(connection: Connection, user_id: int, until_ms: int, now_ms: int) -> None:
    """What was told up to then has been read."""
    connection.execute(
        update(Notice)
        .where(Notice.user_id == user_id, Notice.read_ms.is_(None), Notice.told_ms <= until_ms)
        .values(read_ms=now_ms)
    )


# ------------------------------------------------------------------------- choices and outbox


class ChoiceRow(Protocol):
    user_id: int
    kinds: list[Any]
    daily: bool
    ways_encrypted: bytes


def choice(connection: Connection, user_id: int) -> ChoiceRow | None:
    query = select(NoticeChoice).where(NoticeChoice.user_id == user_id)
    return fetch_one_or_none(connection, query, ChoiceRow)


def choose(connection: Connection, **values: Any) -> None:
    upsert(connection, NoticeChoice, [values], ("user_id",))


def enter(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Put messages into the outbox; one that is there already stays as it is."""
    insert_new(connection, NoticeDelivery, rows, ("user_id", "way", "message_id"))


class DueNotice(Protocol):
    id: int
    user_id: int
    way: str
    message_id: str
    body: str
    attempts: int
    next_attempt_ms: int
    disabled_ms: int | None


def due(connection: Connection, now_ms: int, most: int) -> Sequence[DueNotice]:
    """Messages whose time has come, the oldest first."""
    query = (
        select(NoticeDelivery, User.disabled_ms)
        .join(User, User.id == NoticeDelivery.user_id)
        .where(has_come(NoticeDelivery.next_attempt_ms, now_ms))
        .order_by(NoticeDelivery.next_attempt_ms, NoticeDelivery.id)
        .limit(most)
    )
    return fetch(connection, query, DueNotice)


def claim(connection: Connection, row: DueNotice, until_ms: int) -> bool:
    """Take one attempt on; False when another process did."""
    result = connection.execute(
        update(NoticeDelivery)
        .where(NoticeDelivery.id == row.id, NoticeDelivery.next_attempt_ms == row.next_attempt_ms)
        .values(next_attempt_ms=until_ms, attempts=NoticeDelivery.attempts + 1)
    )
    return result.rowcount == 1


def attempted(connection: Connection, delivery_id: int, **values: Any) -> None:
    """Write down how an attempt went."""
    connection.execute(
        update(NoticeDelivery).where(NoticeDelivery.id == delivery_id).values(**values)
    )


def forget(connection: Connection, before_ms: int) -> None:
    """Drop what came to its end, and what was told, before then."""
    connection.execute(
        delete(NoticeDelivery).where(
            NoticeDelivery.next_attempt_ms.is_(None), NoticeDelivery.created_ms < before_ms
        )
    )
    connection.execute(delete(Notice).where(Notice.told_ms < before_ms))
