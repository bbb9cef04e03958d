"""What is to be paid for each learner of a class, and why for some nothing is.

Paid is who may be assessed by the current verdict and passed the assessment (the product's reading
of 培训合格人数 and 取证人数), by the county's standard, and who was not paid for the same
occupation and level before: 不得就同一职业同一等级…重复享受补贴, nor for as many trainings of the
year as the pack lets be paid. Both are looked at whenever money is claimed, signed for and paid,
and not only when the class was judged. Amounts are whole 分.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.canonical import canonical
from app.domain import standing as standing_now
from app.domain.catalogue.classes import pack_of
from app.domain.review import subsidy_standards
from app.errors import BadInput, Conflict
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import verdicts
from app.store.judging.unsettled import found_undecided
from app.store.money import payments as store
from app.store.money.payments import CandidateRow, HeldRow, PaymentRow
from app.store.money.standards import StandardRow
from app.store.review import acts
from detectors.eligibility import Eligibility

YEAR_CHECK = "D1"  # of the pack: how many subsidised trainings a person may have in a year


class Standing(StrEnum):
    """How one learner stands to the money of the class."""

    PAYABLE = "payable"
    PAID = "paid"
    NOT_ELIGIBLE = "not_eligible"
    NOT_PASSED = "not_passed"
    PAID_BEFORE = "paid_before"
    YEAR_FULL = "year_full"
    UNDECIDED = "undecided"
    NOT_ASSESSED = "not_assessed"


REFUSED = frozenset(
    {Standing.NOT_ELIGIBLE, Standing.NOT_PASSED, Standing.PAID_BEFORE, Standing.YEAR_FULL}
)
OPEN = frozenset({Standing.UNDECIDED, Standing.NOT_ASSESSED})


@dataclass(frozen=True, slots=True)
class SubsidyShare:
    """One learner's part. `amount_fen` is what is or was paid; `paid_in` the class, by the
    platform's id, in which the same was paid before; `outcome` how the enrolment stands."""

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
    def payable_sha256(self) -> str:
        """Of whom is to be paid how much."""
        told = sorted((it.learner.id, it.amount_fen) for it in self.of(Standing.PAYABLE))
        return hashlib.sha256(canonical(told)).hexdigest()

    def require_passed(self, paid_on: date) -> None:
        """Raises BadInput where somebody is to be paid who passes later than they are paid: what a
        platform tells of a day that is yet to come is no result."""
        last = max((it.learner.passed_on or "" for it in self.of(Standing.PAYABLE)), default="")
        if last > paid_on.isoformat():
            detail = f"paid_on: 有学员{last}才考核合格 / somebody passes on {last} only"
            raise BadInput("not_passed_yet", detail, field="paid_on")

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
    undecided = found_undecided(connection, klass.id)
    paid = {it.learner_id: it for it in store.of_class(connection, klass.id)}
    subject = _subject(klass)
    keys = {it.id: f"{it.person_id}:{subject}" for it in learners}
    already = _Already.of(connection, klass, learners, keys)
    each = standard.amount_fen if standard else 0
    shares: list[SubsidyShare] = []
    mine: set[str] = set()  # one person may have two accounts in a class
    for it in learners:
        key, payment = keys[it.id], paid.get(it.id)
        outcome = outcomes.get(("enrolment", it.enrolment_id, 0), Eligibility.PENDING)
        outcome = standing_now.of_learner(outcome, it.id, undecided)
        before = _whole(already.paid_in(it, key), key in mine, klass)
        standing = _standing(it, outcome, payment, bool(before), already.year_full(it))
        mine |= {key} if standing is Standing.PAYABLE else set()
        amount = payment.amount_fen if payment else each * (standing is Standing.PAYABLE)
        before = before if standing is Standing.PAID_BEFORE else ""
        shares.append(SubsidyShare(it, standing, amount, key, outcome, before, payment))
    return ClassSubsidy(standard, shares)


def _whole(paid_in: str, here: bool, klass: ClassRow) -> str:
    return paid_in or (klass.external_id if here else "")


