"""Whether what is claimed, advanced or paid at a step is what the county's standard gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from app.domain.review import subsidies
from app.domain.review.stage_bodies import Advanced, Claimed, Paid
from app.domain.review.subsidies import ClassSubsidy, Standing
from app.domain.review.subsidy_standards import fen, yuan
from app.errors import BadInput, Conflict
from app.store.catalogue.catalogue import ClassRow


def claim_fits(connection: Connection, klass: ClassRow, said: Claimed) -> None:
    """A claim is for everybody who is payable and was not paid yet, for what the standard gives;
    without a standard it is taken as the institution wrote it. Raises BadInput by the field's name,
    Conflict where there is nobody to claim for."""
    subsidy = subsidies.of_class(connection, klass)
    if subsidy.standard is None:
        return
    payable = len(subsidy.of(Standing.PAYABLE))
    if not payable:
        raise Conflict("nobody_payable", "nobody of the class can be claimed for now")
    if said.people != payable:
        raise BadInput("not_the_payable", f"people: {payable} are payable", field="people")
    if fen(said.amount_yuan) != subsidy.payable_fen:
        _wrong_amount(subsidy.payable_fen)


def advance_fits(connection: Connection, klass: ClassRow, said: Advanced) -> None:
    """An advance is no more than the standard's share for the whole roster. Raises Conflict where
    there is none to pay, BadInput by the field's name."""
    subsidy = _with_standard(connection, klass)
    assert subsidy.standard is not None
    share = subsidy.standard.advance_percent
    if not share:
        raise Conflict("no_advance", "the county's standard lets nothing be paid in advance")
    applicant = (klass.terms.get("applicant") or {}).get("type")
    if said.basis == "enterprise" and applicant != "enterprise":
        detail = "basis: no enterprise applied for this class"
        raise BadInput("not_an_enterprise", detail, field="basis")
    most = subsidy.each_fen * len(subsidy.shares) * share // 100
    if fen(said.amount_yuan) > most:
        detail = f"amount_yuan: {share} % of what the standard gives is {yuan(most)} at most"
        raise BadInput("more_than_advance", detail, field="amount_yuan")


def payment_fits(
    connection: Connection,
    klass: ClassRow,
    said: Paid,
    claimed: Mapping[str, Any],
    handed_out: Iterable[Mapping[str, Any]],
) -> None:
    """Paid is what `due_fen` says, and what is payable is never more than was claimed.

    Raises Conflict where there is no standard or the claim no longer covers it, BadInput also where
    somebody passes later than that day."""
    subsidy = _with_standard(connection, klass)
    subsidy.require_passed(said.paid_on)
    if subsidy.payable_fen > fen(Decimal(claimed["amount_yuan"])):
        detail = f"{yuan(subsidy.payable_fen)} is payable now, more than was claimed"
        raise Conflict("claim_too_small", detail)
    due = due_fen(subsidy, handed_out)
    if fen(said.amount_yuan) != due:
        _wrong_amount(due)


def due_fen(subsidy: ClassSubsidy, handed_out: Iterable[Mapping[str, Any]]) -> int:
    """What is to be handed out now: all that the class's learners were or are to be paid, less what
    was handed out in advance and for earlier batches. An advance beyond one batch is taken off the
    next."""
    return max(0, subsidy.paid_fen + subsidy.payable_fen - _sum(handed_out))


def beyond_fen(subsidy: ClassSubsidy, handed_out: Iterable[Mapping[str, Any]]) -> int:
    """What was handed out beyond what the class's learners were or are to be paid, as an advance
    may be."""
    return max(0, _sum(handed_out) - subsidy.paid_fen - subsidy.payable_fen)


def _sum(handed_out: Iterable[Mapping[str, Any]]) -> int:
    return sum(fen(Decimal(it.get("amount_yuan", 0))) for it in handed_out)


def payable(connection: Connection, klass: ClassRow) -> dict[str, Any]:
    """How many are payable, and a digest of who they are and for how much."""
    subsidy = subsidies.of_class(connection, klass)
    return {
        "people": len(subsidy.of(Standing.PAYABLE)),
        "payable_sha256": subsidy.payable_sha256,
    }


def _with_standard(connection: Connection, klass: ClassRow) -> ClassSubsidy:
    subsidy = subsidies.of_class(connection, klass)
    if subsidy.standard is None:
        raise Conflict("no_standard", f"{klass.county} has no standard that applies to this class")
    return subsidy


def _wrong_amount(due: int) -> None:
    detail = f"amount_yuan: by the standard it is {yuan(due)}"
    raise BadInput("not_the_amount", detail, field="amount_yuan")
