"""Findings as they are read: in pages, or one with its reviews and appeals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET
from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.cursor import after
from app.domain.faces import face_confidence
from app.domain.faces.face_confidence import FaceEnrolment
from app.domain.judging import wording
from app.domain.judging.views import EnteredFinding, FindingDetail, FindingPage
from app.domain.policy import pack_term
from app.domain.review import appeals, review
from app.domain.review.review import ReviewView
from app.store.bodies import extended
from app.store.review import findings as store
from app.store.review import reviews
from app.store.review.finding_rows import NamedFinding
from app.store.review.findings import FindingQuery
from app.store.scope import AccessScope

PAGE, MOST_PAGE = 100, 500
MOST_OF_A_CLASS = 20_000


def page(
    connection: Connection, scope: AccessScope, wanted: FindingQuery, cursor: str | None, size: int
) -> FindingPage:
    """One page in the order of entry. `next_cursor` never goes stale: what is entered later comes
    after it; None when there is nothing more yet. Raises BadInput for a cursor that is none."""
    rows = store.page(connection, scope, wanted, after(cursor), size + 1)
    return FindingPage(
        findings=_all_shown(connection, rows[:size]),
        next_cursor=str(rows[size - 1].id) if len(rows) > size else None,
    )


def of_class(connection: Connection, class_id: int) -> list[EnteredFinding]:
    """Every finding of a class that stands or was decided."""
    return _all_shown(connection, store.of_class(connection, class_id, MOST_OF_A_CLASS))


def detail(
    connection: Connection, scope: AccessScope, finding_id: int, user: User | None
) -> FindingDetail:
    """One finding with its reviews and appeals. Raises NotFound.

    A person sees reviews as they may (app.domain.review.review); a platform sees what was decided
    and why once it is settled, and never by whom.
    """
    row = review.finding_seen(connection, scope, finding_id)
    given = reviews.of_findings(connection, [finding_id])
    filed = reviews.appeals_of(connection, [finding_id])
    reopened_ms = review.reopened_ms(filed)
    if user is not None:
        written = [
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
        written = [
            ReviewView(
                stage=it.stage, decision=it.decision, reason=it.reason, created_ms=it.created_ms
            )
            for it in given
            if settled
        ]
    (entered,) = _all_shown(connection, [row])
    return extended(
        FindingDetail, entered, reviews=written, appeals=[appeals.shown(it) for it in filed]
    )


def _all_shown(connection: Connection, rows: Sequence[NamedFinding]) -> list[EnteredFinding]:
    enrolled = face_confidence.of_findings(connection, [(it.rule, it.learner_id) for it in rows])
    return [_shown(row, enrolled) for row in rows]


def _shown(row: NamedFinding, enrolled: Mapping[int, FaceEnrolment]) -> EnteredFinding:
    """A finding with where it stands; its `body` is what verdicts hold of it."""
    compares = row.rule in face_confidence.FACE_RULES
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
        pack_term=pack_term.of_class(row.pack, row.starts_on, row.ends_on),
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        face_enrolment=(enrolled.get(row.learner_id or 0) if compares else None) or UNSET,
    )
