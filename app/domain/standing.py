"""How study and learners stand now, whatever the machine proposed: the one place that says so.

A verdict says what the machine proposes and never changes; people decide on what was found after
it. Until they have, nobody has lost a class-hour or a sitting, nobody is admitted and nobody
refused. docs/rules.md, section 9.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from detectors.assess import SessionOutcome
from detectors.eligibility import Eligibility

Found = tuple[frozenset[str], frozenset[str]]  # keys of findings: undecided, upheld
NOTHING: Found = (frozenset(), frozenset())


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


class _Key(msgspec.Struct):
    key: str


class _Findings(msgspec.Struct):
    findings: list[_Key] = []


_findings = msgspec.json.Decoder(_Findings)


def of_study(outcome: str, keys: Collection[str], found: Found) -> str:
    """The outcome of a sitting or class-hour as it stands now: it is not lost while people decide
    on what was found in it (`keys`), and lost once one violation is upheld, whatever else is
    open."""
    undecided, upheld = found
    if outcome != SessionOutcome.INVALID or not upheld.isdisjoint(keys):
        return outcome
    return outcome if undecided.isdisjoint(keys) else SessionOutcome.PENDING_REVIEW.value


def of_findings(outcome: str, findings: Iterable[Keyed], found: Found) -> str:
    """`of_study` by the findings of a verdict."""
    return of_study(outcome, {it.key for it in findings}, found)


def of_stored(outcome: str, body: bytes | None, found: Found) -> str:
    """`of_study` by the body of a verdict as it is stored; without one nothing is lost."""
    if body is None:
        return outcome
    return of_findings(outcome, _findings.decode(body).findings, found)


def of_learner(outcome: str, learner_id: int, undecided: Collection[int]) -> str:
    """The outcome of an enrolment as it stands now; empty before it was judged."""
    return Eligibility.PENDING.value if outcome and learner_id in undecided else outcome
