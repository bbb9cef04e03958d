"""What a platform says and an act must carry: a later end of a class, and leave it calls approved.

A claim is an act that waits for the authority. A class or a leave without one, of an earlier
version, stands as the platform told it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy import Connection, select

from app.store.review.act_bodies import ClassExtendedBody, LeaveApprovedBody, Said, said
from app.store.review.acts import RecordedActs
from models import Act, LeaveRecord

EXTENSION, LEAVE = "class_extended", "leave_approved"


@dataclass(frozen=True, slots=True)
class _Claim(Generic[Said]):
    body: Said
    accepted: bool


_Claims = defaultdict[int | None, list[_Claim[Said]]]


def accepted_end(connection: Connection, class_id: int, ends_on: str) -> str:
    """The last day of a class as far as the authority accepts it; `ends_on` is the platform's."""
    return _accepted_end(_claims(connection, class_id, EXTENSION, ClassExtendedBody), ends_on)


def accepted_end_of(recorded: RecordedActs, class_id: int, ends_on: str) -> str:
    """As `accepted_end`, by acts that were read."""
    return _accepted_end(_sorted(recorded.of(class_id, EXTENSION), ClassExtendedBody), ends_on)


def _accepted_end(told: _Claims[ClassExtendedBody], ends_on: str) -> str:
    claims = told[None]
    if not claims:
        return ends_on
    former = min((it.body.formerly for it in claims if it.body.formerly), default=ends_on)
    accepted = max((it.body.ends_on for it in claims if it.accepted), default=former)
    return min(ends_on, max(former, accepted))


def unaccepted_leaves(connection: Connection, class_id: int) -> set[int]:
    """Ids of leave records that the platform calls approved and the authority has not accepted."""
    claims = _claims(connection, class_id, LEAVE, LeaveApprovedBody)
    if not claims:
        return set()
    rows = connection.execute(
        select(
            LeaveRecord.id, LeaveRecord.learner_id, LeaveRecord.from_on, LeaveRecord.to_on
        ).where(LeaveRecord.class_id == class_id)
    )
    return _unaccepted(claims, rows)


def unaccepted_of(recorded: RecordedActs, class_id: int, leaves: Iterable[Any]) -> set[int]:
    """As `unaccepted_leaves`, of these leave records of the class, by acts that were read."""
    return _unaccepted(_sorted(recorded.of(class_id, LEAVE), LeaveApprovedBody), leaves)


def _unaccepted(claims: _Claims[LeaveApprovedBody], leaves: Iterable[Any]) -> set[int]:
    found = set()
    for row in leaves:
        mine = claims[row.learner_id]
        leave = LeaveApprovedBody(from_on=row.from_on, to_on=row.to_on)
        covered = any(
            it.body.from_on <= row.from_on and row.to_on <= it.body.to_on
            for it in mine
            if it.accepted
        )
        if not covered and any(it.body == leave for it in mine):
            found.add(row.id)
    return found


def claimed(
    connection: Connection, class_id: int, kind: str, learner_id: int | None, body: dict[str, Any]
) -> bool:
    """Whether this was claimed before and not revoked."""
    query = select(Act.body).where(
        Act.class_id == class_id,
        Act.kind == kind,
        Act.learner_id.is_(None) if learner_id is None else Act.learner_id == learner_id,
        Act.revoked_ms.is_(None),
    )
    return body in connection.execute(query).scalars().all()


def _claims(connection: Connection, class_id: int, kind: str, body: type[Said]) -> _Claims[Said]:
    query = select(Act.learner_id, Act.body, Act.approved_ms, Act.revoked_ms).where(
        Act.class_id == class_id, Act.kind == kind
    )
    return _sorted(connection.execute(query.order_by(Act.id)), body)


def _sorted(rows: Iterable[Any], body: type[Said]) -> _Claims[Said]:
    found: _Claims[Said] = defaultdict(list)
    for row in rows:
        accepted = row.approved_ms is not None and row.revoked_ms is None
        found[row.learner_id].append(_Claim(said(row.body, body), accepted))
    return found
