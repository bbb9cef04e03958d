"""What was paid and has to come back (追缴): 虚假培训等套取、骗取资金…予以追缴.

A payment is to come back as soon as the current verdict on its learner is 不接受, or the assessment
was not passed after all: a finding was upheld, or a correction made, after the payment. What people
did about it is only added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from app.clock import day
from app.domain.accounts.users import User
from app.domain.policy.procedure import Office
from app.domain.review import subsidies
from app.domain.review.stage_bodies import Yuan
from app.domain.review.subsidies import ClassSubsidy, SubsidyShare
from app.domain.review.subsidy_standards import fen, yuan
from app.domain.wire import Day, Line, Wire, shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.money import payments as store
from app.store.money.payments import RecoveryRow
from detectors.eligibility import Eligibility

MAX_REASON = 2000
MOST_LEARNERS = 200


class RecoveryState(StrEnum):
    """due: nobody asked for it yet; settled: the verdict no longer asks for it, or all is back."""

    DUE = "due"
    DEMANDED = "demanded"
    RETURNED = "returned"
    SETTLED = "settled"


class RecoveryDeed(StrEnum):
    DEMANDED = "demanded"
    RETURNED = "returned"


# Who may demand a payment back; the money goes back to the finance office.
OFFICE_OF = {RecoveryDeed.DEMANDED: Office.LABOUR, RecoveryDeed.RETURNED: Office.FINANCE}


class Recovered(Wire):
    """What was done about payments, by their learners' row ids. One paper may demand back what was
    paid for several, of each the whole; what came back is told learner by learner."""

    learners: Annotated[list[int], Field(min_length=1, max_length=MOST_LEARNERS)]
    deed: Literal["demanded", "returned"]
    happened_on: Day
    amount_yuan: Yuan | None = None
    document: Line


@dataclass(frozen=True, slots=True)
class Recovery:
    """One payment that is or was to come back."""

    share: SubsidyShare
    state: RecoveryState
    paid_fen: int
    returned_fen: int
    events: Sequence[RecoveryRow]

    @property
    def left_fen(self) -> int:
        return 0 if self.state is RecoveryState.SETTLED else self.paid_fen - self.returned_fen


def of_class(connection: Connection, klass: ClassRow) -> list[Recovery]:
    """Payments of the class that are to come back or were asked for, by the learner's id."""
    return of_subsidy(connection, klass.id, subsidies.of_class(connection, klass))


def of_subsidy(connection: Connection, class_id: int, subsidy: ClassSubsidy) -> list[Recovery]:
    paid = subsidy.of(subsidies.Standing.PAID)
    if not paid:
        return []
    events: dict[int, list[RecoveryRow]] = {}
    for it in store.recoveries(connection, class_id):
        events.setdefault(it.payment_id, []).append(it)
    found = []
    for share in paid:
        assert share.payment is not None
        mine = events.get(share.payment.id, [])
        if mine or _undeserved(share):
            found.append(_recovery(share, mine))
    return found


def _undeserved(share: SubsidyShare) -> bool:
    return share.outcome == Eligibility.INELIGIBLE or share.learner.passed == 0


def _recovery(share: SubsidyShare, events: Sequence[RecoveryRow]) -> Recovery:
    returned = sum(it.amount_fen for it in events if it.deed == RecoveryDeed.RETURNED)
    state = RecoveryState.DUE
    if returned >= share.amount_fen:
        state = RecoveryState.RETURNED
    elif not _undeserved(share):
        state = RecoveryState.SETTLED
    elif any(it.deed == RecoveryDeed.DEMANDED for it in events):
        state = RecoveryState.DEMANDED
    return Recovery(share, state, share.amount_fen, returned, events)


def record(
    connection: Connection,
    class_id: int,
    user: User,
    wanted: Recovered,
    remark: str,
    now_ms: int,
    *,
    seen_fen: int | None = None,
) -> int:
    """Record a demand (labour office) or money that came back (finance office), of each learner by
    itself, of all or of none; the last event's id. `seen_fen`: what of the first was shown as still
    to come back. Raises as `weighed`, and Conflict `recovered_since` where that is otherwise."""
    catalogue.lock_class(connection, class_id)
    cases = weighed(connection, class_id, user, wanted, remark, now_ms)
    if seen_fen not in (None, cases[0].left_fen):
        raise Conflict("recovered_since", "money came back since this was shown")
    klass = catalogue.class_by_id(connection, class_id)
    return [_keep(connection, klass, user, it, wanted, shown_text(remark), now_ms) for it in cases][
        -1
    ]


