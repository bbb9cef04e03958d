"""What every check before an assessment is written on: its limits, its subject, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from detectors.batch_facts import CheckPolicy, CheckResult, ClassFacts, Result
from detectors.occupations import Listing, Occupations


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the checks of one pack decide by: their limits by id, and the catalogue of 附件3."""

    checks: Mapping[str, CheckPolicy]
    occupations: Occupations

    def listing(self, klass: ClassFacts) -> Listing | None:
        """Where the class's occupation stands in 附件3; None when it is not there, or unknown."""
        return self.occupations.find(klass.occupation) if klass.occupation else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One check on one subject (class or learner id), with the limit as it is printed."""

    policy: CheckPolicy
    subject: str
    limit: str

    def judged(
        self,
        passed: bool,
        reason: str,
        found: object,
        zh: str,
        en: str,
        next_on: date | None = None,
    ) -> CheckResult:
        """`pass`, or `fail` with `reason`; both sentences hold either way."""
        result = Result.PASS if passed else Result.FAIL
        return self._result(result, "met" if passed else reason, str(found), zh, en, next_on)

    def not_applicable(self, reason: str, zh: str, en: str, found: object = "-") -> CheckResult:
        return self._result(Result.NOT_APPLICABLE, reason, str(found), zh, en)

    def needs_authority(self, reason: str, found: object, zh: str, en: str) -> CheckResult:
        return self._result(Result.NEEDS_AUTHORITY, reason, str(found), zh, en)

    def absent(self, fact: str, zh: str, en: str) -> CheckResult:
        """`not_proven`: nobody supplied `fact`, which both languages name."""
        sentence_zh, sentence_en = f"缺少资料：{zh}", f"not supplied: {en}"
        return self._result(Result.NOT_PROVEN, f"{fact}_unknown", "-", sentence_zh, sentence_en)

    def open(self, reason: str, found: object, zh: str, en: str) -> CheckResult:
        """`not_proven`: the facts are there and not yet decided."""
        return self._result(Result.NOT_PROVEN, reason, str(found), zh, en)

    def _result(
        self,
        result: Result,
        reason: str,
        found: str,
        zh: str,
        en: str,
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
            found=found,
            limit=self.limit,
            zh=zh,
            en=en,
            reach=policy.reach,
            curable=policy.curable,
            unknown=policy.unknown,
            next_on=next_on,
        )
