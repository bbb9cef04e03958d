"""A package's steps and payments held against the audit log, the signatures and each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.canonical import canonical
from app.reports.members import PackageProblem, rows

_STEP, _BACK = "stage.", "recovery."

Members = Mapping[str, bytes]
Rows = list[dict[str, Any]]


def problems(members: Members, audit: Rows) -> Iterator[PackageProblem]:
    """Steps, payments and recoveries that another record contradicts."""
    stages, payments = rows(members, "stages.ndjson"), rows(members, "payments.ndjson")
    yield from _logged(stages, audit)
    yield from _two_people(stages)
    yield from _sums(stages, payments)
    yield from _recovered(rows(members, "recoveries.ndjson"), payments, audit)


def _logged(stages: Rows, audit: Rows) -> Iterator[PackageProblem]:
    """Every deed on a step stands in the audit log as it stands here."""
    made = Counter(
        (it["done_ms"], it["done_by"], it["deed"], _said(it["step"], it["body"], it["remark"]))
        for it in stages
    )
    logged = Counter(
        (
            it["at_ms"],
            it["actor"],
            it["action"].removeprefix(_STEP),
            canonical({k: v for k, v in it["detail"].items() if k != "raised_by"}),
        )
        for it in audit
        if it["action"].startswith(_STEP)
    )
    for entry in sorted((made - logged) + (logged - made)):
        detail = f"{entry[2]} at {entry[0]}: record and audit log differ"
        yield PackageProblem("stages.ndjson", "stage", detail)


def _said(step: str, body: Mapping[str, Any], remark: str) -> bytes:
    return canonical({"step": step, **body, "remark": remark})


def _two_people(stages: Rows) -> Iterator[PackageProblem]:
    first: dict[str, str] = {}
    for it in stages:
        if it["deed"] == "first":
            first[it["step"]] = it["done_by"]
        elif it["deed"] == "second" and first.get(it["step"]) in (None, it["done_by"]):
            detail = f"{it['step']}: nobody else signed before {it['done_by']}"
            yield PackageProblem("stages.ndjson", "signatures", detail)


def _sums(stages: Rows, payments: Rows) -> Iterator[PackageProblem]:
    """What learners were paid in each batch is what its step of payment paid, less where more had
    been handed out before, in advance."""
    standing: dict[str, Mapping[str, Any]] = {}
    signed: dict[str, int] = {}
    paid: list[tuple[int, Mapping[str, Any]]] = []
    for it in stages:
        if it["deed"] == "first":
            standing[it["step"]] = it["body"]
        elif it["deed"] == "second":
            signed[it["step"]] = it["id"]
            if it["step"] == "payment":
                paid.append((it["id"], standing.get("payment", {})))
        elif it["deed"] == "returned":
            standing.pop(it["step"], None)
            signed.pop(it["step"], None)
    handed_out = _fen(standing.get("advance", {})) if "advance" in signed else 0
    total = 0
    for event_id, body in paid:
        mine = [it["amount_fen"] for it in payments if it["event_id"] == event_id]
        total += sum(mine)
        due = _fen(body)
        if due != max(0, total - handed_out):
            detail = f"learners were paid {total} fen, the steps say {due} after {handed_out}"
            yield PackageProblem("payments.ndjson", "sum", detail)
        if len(mine) != body.get("people"):
            detail = "are of other people than the step of payment was signed for"
            yield PackageProblem("payments.ndjson", "people", detail)
        handed_out += due
    if {it["event_id"] for it in payments} - {event_id for event_id, _ in paid}:
        detail = "are of other people than the step of payment was signed for"
        yield PackageProblem("payments.ndjson", "people", detail)


def _fen(body: Mapping[str, Any]) -> int:
    return int(Decimal(body.get("amount_yuan", 0)) * 100)


def _recovered(recoveries: Rows, payments: Rows, audit: Rows) -> Iterator[PackageProblem]:
    learner_of = {it["id"]: it["learner_id"] for it in payments}
    made = Counter(
        (
            it["done_ms"],
            it["done_by"],
            it["deed"],
            learner_of.get(it["payment_id"]),
            it["amount_fen"],
            it["happened_on"],
        )
        for it in recoveries
    )
    logged = Counter(
        (
            it["at_ms"],
            it["actor"],
            it["action"].removeprefix(_BACK),
            *map(it["detail"].get, ("learner", "amount_fen", "happened_on")),
        )
        for it in audit
        if it["action"].startswith(_BACK)
    )
    for entry in sorted((made - logged) + (logged - made), key=str):
        detail = f"{entry[2]} at {entry[0]}: record and audit log differ"
        yield PackageProblem("recoveries.ndjson", "recovery", detail)
