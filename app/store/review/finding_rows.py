"""Findings as rows: what every query of them returns."""

from __future__ import annotations

import msgspec

from app.store.bodies import FindingBody
from detectors.finding import Evidence, Fault, Outcome


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `findings`; without learner and session it is about the class as a whole."""

    id: int
    key: str
    platform_id: int
    class_id: int
    learner_id: int | None
    session_id: int | None
    hour: int | None
    rule: str
    reason: str
    outcome: Outcome
    fault: Fault
    evidence: Evidence
    needs_two_reviewers: bool
    shadow: bool
    start_ms: int | None
    end_ms: int | None
    body: FindingBody
    pack: str
    status: str
    case_id: int | None = None
    created_ms: int
    updated_ms: int


class NamedFinding(FindingRow, frozen=True, kw_only=True):
    """A finding with the names around it as platforms give them; `platform` is a slug."""

    klass: str
    starts_on: str
    ends_on: str
    learner: str | None
    platform: str


class CountyFinding(FindingRow, frozen=True, kw_only=True):
    """A finding with the county that its class is in."""

    county: str


class QueuedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in the queue: what a row shows of it, and what the queue sorts by."""

    id: int
    rule: str
    reason: str
    outcome: Outcome
    fault: Fault
    evidence: Evidence
    status: str
    needs_two_reviewers: bool
    hour: int | None
    session_id: int | None
    start_ms: int | None
    created_ms: int
    body: FindingBody
    pack: str
    gravity: int
    class_id: int
    class_name: str
    starts_on: str
    ends_on: str
    occupation: str
    institution: str
    county: str
    platform_name: str
    learner_id: int | None
    learner_name: str | None
    yuan: int | None
    assignee_id: int | None
    assignee: str | None
