"""xAPI statements: added, never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.store.exchange.documents import account_digest
from app.store.row import fetch, fetch_one_or_none
from models import Learner, Lesson, Platform, Session, Statement, StatementLink, TrainingClass

_AT_ONCE = 500  # SQLite allows 32766 parameters


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """What is asked for; None matches all. `agent` and `activity` match who did it and to whom or
    what it was done, and by the digests beside them, wherever else a statement names them; stored
    after `since_ms`, up to and including `until_ms`."""

    agent: bytes | None = None
    agent_link: bytes | None = None
    verb: bytes | None = None
    activity: bytes | None = None
    activity_link: bytes | None = None
    registration: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    ascending: bool = False


def queue(connection: Connection, platform_id: int) -> None:
    """Wait until no other transaction adds statements of this platform, and keep the next out."""
    connection.execute(
        select(Platform.id).where(Platform.id == platform_id).with_for_update(key_share=True)
    )


def bodies(
    connection: Connection, platform_id: int, statement_ids: Sequence[str]
) -> dict[str, bytes]:
    """Those of the statements that are stored: body by id."""
    found: dict[str, bytes] = {}
    for start in range(0, len(statement_ids), _AT_ONCE):
        query = select(Statement.statement_id, Statement.body).where(
            Statement.platform_id == platform_id,
            Statement.statement_id.in_(statement_ids[start : start + _AT_ONCE]),
        )
        found.update((row.statement_id, row.body) for row in connection.execute(query))
    return found


def add(
    connection: Connection, rows: Sequence[dict[str, Any]], links: Sequence[Collection[bytes]]
) -> None:
    """Store statements, each with the digests of what it is related to besides."""
    if not rows:
        return
    query = insert(Statement).returning(Statement.id, Statement.statement_id)
    numbers = {row.statement_id: row.id for row in connection.execute(query, list(rows))}
    linked = [
        {
            "platform_id": row["platform_id"],
            "statement_id": numbers[row["statement_id"]],
            "related": related,
        }
        for row, related_to in zip(rows, links, strict=True)
        for related in sorted(related_to)
    ]
    if linked:
        connection.execute(insert(StatementLink), linked)


def sent_before(
    connection: Connection, platform_id: int, actor: bytes, before_ms: int, limit: int
) -> list[tuple[int, bytes]]:
    """(stored_ms, body) of an actor's last statements before a moment."""
    query = (
        select(Statement.stored_ms, Statement.body)
        .where(
            Statement.platform_id == platform_id,
            Statement.actor == actor,
            Statement.stored_ms < before_ms,
        )
        .order_by(Statement.id.desc())
        .limit(limit)
    )
    return [(stored_ms, body) for stored_ms, body in connection.execute(query)]


class StatementSitting(Protocol):
    id: int
    external_id: str
    opened_ms: int
    next_seq: int
    play_pos_ms: int
    pack_id: str
    pack_version: str
    controls: str
    sandbox: bool
    ahead_ms: int
    media_ms: int


def sessions(
    connection: Connection, platform_id: int, names: Collection[str]
) -> Sequence[StatementSitting]:
    """The sittings of those names, locked: their number of the next event, and their terms."""
    query = (
        select(
            Session.id,
            Session.external_id,
            Session.opened_ms,
            Session.next_seq,
            Session.play_pos_ms,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            TrainingClass.controls,
            TrainingClass.sandbox,
            TrainingClass.ahead_ms,
            Lesson.media_ms,
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Lesson, Lesson.id == Session.lesson_id)
        .where(Session.platform_id == platform_id, Session.external_id.in_(names))
        .order_by(Session.id)
        .with_for_update(of=Session, key_share=True)
    )
    return fetch(connection, query, StatementSitting)


class FateCount(Protocol):
    fate: str
    statements: int
    sessions: int
    last_ms: int


def fates(
    connection: Connection, platform_id: int, wanted: Sequence[str], since_ms: int
) -> Sequence[FateCount]:
    """(fate, statements, sessions, last_ms) of a platform's statements of these fates."""
    return fetch(connection, _counted(platform_id, wanted, since_ms), FateCount)


def _counted(
    platform_id: int, fates: Sequence[str], since_ms: int
) -> Select[str | None, int, int, int]:
    return (
        select(
            Statement.fate,
            func.count().label("statements"),
            func.count(Statement.session.distinct()).label("sessions"),
            func.max(Statement.stored_ms).label("last_ms"),
        )
        .where(
            Statement.platform_id == platform_id,
            Statement.fate.in_(fates),
            Statement.stored_ms >= since_ms,
        )
        .group_by(Statement.fate)
        .order_by(Statement.fate)
    )