def weighed(
    connection: Connection,
    class_id: int,
    user: User,
    wanted: Recovered,
    remark: str,
    now_ms: int,
) -> Sequence[Recovery]:
    """The payments that it is about, as they stand before it.

    Raises NotFound, NotAllowed, BadInput by the field's name, Conflict where for one of the
    learners nothing is due.
    """
    if class_file.klass(connection, class_id, user.scope) is None:
        raise NotFound("unknown_class", "there is no such class")
    deed = RecoveryDeed(wanted.deed)
    if not user.decides or user.office is not OFFICE_OF[deed]:
        raise NotAllowed("other_office", f"only accounts of the {OFFICE_OF[deed]} office do this")
    if wanted.happened_on > day(now_ms):
        raise BadInput("in_future", "happened_on: a day that is yet to come", field="happened_on")
    if len(remark) > MAX_REASON:
        raise BadInput("reason_missing", f"remark: at most {MAX_REASON} characters", field="remark")
    klass = catalogue.class_by_id(connection, class_id)
    cases = _cases(of_class(connection, klass), wanted.learners, deed)
    if any(wanted.happened_on < _earliest(it) for it in cases):
        raise BadInput("out_of_order", "happened_on: before the payment", field="happened_on")
    return cases


def _keep(
    connection: Connection,
    klass: ClassRow,
    user: User,
    case: Recovery,
    wanted: Recovered,
    remark: str,
    now_ms: int,
) -> int:
    deed = RecoveryDeed(wanted.deed)
    amount = _amount(case, deed, wanted)
    assert case.share.payment is not None
    payment_id = case.share.payment.id
    event_id = store.add_recovery(
        connection,
        payment_id=payment_id,
        deed=deed,
        amount_fen=amount,
        happened_on=wanted.happened_on.isoformat(),
        document=wanted.document,
        remark=remark,
        done_by=user.actor,
        done_ms=now_ms,
    )
    if deed is RecoveryDeed.RETURNED and amount == case.left_fen:
        store.give_up(connection, payment_id)
    _enter(connection, user, klass.id, case, wanted, amount, remark, now_ms)
    return event_id


def _cases(
    cases: Sequence[Recovery], learners: Sequence[int], deed: RecoveryDeed
) -> Sequence[Recovery]:
    open_in = RecoveryState.DUE if deed is RecoveryDeed.DEMANDED else RecoveryState.DEMANDED
    wanted = set(learners)
    found = [it for it in cases if it.state is open_in and it.share.learner.id in wanted]
    several = deed is not RecoveryDeed.DEMANDED and len(wanted) > 1
    if several or len(found) < len(wanted):
        raise Conflict("nothing_to_recover", "nothing of one of these learners waits for that")
    return found


def _earliest(case: Recovery) -> date:
    """The day of the payment, or of what was done last to have it back."""
    assert case.share.payment is not None
    return max([case.share.payment.paid_on, *(it.happened_on for it in case.events)])


def _amount(case: Recovery, deed: RecoveryDeed, wanted: Recovered) -> int:
    if deed is RecoveryDeed.DEMANDED:
        return case.left_fen
    came = fen(wanted.amount_yuan) if wanted.amount_yuan else 0
    if not 0 < came <= case.left_fen:
        detail = f"amount_yuan: more than nothing, and {yuan(case.left_fen)} at most"
        raise BadInput("more_than_due", detail, field="amount_yuan")
    return came


def _enter(
    connection: Connection,
    user: User,
    class_id: int,
    case: Recovery,
    wanted: Recovered,
    amount_fen: int,
    remark: str,
    now_ms: int,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=f"recovery.{wanted.deed}",
        subject=f"class:{class_id}",
        detail={
            "learner": case.share.learner.id,
            "amount_fen": amount_fen,
            "happened_on": wanted.happened_on.isoformat(),
            "document": wanted.document,
            "remark": remark,
        },
    )
