"""Findings as the API tells them, and the appeals that learners have against them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.judging import wording
from app.domain.judging.views import (
    AppealView,
    EnteredFinding,
    FindingDetail,
    FindingPage,
    ReviewView,
)
from app.domain.review import review
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.bodies import extended
from app.store.review import crowds, reviews
from app.store.review import findings as store
from app.store.review.finding_rows import NamedFinding
from app.store.review.findings import FindingQuery
from app.store.scope import AccessScope
from detectors.finding import Evidence

PAGE, MOST_PAGE = 100, 500
MOST_OF_A_CLASS = 20_000
MIN_STATEMENT, MAX_STATEMENT = 4, 2000
OVER = frozenset({"gone", "overturned"})


def page(
    connection: Connection, scope: AccessScope, wanted: FindingQuery, cursor: str | None, size: int
) -> FindingPage:
    """One page in the order of entry. `next_cursor` never goes stale: what is entered later comes
    after it; None when there is nothing more yet. Raises BadInput for a cursor that is none."""
    rows = store.page(connection, scope, wanted, after(cursor), size + 1)
    return FindingPage(
        findings=[shown(row) for row in rows[:size]],
        next_cursor=str(rows[size - 1].id) if len(rows) > size else None,
    )


def of_class(connection: Connection, class_id: int) -> list[EnteredFinding]:
    """Every finding of a class that stands or was decided."""
    return [shown(row) for row in store.of_class(connection, class_id, MOST_OF_A_CLASS)]


def detail(
    connection: Connection, scope: AccessScope, finding_id: int, user: User | None
) -> FindingDetail:
    """One finding with its reviews and appeals. Raises NotFound.

    A person sees reviews as they may (app.domain.review.review); a platform sees what was decided
    and why once it is settled, and never by whom.
    """
    row = _found(connection, scope, finding_id)
    given = reviews.of_findings(connection, [finding_id])
    filed = reviews.appeals_of(connection, [finding_id])
    reopened_ms = review.reopened_ms(filed)
    if user is not None:
        told = [
            ReviewView(
                reviewer=it.reviewer,
                stage=it.stage,
                decision=it.decision,
                reason=it.reason,
                created_ms=it.created_ms,
                mine=it.mine,
            )
            for it in review.shown_to(user, row.status, given, reopened_ms)
        ]
    else:
        settled = row.status not in review.UNDECIDED
        told = [
            ReviewView(
                stage=it.stage, decision=it.decision, reason=it.reason, created_ms=it.created_ms
            )
            for it in given
            if settled
        ]
    return extended(FindingDetail, shown(row), reviews=told, appeals=[_appeal(it) for it in filed])


def appeal(
    connection: Connection,
    scope: AccessScope,
    finding_id: int,
    statement: str,
    *,
    actor: str,
    now_ms: int,
) -> AppealView:
    """File an appeal; the same words again are the same appeal.

    A platform's key files for the learner the finding is about. Raises NotFound, BadInput for a
    statement too short or long, Conflict `nothing_to_appeal` where nothing stands any more.
    """
    row = _found(connection, scope, finding_id)
    words = statement.strip()
    if not MIN_STATEMENT <= len(words) <= MAX_STATEMENT:
        limits = f"{MIN_STATEMENT} to {MAX_STATEMENT} characters"
        raise BadInput("bad_statement", f"statement: {limits}", field="statement")
    if row.status in OVER:
        raise Conflict("nothing_to_appeal", f"the finding is {row.status}")
    there = store.appeal(connection, finding_id, actor, words)
    if there is not None:
        return _appeal(there)
    values = {
        "finding_id": finding_id,
        "filed_by": actor,
        "statement": words,
        "created_ms": now_ms,
    }
    appeal_id = store.insert_appeal(connection, **values)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="finding.appealed",
        subject=f"finding:{finding_id}",
        detail={"appeal": appeal_id, "learner": row.learner},
    )
    return AppealView(appeal_id=appeal_id, filed_by=actor, statement=words, created_ms=now_ms)


def concerns(
    connection: Connection, scope: AccessScope, finding_id: int, class_id: int, learner_id: int
) -> bool:
    """Whether a learner of a class may be told of the finding: it is theirs, or a case in which
    their sittings wait with others', and not on trial."""
    row = reviews.finding(connection, finding_id, scope)
    if row is None or row.shadow or row.evidence == Evidence.STATISTIC:
        return False
    if (row.class_id, row.learner_id) == (class_id, learner_id):
        return True
    return crowds.holds(connection, row, class_id, learner_id)


def shown(row: NamedFinding) -> EnteredFinding:
    """A finding with where it stands; its `body` is what verdicts hold of it."""
    return extended(
        EnteredFinding,
        wording.finding(row.body),
        id=row.id,
        platform_id=row.platform,
        class_id=row.klass,
        learner_id=row.learner,
        outcome=row.outcome,
        status=row.status,
        needs_two_reviewers=row.needs_two_reviewers,
        pack=row.pack,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
    )


def _found(connection: Connection, scope: AccessScope, finding_id: int) -> NamedFinding:
    row = store.one(connection, scope, finding_id)
    if row is None:
        raise NotFound("unknown_finding", f"there is no finding {finding_id}")
    return row


def after(cursor: str | None) -> int:
    """The row id that a page begins after. Raises BadInput."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        raise BadInput("bad_cursor", "cursor: not one that this service gave", field="cursor")
    return int(cursor)


def _appeal(row: Any) -> AppealView:
    return AppealView(
        appeal_id=row.id,
        filed_by=row.filed_by,
        statement=row.statement,
        created_ms=row.created_ms,
        outcome=row.outcome,
        reply=row.reply,
        replied_ms=row.replied_ms,
    )
