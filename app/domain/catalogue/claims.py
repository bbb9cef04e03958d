"""A platform's word that bears on what counts becomes an act that waits for the authority.

However it comes, by `PUT`, a list or an import: until somebody of the authority accepts it on the
class's page, what rests on it counts for nobody and accuses nobody.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.domain.policy import packs
from app.store.accounts import audit
from app.store.catalogue.catalogue import ClassRow
from app.store.review import acts, claims


def extended(
    connection: Connection, klass: ClassRow, before: str, after: str, actor: str, now_ms: int
) -> None:
    """A class in which people have studied is to end later."""
    if _pack(klass).extension_needs_act and after > before:
        body = {"ends_on": after, "formerly": before}
        reason = f"平台把结束日期从{before}推迟到{after}"
        _claim(connection, klass, claims.EXTENSION, None, body, reason, actor, now_ms)


def on_leave(
    connection: Connection, klass: ClassRow, row: dict[str, Any], actor: str, now_ms: int
) -> None:
    """A leave record that calls itself written and approved."""
    if _pack(klass).leave_needs_act and row["written"] and row["approved"]:
        body = {"from_on": row["from_on"], "to_on": row["to_on"]}
        reason = f"平台报送的书面请假：{row['body'].get('reason') or '未写事由'}"
        _claim(connection, klass, claims.LEAVE, row["learner_id"], body, reason, actor, now_ms)


def joined(
    connection: Connection, klass: ClassRow, learner_id: int, first_on: str, actor: str, now_ms: int
) -> None:
    """Somebody comes late by a roster: in force at once, as the roster is."""
    body, reason = {"first_on": first_on}, "花名册所列入班日期"
    _add(connection, klass, "joined_late", learner_id, body, reason, actor, now_ms, in_force=True)


def _claim(
    connection: Connection,
    klass: ClassRow,
    kind: str,
    learner_id: int | None,
    body: dict[str, Any],
    reason: str,
    actor: str,
    now_ms: int,
) -> None:
    if claims.claimed(connection, klass.id, kind, learner_id, body):
        return
    _add(connection, klass, kind, learner_id, body, reason, actor, now_ms)


def _add(
    connection: Connection,
    klass: ClassRow,
    kind: str,
    learner_id: int | None,
    body: dict[str, Any],
    reason: str,
    actor: str,
    now_ms: int,
    *,
    in_force: bool = False,
) -> None:
    values = {"kind": kind, "class_id": klass.id, "learner_id": learner_id, "body": body}
    by = {"recorded_by": actor, "recorded_ms": now_ms}
    if in_force:
        by |= {"approved_by": actor, "approved_ms": now_ms}
    act_id = acts.add(connection, **values, **by, reason=reason, document="")
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="act.recorded",
        subject=f"act:{act_id}",
        detail={"kind": kind, "class": klass.external_id, "reason": reason},
    )


def _pack(klass: ClassRow) -> packs.Pack:
    return packs.load(klass.pack_id, klass.pack_version)
