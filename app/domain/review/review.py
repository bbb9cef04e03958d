"""What people decide about findings: the engine proposes, people decide.

One person settles an ordinary finding. A finding that needs two is settled once two different
people have come to the same decision; until someone has decided, they are not told what the
other one decided or why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from app.domain import notify
from app.domain.accounts.users import User
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.bodies import Body
from app.store.review import findings
from app.store.review import reviews as store
from app.store.review.finding_rows import FindingRow, NamedFinding
from app.store.scope import AccessScope

MIN_REASON, MAX_REASON = 4, 2000
UNDECIDED = frozenset({"open", "first_review"})
REOPENED = "reopened"  # the outcome of an appeal that opened the case again


class ReviewDecision(StrEnum):
    """`uphold` confirms the finding, `overturn` strikes it, `need_more` leaves it open."""

    UPHOLD = "uphold"
    OVERTURN = "overturn"
    NEED_MORE = "need_more"


_SETTLED = {ReviewDecision.UPHOLD: "upheld", ReviewDecision.OVERTURN: "overturned"}


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """The outcome of one decision: the review's row and where the finding stands now."""

    review_id: int
    finding_id: int
    stage: str
    decision: ReviewDecision
    status: str

    @property
    def settled(self) -> bool:
        return self.status not in UNDECIDED


class ReviewView(Body, frozen=True, kw_only=True):
    """What one person decided, and why; by whom is told to people of the authority alone."""

    reviewer: str | UnsetType | None = UNSET
    stage: str
    decision: str | None
    reason: str | None
    created_ms: int
    mine: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """A review as one person may see it; `decision` and `reason` are None while kept from them, and
    `reviewer` is None for who is never told it."""

    reviewer: str | None
    stage: str
    decision: str | None
    reason: str | None
    created_ms: int
    mine: bool


