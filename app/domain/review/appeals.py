"""Appeals: a learner files one against a finding; somebody who did not decide reads it, replies,
and may open the case again.

A finding that was opened again is decided by people who had not decided it before; what was decided
then stays on record and counts no more.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.review import review
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.bodies import Body
from app.store.review import crowds, findings
from app.store.review import reviews as store
from app.store.review.findings import AppealRow
from app.store.scope import AccessScope
from detectors.finding import Evidence

MIN_STATEMENT, MAX_STATEMENT = 4, 2000
MIN_REPLY, MAX_REPLY = 4, 2000
OVER = frozenset({"gone", "overturned"})


class AppealOutcome(StrEnum):
    """`dismissed` leaves the decision as it is; `reopened` has others decide anew."""

    DISMISSED = "dismissed"
    REOPENED = review.REOPENED


class AppealView(Body, frozen=True, kw_only=True):
    """An appeal, and how it was answered."""

    appeal_id: int
    filed_by: str
    statement: str
    created_ms: int
    outcome: str | None = None
    reply: str | None = None
    replied_ms: int | None = None


def file(
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
    row = review.finding_seen(connection, scope, finding_id)
    words = shown_text(statement)
    if not MIN_STATEMENT <= len(words) <= MAX_STATEMENT:
        limits = f"{MIN_STATEMENT} to {MAX_STATEMENT} characters"
        raise BadInput("bad_statement", f"statement: {limits}", field="statement")
    if row.status in OVER:
        raise Conflict("nothing_to_appeal", f"the finding is {row.status}")
    there = findings.appeal(connection, finding_id, actor, words)
    if there is not None:
        return shown(there)
    values = {
        "finding_id": finding_id,
        "filed_by": actor,
        "statement": words,
        "created_ms": now_ms,
    }
    appeal_id = findings.insert_appeal(connection, **values)
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
    row = store.finding(connection, finding_id, scope)
    if row is None or row.shadow or row.evidence == Evidence.STATISTIC:
        return False
    if (row.class_id, row.learner_id) == (class_id, learner_id):
        return True
    return crowds.holds(connection, row, class_id, learner_id)


def shown(row: AppealRow) -> AppealView:
    return AppealView(
        appeal_id=row.id,
        filed_by=row.filed_by,
        statement=row.statement,
        created_ms=row.created_ms,
        outcome=row.outcome,
        reply=row.reply,
        replied_ms=row.replied_ms,
    )


def reply(
    connection: Connection, appeal_id: int, user: User, answer: str, words: str, now_ms: int
) -> int:
    """Answer an appeal, once; the finding it is about.

    Raises NotAllowed for a role that does not decide, NotFound outside the person's scope,
    BadInput for an unknown answer or words too short, Conflict `already_replied`, and
    `own_decision` for somebody who decided the finding.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers answer appeals")
    said = shown_text(words)
    if answer not in set(AppealOutcome):
        raise BadInput("bad_answer", f"answer: one of {', '.join(AppealOutcome)}", field="answer")
    if not MIN_REPLY <= len(said) <= MAX_REPLY:
        limits = f"{MIN_REPLY} to {MAX_REPLY} characters"
        raise BadInput("reply_missing", f"reply: {limits}", field="reply")
    appeal = store.appeal(connection, appeal_id)
    if appeal is None:
        raise _unknown()
    finding = store.finding(connection, appeal.finding_id, user.scope, lock=True)
    locked = store.appeal(connection, appeal_id)  # as it stands under the finding's lock
    if finding is None or locked is None:
        raise _unknown()
    if locked.replied_ms is not None:
        raise Conflict("already_replied", "the appeal was answered")
    if user.id in review.appealed_against(locked, store.ever_decided(connection, [finding.id])):
        raise Conflict("own_decision", "an appeal is answered by somebody who did not decide")
    store.answer(
        connection, appeal_id, outcome=answer, reply=said, replied_by=user.id, replied_ms=now_ms
    )
    if answer == AppealOutcome.REOPENED and finding.status == "upheld":
        store.set_status(connection, finding.id, "open", now_ms)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=f"appeal.{answer}",
        subject=f"finding:{finding.id}",
        detail={"appeal": appeal_id, "reply": said},
    )
    return int(finding.id)


def _unknown() -> NotFound:
    return NotFound("unknown_appeal", "there is no such appeal")
