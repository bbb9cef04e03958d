"""Deciding once a cause: a case settles its findings, each with a review of its own.

Whoever decides has seen so many findings and takes out those that are otherwise; what comes to the
case later waits for a decision of its own. A decision can be undone for minutes by whoever made it,
and corrected later with a reason: what was decided stays on record and counts no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.review import review
from app.domain.review.review import UNDECIDED, ReviewDecision
from app.domain.review.review_queue import ALIKE, may_be_many
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.review import cases as store
from app.store.review import reviews
from app.store.review.cases import CaseFinding, CaseRow
from app.store.scope import AccessScope

MOST = 1_000  # findings decided at once; what is beyond waits for the next decision
MOST_CASES = 100  # decided at once
UNDO_MS = 10 * 60_000  # this product's choice
CORRECTED = "corrected"
SETTLED = frozenset({"upheld", "overturned"})


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """What a decision on a case came to: findings decided, and those left to somebody else."""

    case_id: int
    decided: Sequence[int]
    left: Sequence[int]


@dataclass(frozen=True, slots=True)
class Undecided:
    """The findings of a case that wait: those that this person may decide, and the others."""

    mine: Sequence[CaseFinding]
    others: Sequence[CaseFinding]

    @property
    def seen(self) -> str:
        """What was seen, for a form to bring back."""
        return seen([it.id for it in self.mine])


def seen(finding_ids: Collection[int]) -> str:
    """How many findings were seen to wait, and up to which."""
    return f"{len(set(finding_ids))}-{max(finding_ids, default=0)}"


def is_later(now: str, then: str) -> bool:
    """Whether something of what is seen to wait `now` came after what was `then`; else somebody
    decided meanwhile. What a form brings back may be anything."""
    latest, known = (whole(it.rpartition("-")[2]) for it in (now, then))
    return latest is not None and known is not None and latest > known


def case_seen(connection: Connection, scope: AccessScope, case_id: int) -> CaseRow:
    """A case that has a finding in this scope. Raises NotFound."""
    row = store.one(connection, scope, case_id)
    if row is None:
        raise NotFound("unknown_case", f"there is no case {case_id}")
    return row


def undecided(connection: Connection, user: User, case_id: int, *, lock: bool = False) -> Undecided:
    """What waits in a case, by whether this person may decide it now; up to MOST findings."""
    rows = store.findings_of(
        connection, user.scope, case_id, statuses=UNDECIDED, most=MOST, lock=lock
    )
    may = review.decidable(connection, rows, user) if user.decides else set()
    return Undecided([it for it in rows if it.id in may], [it for it in rows if it.id not in may])


def decide(
    connection: Connection,
    case_id: int,
    user: User,
    decision: str,
    reason: str,
    *,
    without: Collection[int] = (),
    seen: str | None = None,
    now_ms: int,
) -> CaseDecision:
    """Decide what waits in a case with one reason, but what is taken out (`without`).

    All or none. Raises NotAllowed, NotFound, BadInput as `review.decide` does and `none_chosen`
    when nothing is left, Conflict `case_changed` when it holds other findings than were `seen`.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide cases")
    case_seen(connection, user.scope, case_id)
    waiting = undecided(connection, user, case_id, lock=True)
    if seen is not None and seen != waiting.seen:
        raise Conflict("case_changed", "the case holds other findings by now; look again")
    chosen = [it for it in waiting.mine if it.id not in set(without)]
    if not chosen:
        raise BadInput("none_chosen", "findings: none is left to decide", field="without")
    review.decide_all(connection, chosen, user, decision, reason, now_ms)
    decided = [it.id for it in chosen]
    left = {it.id for it in (*waiting.mine, *waiting.others)}.difference(decided)
    return CaseDecision(case_id, decided, sorted(left))