@dataclass(frozen=True, slots=True)
class _Already:
    """What the class's people were paid for before, and how many trainings of a year are paid;
    `most` None: the pack does not say. `allowed`: up to how many the authority let a learner."""

    subject: str
    by_key: Mapping[str, str]
    by_person: Mapping[int, Sequence[HeldRow]]
    year: str
    most: int | None
    allowed: Mapping[int, int]

    @classmethod
    def of(
        cls,
        connection: Connection,
        klass: ClassRow,
        learners: Sequence[CandidateRow],
        keys: Mapping[int, str],
    ) -> _Already:
        rows = store.held(connection, keys.values(), {it.person_id for it in learners})
        by_person: dict[int, list[HeldRow]] = {}
        for it in rows:
            by_person.setdefault(it.person_id, []).append(it)
        check = pack_of(klass).checks.get(YEAR_CHECK)
        return cls(
            _subject(klass),
            {it.held: it.external_id for it in rows},
            by_person,
            klass.starts_on[:4],
            round(check["max_per_year"]) if check else None,
            _allowed(connection, klass.id),
        )

    def paid_in(self, learner: CandidateRow, key: str) -> str:
        """The class in which the same was paid; a level that nobody stated may be the same."""
        if key in self.by_key:
            return self.by_key[key]
        occupation, _, level = self.subject.rpartition(":")
        for it in self.by_person.get(learner.person_id, ()):
            name, _, its_level = it.held.partition(":")[2].rpartition(":")
            if name == occupation and not (level and its_level):
                return it.external_id
        return ""

    def year_full(self, learner: CandidateRow) -> bool:
        paid = self.by_person.get(learner.person_id, ())
        count = 1 + len({it.class_id for it in paid if it.starts_on[:4] == self.year})
        return self.most is not None and count > max(self.most, self.allowed.get(learner.id, 0))


def _allowed(connection: Connection, class_id: int) -> dict[int, int]:
    """By learner, for how many trainings of the year the authority decided to pay."""
    decided = acts.in_force(connection, [class_id], {"learner_check_decided"})
    return {
        it.learner_id: int(it.body["found"])
        for it in decided
        if it.learner_id is not None
        and it.body["check"] == YEAR_CHECK
        and it.body["decision"] == "allowed"
        and str(it.body["found"]).isdecimal()
    }


def _subject(klass: ClassRow) -> str:
    occupation, level = subsidy_standards.subject_of(klass)
    return f"{occupation}:{level or ''}"[:100]


def _standing(
    learner: CandidateRow, outcome: str, payment: PaymentRow | None, held: bool, full: bool
) -> Standing:
    if payment is not None:
        return Standing.PAID
    if outcome == Eligibility.INELIGIBLE:
        return Standing.NOT_ELIGIBLE
    if learner.passed == 0:
        return Standing.NOT_PASSED
    if held:
        return Standing.PAID_BEFORE
    if full:
        return Standing.YEAR_FULL
    if outcome != Eligibility.ELIGIBLE:
        return Standing.UNDECIDED
    return Standing.PAYABLE if learner.passed else Standing.NOT_ASSESSED


def pay(
    connection: Connection,
    klass: ClassRow,
    event_id: int,
    paid_on: date,
    people: int,
    payable_sha256: str | None,
) -> None:
    """Enter what was paid for each payable learner. `people` is how many the two who signed paid
    for, `payable_sha256` whom (None: that was not kept in their time). Raises Conflict where that
    changed between them, or somebody was paid meanwhile, and as `require_passed`."""
    store.lock_people(connection, store.candidates(connection, klass.id))
    subsidy = of_class(connection, klass)
    subsidy.require_passed(paid_on)
    payable = subsidy.of(Standing.PAYABLE)
    if len(payable) != people:
        raise Conflict("payable_changed", f"{len(payable)} are to be paid for now, not {people}")
    if payable_sha256 not in (None, subsidy.payable_sha256):
        raise Conflict("payable_changed", "others are to be paid for now")
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