def fates_of_learner(
    connection: Connection,
    platform_id: int,
    learner_id: int,
    fates: Sequence[str],
    since_ms: int,
    *,
    elsewhere: str,
) -> Sequence[FateCount]:
    """What of these fates befell statements of a learner: of the learner's sittings, but for those
    that came there by mistake (the fate `elsewhere`), or of the account that bears the learner's
    id."""
    name = select(Learner.external_id).where(Learner.id == learner_id)
    mine = select(Session.external_id).where(
        Session.platform_id == platform_id, Session.learner_id == learner_id
    )
    account = account_digest(connection.execute(name).scalar_one())
    own = or_(
        and_(Statement.session.in_(mine), Statement.fate != elsewhere),
        Statement.account == account,
    )
    return fetch(connection, _counted(platform_id, fates, since_ms).where(own), FateCount)


class OneStatement(Protocol):
    body: bytes
    stored_ms: int
    voided: bool


def one(connection: Connection, platform_id: int, statement_id: str) -> OneStatement | None:
    """(body, stored_ms, voided) of a statement."""
    query = select(Statement.body, Statement.stored_ms, _voided().label("voided")).where(
        Statement.platform_id == platform_id, Statement.statement_id == statement_id
    )
    return fetch_one_or_none(connection, query, OneStatement)


class StatementRow(Protocol):
    id: int
    body: bytes
    stored_ms: int


def page(
    connection: Connection, platform_id: int, wanted: StatementFilter, after: int | None, size: int
) -> Sequence[StatementRow]:
    """Up to `size` statements (id, body, stored_ms) that are not voided, newest first unless
    `ascending`; `after` is the row id that the page before ended with. A statement about another
    one is found by what that one says, too, even when it was voided."""
    says = _says(Statement, platform_id, wanted)
    rows = _page(connection, platform_id, wanted, after, size, says)
    if not says:
        return rows
    other = aliased(Statement)
    about = exists().where(
        other.platform_id == platform_id,
        other.statement_id == Statement.refers,
        *_says(other, platform_id, wanted),
    )
    referring = [Statement.refers.is_not(None), about]
    found = {row.id: row for row in _page(connection, platform_id, wanted, after, size, referring)}
    found.update((row.id, row) for row in rows)
    return [found[id] for id in sorted(found, reverse=not wanted.ascending)][:size]


def _page(
    connection: Connection,
    platform_id: int,
    wanted: StatementFilter,
    after: int | None,
    size: int,
    says: Sequence[ColumnElement[bool]],
) -> Sequence[StatementRow]:
    query = select(Statement.id, Statement.body, Statement.stored_ms).where(
        Statement.platform_id == platform_id, ~_voided(), *says
    )
    if wanted.since_ms is not None:
        query = query.where(Statement.stored_ms > wanted.since_ms)
    if wanted.until_ms is not None:
        query = query.where(Statement.stored_ms <= wanted.until_ms)
    if wanted.ascending:
        query = query.where(Statement.id > after) if after is not None else query
        query = query.order_by(Statement.id)
    else:
        query = query.where(Statement.id < after) if after is not None else query
        query = query.order_by(Statement.id.desc())
    return fetch(connection, query.limit(size), StatementRow)


def _says(
    table: type[Statement], platform_id: int, wanted: StatementFilter
) -> list[ColumnElement[bool]]:
    said: list[ColumnElement[bool]] = []
    if wanted.verb is not None:
        said.append(table.verb == wanted.verb)
    if wanted.registration is not None:
        said.append(table.registration == wanted.registration)
    if wanted.agent is not None:
        primary = or_(table.actor == wanted.agent, table.object == wanted.agent)
        said.append(or_(primary, _linked(table, platform_id, wanted.agent_link)))
    if wanted.activity is not None:
        linked = _linked(table, platform_id, wanted.activity_link)
        said.append(or_(table.object == wanted.activity, linked))
    return said


def _linked(table: type[Statement], platform_id: int, related: bytes | None) -> ColumnElement[bool]:
    if related is None:
        return false()
    found = select(StatementLink.statement_id).where(
        StatementLink.platform_id == platform_id, StatementLink.related == related
    )
    return table.id.in_(found)


def _voided() -> ColumnElement[bool]:
    """A statement is voided by another that says so, whichever came first; what voids stays."""
    other = aliased(Statement)
    taken_back = exists().where(
        other.platform_id == Statement.platform_id, other.voids == Statement.statement_id
    )
    return Statement.voids.is_(None) & taken_back