def decide_alike(
    connection: Connection,
    counted: Mapping[int, int],
    user: User,
    decision: str,
    reason: str,
    now_ms: int,
) -> list[CaseDecision]:
    """Decide several cases of light findings that are all alike with one reason, each as `decide`
    does. `counted` says how many findings of each were seen to wait.

    All or none. Raises BadInput `not_alike` when any finding differs in rule, reason, outcome or
    fault, `too_grave` for violations, what needs two persons or voids time, `none_chosen`; Conflict
    `case_changed`; and what `decide` raises.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide cases")
    if not 1 <= len(counted) <= MOST_CASES:
        raise BadInput("none_chosen", f"case: 1 to {MOST_CASES}", field="case")
    held = {it: undecided(connection, user, it, lock=True) for it in sorted(counted)}
    for case_id, waiting in held.items():
        case_seen(connection, user.scope, case_id)
        if len(waiting.mine) + len(waiting.others) != counted[case_id]:
            raise Conflict("case_changed", "a case holds other findings by now; look again")
    rows = [it for waiting in held.values() for it in (*waiting.mine, *waiting.others)]
    if len({tuple(getattr(it, name) for name in ALIKE) for it in rows}) > 1:
        raise BadInput("not_alike", "case: not all alike", field="case")
    if not all(may_be_many(it) for it in rows):
        raise BadInput("too_grave", "case: grave ones are decided one by one", field="case")
    return [decide(connection, it, user, decision, reason, now_ms=now_ms) for it in sorted(held)]


def undoable(connection: Connection, user: User, case_id: int, now_ms: int) -> list[int]:
    """The reviews of this person's last decision on the case that they may still take back."""
    mine = reviews.of_case_by(connection, case_id, user.id, now_ms - UNDO_MS)
    last_ms = max((it.created_ms for it in mine), default=0)
    last = [it for it in mine if it.created_ms == last_ms]
    given = reviews.of_findings(connection, {it.finding_id for it in last})
    newest = max((it.id for it in last), default=0)
    overtaken = any(it.id > newest for it in given)
    return [] if overtaken else [it.id for it in last]


def undo(connection: Connection, user: User, case_id: int, now_ms: int) -> list[int]:
    """Take back this person's last decision on a case; the findings concerned.

    Raises NotAllowed, NotFound, Conflict `too_late` after UNDO_MS, or once somebody else has
    decided on it.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide cases")
    case_seen(connection, user.scope, case_id)
    store.findings_of(connection, user.scope, case_id, lock=True)
    taken = undoable(connection, user, case_id, now_ms)
    if not taken:
        raise Conflict("too_late", "there is no decision of yours that can still be undone")
    concerned = reviews.supersede(connection, taken, now_ms)
    standing = {
        it.finding_id
        for it in reviews.of_findings(connection, concerned)
        if it.decision in set(ReviewDecision) - {ReviewDecision.NEED_MORE}
    }
    for finding_id in concerned:
        status = "first_review" if finding_id in standing else "open"
        reviews.set_status(connection, finding_id, status, now_ms)
        _log(connection, user, "finding.undone", finding_id, now_ms, case=case_id)
    return concerned


def correct(
    connection: Connection,
    user: User,
    case_id: int,
    finding_ids: Collection[int],
    reason: str,
    now_ms: int,
) -> list[int]:
    """Open decided findings of a case again, because what was decided is wrong; those opened.

    It is a review of its own with its reason; what was decided before counts no more. Raises
    NotAllowed, NotFound, BadInput for a missing reason or `none_chosen`.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers correct decisions")
    words = review.checked_reason(reason)
    case_seen(connection, user.scope, case_id)
    rows = store.findings_of(connection, user.scope, case_id, statuses=SETTLED, lock=True)
    chosen = [it.id for it in rows if it.id in set(finding_ids)]
    if not chosen:
        raise BadInput("none_chosen", "findings: none of these is decided", field="finding")
    before = [it.id for it in reviews.of_findings(connection, chosen)]
    reviews.supersede(connection, before, now_ms)
    for finding_id in chosen:
        reviews.insert_review(
            connection,
            finding_id=finding_id,
            reviewer_id=user.id,
            stage="correction",
            decision=CORRECTED,
            reason=words,
            created_ms=now_ms,
        )
        reviews.set_status(connection, finding_id, "open", now_ms)
        _log(connection, user, "finding.corrected", finding_id, now_ms, case=case_id, reason=words)
    return chosen


def _log(
    connection: Connection, user: User, action: str, finding_id: int, now_ms: int, **detail: object
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=action,
        subject=f"finding:{finding_id}",
        detail=detail,
    )
