"""What is to be paid for each learner of a class, and why for some nothing is.

Paid is who may be assessed by the current verdict and passed the assessment (the product's reading
of 培训合格人数 and 取证人数), by the county's standard, and who was not paid for the same
occupation and level before: 不得就同一职业同一等级…重复享受补贴. Amounts are whole 分.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.domain.review import subsidy_standards
from app.errors import Conflict
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import verdicts
from app.store.money import payments as store
from app.store.money.payments import CandidateRow, PaymentRow
from app.store.money.standards import StandardRow
from detectors.eligibility import Eligibility


class Standing(StrEnum):
    """How one learner stands to the money of the class."""

    PAYABLE = "payable"
    PAID = "paid"
    NOT_ELIGIBLE = "not_eligible"
    NOT_PASSED = "not_passed"
    PAID_BEFORE = "paid_before"
    UNDECIDED = "undecided"
    NOT_ASSESSED = "not_assessed"


REFUSED = frozenset({Standing.NOT_ELIGIBLE, Standing.NOT_PASSED, Standing.PAID_BEFORE})
OPEN = frozenset({Standing.UNDECIDED, Standing.NOT_ASSESSED})


@dataclass(frozen=True, slots=True)
class SubsidyShare:
    """One learner's part. `amount_fen` is what is or was paid; `paid_in` the class, by the
    platform's id, in which the same was paid before; `outcome` the current verdict's."""

    learner: CandidateRow
    standing: Standing
    amount_fen: int
    held: str
    outcome: str
    paid_in: str = ""
    payment: PaymentRow | None = None


@dataclass(frozen=True, slots=True)
class ClassSubsidy:
    """A class's money; without a standard nothing is known to be payable."""

    standard: StandardRow | None
    shares: Sequence[SubsidyShare]

    def of(self, *standings: Standing) -> list[SubsidyShare]:
        return [it for it in self.shares if it.standing in standings]

    @property
    def payable_fen(self) -> int:
        return sum(it.amount_fen for it in self.of(Standing.PAYABLE))

    @property
    def paid_fen(self) -> int:
        return sum(it.amount_fen for it in self.of(Standing.PAID))

    @property
    def each_fen(self) -> int:
        """What the standard gives for one learner; 0 without one."""
        return self.standard.amount_fen if self.standard else 0


def of_class(connection: Connection, klass: ClassRow) -> ClassSubsidy:
    """Every enrolled learner and how they stand, by the platform's id."""
    standard = subsidy_standards.applying(connection, klass)
    learners = store.candidates(connection, klass.id)
    outcomes = verdicts.outcomes(connection, klass.id, ("enrolment",))
    paid = {it.learner_id: it for it in store.of_class(connection, klass.id)}
    subject = _subject(klass)
    keys = {it.id: f"{it.person_id}:{subject}" for it in learners}
    held = store.held(connection, keys.values())
    each = standard.amount_fen if standard else 0
    shares: list[SubsidyShare] = []
    mine: set[str] = set()  # one person may have two accounts in a class
    for it in learners:
        key, payment = keys[it.id], paid.get(it.id)
        outcome = outcomes.get(("enrolment", it.enrolment_id, 0), Eligibility.PENDING)
        standing = _standing(it, outcome, payment, key in held or key in mine)
        mine |= {key} if standing is Standing.PAYABLE else set()
        amount = payment.amount_fen if payment else each * (standing is Standing.PAYABLE)
        before = held.get(key, klass.external_id) if standing is Standing.PAID_BEFORE else ""
        shares.append(SubsidyShare(it, standing, amount, key, outcome, before, payment))
    return ClassSubsidy(standard, shares)


def _subject(klass: ClassRow) -> str:
    occupation, level = subsidy_standards.subject_of(klass)
    return f"{occupation}:{level or ''}"[:100]


def _standing(
    learner: CandidateRow, outcome: str, payment: PaymentRow | None, held: bool
) -> Standing:
    if payment is not None:
        return Standing.PAID
    if outcome == Eligibility.INELIGIBLE:
        return Standing.NOT_ELIGIBLE
    if learner.passed == 0:
        return Standing.NOT_PASSED
    if held:
        return Standing.PAID_BEFORE
    if outcome != Eligibility.ELIGIBLE:
        return Standing.UNDECIDED
    return Standing.PAYABLE if learner.passed else Standing.NOT_ASSESSED


def pay(connection: Connection, klass: ClassRow, event_id: int, paid_on: date, people: int) -> None:
    """Enter what was paid for each payable learner. `people` is how many the two who signed paid
    for. Raises Conflict where that changed between them, or somebody was paid meanwhile."""
    payable = of_class(connection, klass).of(Standing.PAYABLE)
    if len(payable) != people:
        raise Conflict("payable_changed", f"{len(payable)} are to be paid for now, not {people}")
    rows = [
        {
            "class_id": klass.id,
            "learner_id": it.learner.id,
            "event_id": event_id,
            "held": it.held,
            "amount_fen": it.amount_fen,
            "paid_on": paid_on.isoformat(),
        }
        for it in payable
    ]
    try:
        store.add(connection, rows)
    except IntegrityError:
        raise Conflict("payable_changed", "somebody was paid in another class meanwhile") from None