def decide(
    connection: Connection, finding_id: int, user: User, decision: str, reason: str, now_ms: int
) -> ReviewResult:
    """Add a person's decision; the caller's transaction commits it with its audit entry.

    Raises NotAllowed for a role that does not decide, NotFound outside the person's scope,
    BadInput for an unknown decision or a missing reason, Conflict when the finding is settled,
    waits for a second person, or was opened again after this person had decided it.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide findings")
    chosen, words = _checked(decision, reason)
    finding = store.finding(connection, finding_id, user.scope, lock=True)
    if finding is None:
        raise NotFound("unknown_finding", "there is no such finding")
    return _decide(
        connection, finding, _spoken(connection, [finding.id]), user, chosen, words, now_ms
    )


def decide_all(
    connection: Connection,
    rows: Sequence[FindingRow],
    user: User,
    decision: str,
    reason: str,
    now_ms: int,
) -> list[ReviewResult]:
    """As `decide` for findings that this person sees, read and locked by the caller."""
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide findings")
    chosen, words = _checked(decision, reason)
    spoken = _spoken(connection, [it.id for it in rows])
    return [_decide(connection, it, spoken, user, chosen, words, now_ms) for it in rows]


class _Spoken(NamedTuple):
    """Reviews that count, appeals, and all decisions that were ever made, by finding."""

    given: Mapping[int, Sequence[store.ReviewRow]]
    filed: Mapping[int, Sequence[Any]]
    made: Mapping[int, Sequence[store.MadeDecision]]

    def of(
        self, finding_id: int
    ) -> tuple[Sequence[store.ReviewRow], Sequence[Any], Sequence[store.MadeDecision]]:
        return (
            self.given.get(finding_id, ()),
            self.filed.get(finding_id, ()),
            self.made.get(finding_id, ()),
        )


def _spoken(connection: Connection, finding_ids: Sequence[int]) -> _Spoken:
    given, filed, made = defaultdict(list), defaultdict(list), defaultdict(list)
    for one in store.of_findings(connection, finding_ids):
        given[one.finding_id].append(one)
    for appeal in store.appeals_of(connection, finding_ids):
        filed[appeal.finding_id].append(appeal)
    if filed:
        for decision in store.ever_decided(connection, filed):
            made[decision.finding_id].append(decision)
    return _Spoken(given, filed, made)


def _decide(
    connection: Connection,
    finding: FindingRow,
    spoken: _Spoken,
    user: User,
    chosen: ReviewDecision,
    words: str,
    now_ms: int,
) -> ReviewResult:
    finding_id = finding.id
    others = _decided_by_others(finding, spoken, user)
    stage = "second" if others else "first"
    review_id = store.insert_review(
        connection,
        finding_id=finding_id,
        reviewer_id=user.id,
        stage=stage,
        decision=chosen,
        reason=words,
        created_ms=now_ms,
    )
    status = _status_after(finding.needs_two_reviewers, chosen, set(others.values()))
    if status is not None:
        store.set_status(connection, finding_id, status, now_ms)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=f"finding.{chosen}",
        subject=f"finding:{finding_id}",
        detail={
            "stage": stage,
            "reason": words,
            "status": status or finding.status,
            "case": finding.case_id,
        },
    )
    decided = ReviewResult(review_id, finding_id, stage, chosen, status or finding.status)
    if decided.settled:
        notify.review_decided(connection, finding.class_id, review_id, now_ms)
    return decided


def decidable(connection: Connection, rows: Sequence[FindingRow], user: User) -> set[int]:
    """Which of these findings this person may decide now, by id."""
    spoken = _spoken(connection, [it.id for it in rows])
    return {it.id for it in rows if not _barrier(it, *spoken.of(it.id), user)}


def _decided_by_others(
    finding: FindingRow, spoken: _Spoken, user: User
) -> dict[int, ReviewDecision]:
    """What others decided since it was last opened, by person. Raises Conflict when this person may
    not decide now."""
    given, filed, made = spoken.of(finding.id)
    barrier = _barrier(finding, given, filed, made, user)
    if barrier is not None:
        raise barrier
    reopened = reopened_ms(filed)
    earlier = _latest_by_person([it for it in given if it.created_ms > reopened])
    return {person: it for person, it in earlier.items() if person != user.id}


def _barrier(
    finding: FindingRow,
    given: Sequence[store.ReviewRow],
    appeals: Sequence[Any],
    made: Sequence[store.MadeDecision],
    user: User,
) -> Conflict | None:
    """Why this person may not decide now; None: they may."""
    if finding.shadow:
        return Conflict("shadow_rule", "findings of a rule on trial are not decided")
    if finding.status not in UNDECIDED:
        return Conflict(
            "already_decided", "the finding is already decided", finding_status=finding.status
        )
    if any(user.id in appealed_against(it, made) for it in appeals if it.outcome == REOPENED):
        return Conflict("decided_before", "after an appeal, others than before decide")
    reopened = reopened_ms(appeals)
    earlier = _latest_by_person([it for it in given if it.created_ms > reopened])
    if finding.needs_two_reviewers and set(earlier) == {user.id}:
        return Conflict(
            "second_person_needed", "the second reviewer must be another person than the first"
        )
    return None


def shown_to(
    user: User, status: str, reviews: Sequence[store.ReviewRow], reopened_ms: int = -1
) -> list[ReviewShown]:
    """One finding's reviews as this person may see them.

    While it is undecided, another's decision and reason are kept back until one has decided; what
    was decided before an appeal opened the case again is known to all. Who is not of the
    authority is told what the platform's key is told: what was settled and why, and never by whom.
    """
    if not user.of_authority:
        return [
            ReviewShown(None, it.stage, it.decision, it.reason, it.created_ms, mine=False)
            for it in reviews
            if status not in UNDECIDED
        ]
    spoken = any(
        it.reviewer_id == user.id and it.decision in _SETTLED and it.created_ms > reopened_ms
        for it in reviews
    )
    blind = status in UNDECIDED and not spoken
    return [
        ReviewShown(
            reviewer=it.reviewer,
            stage=it.stage,
            decision=None if kept else it.decision,
            reason=None if kept else it.reason,
            created_ms=it.created_ms,
            mine=it.reviewer_id == user.id,
        )
        for it in reviews
        for kept in (
            blind
            and it.reviewer_id != user.id
            and it.decision in _SETTLED
            and it.created_ms > reopened_ms,
        )
    ]


def sealed(connection: Connection, entries: Iterable[Any]) -> set[int]:
    """Which of these entries of the audit log tell what somebody decided on a finding that waits
    for another person: until then nobody reads them, or it would reach the second."""
    deeds = {f"finding.{decision}" for decision in _SETTLED}
    decisions = {
        it.id: (int(it.subject.removeprefix("finding:")), it.at_ms)
        for it in entries
        if it.action in deeds
    }
    ids = {finding_id for finding_id, _ in decisions.values()}
    waiting = store.with_status(connection, ids, UNDECIDED)
    filed = defaultdict(list)
    for appeal in store.appeals_of(connection, waiting):
        filed[appeal.finding_id].append(appeal)
    return {
        entry_id
        for entry_id, (finding_id, at_ms) in decisions.items()
        if finding_id in waiting and at_ms > reopened_ms(filed[finding_id])
    }


def deciders(given: Sequence[store.ReviewRow]) -> set[int]:
    """Who decided; asking for more is no decision."""
    return {it.reviewer_id for it in given if it.decision in _SETTLED}


def appealed_against(appeal: Any, made: Sequence[store.MadeDecision]) -> set[int]:
    """Who decided what an appeal is against, until its answer: also who took that back, or
    corrected it, once the appeal was there."""
    return {
        it.reviewer_id
        for it in made
        if (it.superseded_ms is None or it.superseded_ms >= appeal.created_ms)
        and (appeal.replied_ms is None or it.created_ms <= appeal.replied_ms)
    }


def reopened_ms(appeals: Sequence[Any]) -> int:
    """When the finding was last opened again, -1 if never: reviews up to then count no more."""
    return max((it.replied_ms for it in appeals if it.outcome == REOPENED), default=-1)


def _checked(decision: str, reason: str) -> tuple[ReviewDecision, str]:
    if decision not in set(ReviewDecision):
        raise BadInput(
            "bad_decision",
            f"the decision must be one of {', '.join(ReviewDecision)}",
            field="decision",
        )
    return ReviewDecision(decision), checked_reason(reason)


def checked_reason(reason: str) -> str:
    """A reason without blanks around it. Raises BadInput for one too short or long."""
    words = shown_text(reason)
    if not MIN_REASON <= len(words) <= MAX_REASON:
        limits = f"{MIN_REASON} to {MAX_REASON} characters"
        raise BadInput("reason_missing", f"a decision needs a reason of {limits}", field="reason")
    return words


def _latest_by_person(reviews: Sequence[store.ReviewRow]) -> dict[int, ReviewDecision]:
    """Each person's last word; asking for more is not one."""
    return {
        it.reviewer_id: ReviewDecision(it.decision)
        for it in reviews
        if it.decision in set(_SETTLED)
    }


def _status_after(two: bool, chosen: ReviewDecision, others: set[ReviewDecision]) -> str | None:
    """The finding's new status, None where it stays as it is."""
    if chosen is ReviewDecision.NEED_MORE:
        return None
    if not two or chosen in others:
        return _SETTLED[chosen]
    return "first_review"


def finding_seen(connection: Connection, scope: AccessScope, finding_id: int) -> NamedFinding:
    """One finding of this scope. Raises NotFound."""
    row = findings.one(connection, scope, finding_id)
    if row is None:
        raise NotFound("unknown_finding", f"there is no finding {finding_id}")
    return row
