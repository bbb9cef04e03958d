"""Answering an appeal: somebody who did not decide reads it, replies, and may open the case again.

A finding that was opened again is decided by people who had not decided it before; what was decided
then stays on record and counts no more.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.review import review
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.review import reviews as store

MIN_REPLY, MAX_REPLY = 4, 2000


class AppealOutcome(StrEnum):
    """`dismissed` leaves the decision as it is; `reopened` has others decide anew."""

    DISMISSED = "dismissed"
    REOPENED = review.REOPENED


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
    said = words.strip()
    if answer not in set(AppealOutcome):
        raise BadInput("bad_answer", f"answer: one of {', '.join(AppealOutcome)}", field="answer")
    if not MIN_REPLY <= len(said) <= MAX_REPLY:
        limits = f"{MIN_REPLY} to {MAX_REPLY} characters"
        raise BadInput("reply_missing", f"reply: {limits}", field="reply")
    appeal = store.appeal(connection, appeal_id)
    finding = appeal and store.finding(connection, appeal.finding_id, user.scope, lock=True)
    if appeal is None or finding is None:
        raise NotFound("unknown_appeal", "there is no such appeal")
    appeal = store.appeal(connection, appeal_id)  # as it stands under the finding's lock
    if appeal.replied_ms is not None:
        raise Conflict("already_replied", "the appeal was answered")
    if user.id in review.deciders(store.of_findings(connection, [finding.id])):
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
