"""Statements and the files that came with them, once a learner is erased or their term is over."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.store.exchange.documents import account_digest
from models import (
    LegalHold,
    Session,
    Statement,
    StatementLink,
    XapiAttachment,
)

_AT_ONCE = 500
_HEX = re.compile(r"[0-9a-f]{56,128}")


def erase(connection: Connection, platform_id: int, learner_id: int, external_id: str) -> int:
    """Remove what statements tell of a learner; how many they are.

    Those are the statements of the learner's sittings; those whose actor is the account that bears
    the learner's id, or somebody who acted in the learner's sittings and in nobody else's; and
    those that name such an agent anywhere, also in a group.
    """
    mine = select(Session.external_id).where(Session.learner_id == learner_id)
    of_platform = Statement.platform_id == platform_id
    own = or_(Statement.session.in_(mine), Statement.account == account_digest(external_id))
    actors = select(Statement.actor).distinct().where(of_platform, own)
    agents = {it for it in connection.scalars(actors) if it is not None}
    agents -= _of_others(connection, platform_id, learner_id, agents)
    told = or_(own, Statement.actor.in_(agents), Statement.object.in_(agents), _names(agents))
    ids = set(connection.scalars(select(Statement.id).where(of_platform, told)))
    ids |= set(_unmarked(connection, platform_id, external_id))
    _remove(connection, platform_id, ids)
    return len(ids)


def _of_others(
    connection: Connection, platform_id: int, learner_id: int, agents: Collection[bytes]
) -> set[bytes]:
    """Agents that acted in others' sittings too: a platform that speaks for everybody."""
    query = (
        select(Statement.actor)
        .distinct()
        .join(Session, Session.external_id == Statement.session)
        .where(
            Statement.platform_id == platform_id,
            Session.platform_id == platform_id,
            Session.learner_id != learner_id,
            Statement.actor.in_(agents),
        )
    )
    return {it for it in connection.scalars(query) if it is not None}


def _names(agents: Collection[bytes]) -> ColumnElement[bool]:
    members = {hashlib.sha256(f"member {it.hex()}".encode()).digest() for it in agents}
    related = StatementLink.related.in_({*agents, *members})
    return Statement.id.in_(select(StatementLink.statement_id).where(related))


def _unmarked(connection: Connection, platform_id: int, external_id: str) -> Iterator[int]:
    """Statements that were stored before their account was noted beside them."""
    query = select(Statement.id, Statement.body).where(
        Statement.platform_id == platform_id,
        Statement.account.is_(None),
        Statement.actor.is_not(None),
        _holds(connection, Statement.body, json.dumps(external_id, ensure_ascii=False)),
    )
    for row in connection.execute(query):
        if json.loads(row.body)["actor"].get("account", {}).get("name") == external_id:
            yield row.id


def forget(connection: Connection, before_ms: int, limit: int) -> int:
    """Remove the oldest statements of before, and their files; how many, `limit` at most. Those of
    a sitting that a legal hold covers stay."""
    held = exists().where(
        Session.platform_id == Statement.platform_id,
        Session.external_id == Statement.session,
        LegalHold.lifted_ms.is_(None),
        or_(LegalHold.class_id == Session.class_id, LegalHold.learner_id == Session.learner_id),
    )
    query = (
        select(Statement.id, Statement.platform_id)
        .where(Statement.stored_ms < before_ms, ~held)
        .order_by(Statement.id)
        .limit(limit)
    )
    due: dict[int, set[int]] = {}
    for row in connection.execute(query):
        due.setdefault(row.platform_id, set()).add(row.id)
    for platform_id, ids in due.items():
        _remove(connection, platform_id, ids)
    return sum(map(len, due.values()))


def _remove(connection: Connection, platform_id: int, ids: Collection[int]) -> None:
    wanted, files = sorted(ids), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        for body in connection.scalars(select(Statement.body).where(Statement.id.in_(part))):
            files |= set(_files(json.loads(body)))
        connection.execute(delete(StatementLink).where(StatementLink.statement_id.in_(part)))
        connection.execute(delete(Statement).where(Statement.id.in_(part)))
    other = aliased(Statement)
    for sha2 in sorted(files):
        still = exists().where(
            other.platform_id == platform_id, _holds(connection, other.body, sha2)
        )
        connection.execute(
            delete(XapiAttachment).where(
                XapiAttachment.platform_id == platform_id, XapiAttachment.sha2 == sha2, ~still
            )
        )


def _files(told: dict[str, Any]) -> Iterator[str]:
    yield from (it["sha2"].lower() for it in told.get("attachments", ()))
    thing = told.get("object", {})
    if thing.get("objectType") == "SubStatement":
        yield from _files(thing)


def _holds(connection: Connection, body: Any, text: str) -> ColumnElement[bool]:
    """Whether the bytes of that text stand in a body, in either case of hexadecimal digits."""
    find = func.instr if connection.dialect.name == "sqlite" else func.pg_catalog.position
    needles = {text.encode(), text.upper().encode()} if _HEX.fullmatch(text) else {text.encode()}
    return or_(*(find(body, it) > 0 for it in needles))
