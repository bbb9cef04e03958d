"""Sharing out the queue: saved views, who looks after what, and deciding many alike at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from app.domain.accounts.users import ALL_COUNTIES, DECIDES, User
from app.domain.review import review
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.review import assignments as store
from app.store.review import finding_queue
from app.store.review.assignments import Colleague
from app.store.review.finding_rows import CountyFinding, QueuedFinding
from detectors.finding import Outcome

MOST_VIEWS, MAX_NAME, MAX_QUERY = 30, 40, 2000
MOST_AT_ONCE = 100
ALIKE = ("rule", "reason", "outcome", "fault")


def save_view(connection: Connection, user: User, name: str, query: str, now_ms: int) -> None:
    """Keep filters under a name; the same name again replaces them. Raises BadInput."""
    kept = shown_text(name)
    if not 1 <= len(kept) <= MAX_NAME or len(query) > MAX_QUERY:
        raise BadInput("bad_view_name", f"name: 1 to {MAX_NAME} characters", field="name")
    known = {row.name for row in store.views(connection, user.id)}
    if kept not in known and len(known) >= MOST_VIEWS:
        raise BadInput("too_many_views", f"{MOST_VIEWS} views are kept at most", field="name")
    store.put_view(connection, user.id, kept, query, now_ms)


def drop_view(connection: Connection, user: User, view_id: int) -> None:
    """Raises NotFound for a view that is not this person's."""
    if not store.drop_view(connection, user.id, view_id):
        raise NotFound("unknown_view", "there is no such view")


def colleagues(connection: Connection, user: User, county: str | None = None) -> list[Any]:
    """Who may decide within the counties of this person, or in one of them, themselves included."""
    everybody = store.colleagues(connection, [str(role) for role in DECIDES])
    mine = set(user.counties)
    known = [
        row
        for row in everybody
        if ALL_COUNTIES in mine or ALL_COUNTIES in row.counties or mine & set(row.counties)
    ]
    return known if county is None else [row for row in known if covers(row, [county])]


def assign(
    connection: Connection, user: User, finding_ids: Sequence[int], to: int | None, now_ms: int
) -> None:
    """Hand the cases of findings to somebody who decides where they lie; None takes them back.

    Raises NotAllowed, NotFound for a finding out of reach, BadInput for somebody who could not
    decide it.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers share out findings")
    rows = _chosen(connection, user, finding_ids)
    filed = {row.case_id for row in rows if row.case_id is not None}
    if to is None:
        store.release(connection, filed)
    else:
        known = {row.id: row for row in colleagues(connection, user)}
        who = known.get(to)
        if who is None or not covers(who, {row.county for row in rows}):
            raise BadInput("bad_assignee", "user: nobody who decides there", field="user")
        store.assign(connection, filed, to, user.id, now_ms)
    for row in rows:
        audit.append(
            connection,
            at_ms=now_ms,
            actor=user.actor,
            action="finding.assigned",
            subject=f"finding:{row.id}",
            detail={"to": None if to is None else known[to].username},
        )


def decide_alike(
    connection: Connection,
    user: User,
    finding_ids: Sequence[int],
    decision: str,
    reason: str,
    now_ms: int,
) -> list[int]:
    """Decide findings that are alike and light with one reason, each with a review of its own.

    All or none. Raises NotAllowed, BadInput `not_alike` when they differ in rule, reason, outcome
    or fault, `too_grave` when one is a violation, needs two persons or voids time; what one
    decision raises.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide findings")
    rows = _chosen(connection, user, finding_ids)
    if len({tuple(getattr(row, name) for name in ALIKE) for row in rows}) > 1:
        raise BadInput("not_alike", "findings: not all alike", field="finding")
    if not all(may_be_many(row) for row in rows):
        raise BadInput("too_grave", "findings: grave ones are decided one by one", field="finding")
    for row in rows:
        review.decide(connection, row.id, user, decision, reason, now_ms)
    return [row.id for row in rows]


def may_be_many(row: CountyFinding | QueuedFinding) -> bool:
    """Light enough to be decided with others: no violation, one person suffices, nothing voided."""
    return not (row.outcome is Outcome.VIOLATION or row.needs_two_reviewers or row.body.voids)


def covers(who: Colleague, counties: Collection[str]) -> bool:
    """Whether somebody decides in all of these counties."""
    return ALL_COUNTIES in who.counties or set(who.counties) >= set(counties)


def _chosen(connection: Connection, user: User, finding_ids: Sequence[int]) -> list[CountyFinding]:
    ids = sorted(set(finding_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise BadInput("none_chosen", f"findings: 1 to {MOST_AT_ONCE}", field="finding")
    rows = finding_queue.some(connection, user.scope, ids)
    if len(rows) < len(ids):
        raise NotFound("unknown_finding", "there is no such finding")
    if any(row.shadow for row in rows):
        raise Conflict("shadow_rule", "findings of a rule on trial are not decided")
    return rows
