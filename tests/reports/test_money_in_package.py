"""The money of a class leaves in its package, and what does not hold together is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.reports import money_agreement
from app.reports.package import ndjson

PAID = {"paid_on": "2026-05-01", "amount_yuan": "2401.00", "fund": "skills", "people": 2}


def deed(number: int, step: str, deed: str, who: str, **body: Any) -> dict[str, Any]:
    return {
        "id": number,
        "class_id": 1,
        "step": step,
        "deed": deed,
        "body": body,
        "remark": "同意",
        "done_by": who,
        "done_ms": number * 1000,
    }


def logged(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "at_ms": row["done_ms"],
        "actor": row["done_by"],
        "action": f"stage.{row['deed']}",
        "detail": {"step": row["step"], **row["body"], "remark": row["remark"]},
    }


@pytest.fixture
def stages() -> list[dict[str, Any]]:
    return [
        deed(1, "payment", "first", "user:jin", **PAID),
        deed(2, "payment", "second", "user:cai"),
    ]


@pytest.fixture
def payments() -> list[dict[str, Any]]:
    each = {"class_id": 1, "event_id": 2, "amount_fen": 120_050, "paid_on": "2026-05-01"}
    return [{"id": it, "learner_id": it, **each} for it in (1, 2)]


def found(
    stages: list[dict[str, Any]],
    payments: list[dict[str, Any]],
    audit: list[dict[str, Any]],
    recoveries: list[dict[str, Any]] | None = None,
) -> list[str]:
    members = {
        "stages.ndjson": ndjson(stages),
        "payments.ndjson": ndjson(payments),
        "recoveries.ndjson": ndjson(recoveries or []),
    }
    told = json.loads(json.dumps(audit))
    return [it.code for it in money_agreement.problems(members, told)]


def test_what_was_signed_for_and_paid_holds_together(stages: Any, payments: Any) -> None:
    assert found(stages, payments, [logged(it) for it in stages]) == []


def test_a_step_that_the_audit_log_tells_otherwise_is_named(stages: Any, payments: Any) -> None:
    audit = [logged(it) for it in stages]
    stages[0]["body"] = PAID | {"fund": "other"}
    assert found(stages, payments, audit) == ["stage", "stage"]


def test_one_person_who_signed_twice_is_named(stages: Any, payments: Any) -> None:
    stages[1]["done_by"] = "user:jin"
    assert found(stages, payments, [logged(it) for it in stages]) == ["signatures"]


def test_payments_that_do_not_add_up_are_named(stages: Any, payments: Any) -> None:
    payments[0]["amount_fen"] += 1
    assert found(stages, payments, [logged(it) for it in stages]) == ["sum"]
    assert found(stages, payments[1:], [logged(it) for it in stages]) == ["sum", "people"]


def test_an_advance_is_part_of_what_was_paid(stages: Any, payments: Any) -> None:
    ahead = {"paid_on": "2026-04-10", "amount_yuan": "1000.00", "fund": "skills"}
    rows = [
        deed(3, "advance", "first", "user:jin", basis="enterprise", **ahead),
        deed(4, "advance", "second", "user:cai"),
        deed(5, "payment", "first", "user:jin", **PAID | {"amount_yuan": "1401.00"}),
        deed(2, "payment", "second", "user:cai"),
    ]
    assert found(rows, payments, [logged(it) for it in rows]) == []


def test_a_recovery_that_nobody_logged_is_named(stages: Any, payments: Any) -> None:
    made = {
        "id": 1,
        "payment_id": 1,
        "deed": "returned",
        "amount_fen": 100,
        "happened_on": "2026-06-01",
        "done_by": "user:jin",
        "done_ms": 9,
    }
    audit = [logged(it) for it in stages]
    assert found(stages, payments, audit, [made]) == ["recovery"]


def test_each_batch_of_claims_is_held_against_its_own_payment(stages: Any, payments: Any) -> None:
    one = PAID | {"amount_yuan": "900.00", "people": 1}
    rows = [
        *stages,
        deed(3, "claim_filed", "first", "user:wei", people=1),
        deed(4, "payment", "first", "user:jin", **one),
        deed(5, "payment", "second", "user:cai"),
    ]
    late = {"id": 3, "learner_id": 3, "class_id": 1, "event_id": 5, "paid_on": "2026-06-01"}
    more = [*payments, late | {"amount_fen": 90_000}]
    audit = [logged(it) for it in rows]
    assert found(rows, more, audit) == []
    more[0]["amount_fen"], more[2]["amount_fen"] = 119_950, 90_100  # the sum is the same
    assert found(rows, more, audit) == ["sum"]
