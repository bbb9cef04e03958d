"""What every check before an assessment is written on: its limits, its subject, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from detectors.batch_facts import CheckOutcome, CheckPolicy, CheckResult, ClassFacts
from detectors.occupations import OccupationListing, Occupations

ABSENT = "absent"  # the sentence of a check for which nobody supplied a fact


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the checks of one pack decide by: their limits by id, and the catalogue."""

    checks: Mapping[str, CheckPolicy]
    occupations: Occupations

    def listing(self, klass: ClassFacts) -> OccupationListing | None:
        """Where the class's occupation stands in the catalogue; None where it does not."""
        return self.occupations.find(klass.occupation) if klass.occupation else None


@dataclass(frozen=True, slots=True)
class CheckSheet:
    """One check on one subject (class or learner id).

    Each result names the sentence it is told in, `said`, and the numbers that stand in it; a
    reason that needs no second sentence is its own.
    """

    policy: CheckPolicy
    subject: str

    def judged(
        self,
        passed: bool,
        reason: str,
        found: object,
        said: str,
        *,
        next_on: date | None = None,
        **numbers: object,
    ) -> CheckResult:
        """`pass`, or `fail` with `reason`."""
        result = CheckOutcome.PASS if passed else CheckOutcome.FAIL
        reason = "met" if passed else reason
        return self._result(result, reason, found, said, numbers, next_on)

    def not_applicable(self, reason: str, found: object = "-", **numbers: object) -> CheckResult:
        return self._result(CheckOutcome.NOT_APPLICABLE, reason, found, reason, numbers)

    def needs_authority(
        self, reason: str, found: object, said: str | None = None, **numbers: object
    ) -> CheckResult:
        return self._result(CheckOutcome.NEEDS_AUTHORITY, reason, found, said or reason, numbers)

    def absent(self, fact: str) -> CheckResult:
        """`not_proven`: nobody supplied `fact`."""
        return self._result(CheckOutcome.NOT_PROVEN, f"{fact}_unknown", "-", ABSENT, {"fact": fact})

    def open(self, reason: str, found: object, **numbers: object) -> CheckResult:
        """`not_proven`: the facts are there and not yet decided."""
        return self._result(CheckOutcome.NOT_PROVEN, reason, found, reason, numbers)

    def _result(
        self,
        result: CheckOutcome,
        reason: str,
        found: object,
        said: str,
        numbers: Mapping[str, object],
        next_on: date | None = None,
    ) -> CheckResult:
        policy = self.policy
        return CheckResult(
            check=policy.check,
            clause=policy.clause,
            scope=policy.scope,
            subject=self.subject,
            result=result,
            reason=reason,
            found=str(found),
            said=said,
            numbers={name: _number_or_text(value) for name, value in numbers.items()},
            reach=policy.reach,
            curable=policy.curable,
            unknown=policy.unknown,
            next_on=next_on,
        )


def _number_or_text(value: object) -> str | float:
    return value if isinstance(value, int | float) else str(value)
