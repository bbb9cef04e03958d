"""The steps of a class from application to payment, as `detectors/packs/procedures` has them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Literal

import msgspec
from msgspec.structs import replace

from app.domain.policy import clauses, packs
from app.domain.policy.clauses import Clause
from app.domain.policy.packs import FOLDER
from app.languages import Text
from detectors.batch_facts import CheckPolicy

STAGES = ("opening", "supervision", "assessment", "claim", "publication", "payment")
CLAIM = "claim_filed"
_CLASS_DAYS = ("starts_on", "assessment_on")


class Office(StrEnum):
    """Who acts on steps: the department in charge, the labour and the finance office."""

    INDUSTRY = "industry"
    LABOUR = "labour"
    FINANCE = "finance"


class TermUnit(StrEnum):
    DAYS = "days"
    WORKING_DAYS = "working_days"


class TermSource(StrEnum):
    """quoted: the days stand in a clause; default: they are the product's."""

    QUOTED = "quoted"
    DEFAULT = "default"


class Lasts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a step takes at least. `clause`: whose words say so."""

    days: int
    unit: TermUnit
    source: TermSource
    clause: str = ""


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By when a step is to be done: so many days after a step's end, or before a day of the class
    (`starts_on`, `assessment_on`)."""

    days: int
    unit: TermUnit
    before: bool
    counted_from: str
    check: str = ""  # the check of the class's pack whose days_ahead these are
    source: TermSource
    clause: str = ""
    note: Text


class ProcedureStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step. `signatures` 2: a first and a second reviewer, who are different persons. `after`:
    the steps that must be done before. `optional`: nothing waits for it."""

    id: str
    stage: Literal["opening", "supervision", "assessment", "claim", "publication", "payment"]
    title: Text
    office: Office
    signatures: Literal[1, 2]
    after: tuple[str, ...]
    optional: bool = False
    limit: Limit | None = None
    lasts: Lasts | None = None

    @property
    def office_name(self) -> Text:
        return offices()[self.office]

    @property
    def clause(self) -> Clause | None:
        """The words that its days are quoted from, where they are."""
        term = self.limit or self.lasts
        return clauses.register(FOLDER / "clauses")[term.clause] if term and term.clause else None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    offices: dict[Office, Text]
    steps: tuple[ProcedureStep, ...]


@cache
def _file(name: str) -> _File:
    return msgspec.toml.decode((FOLDER / "procedures" / f"{name}.toml").read_bytes(), type=_File)


def offices(name: str = "huangchuan-2021") -> Mapping[Office, Text]:
    """What each office is called."""
    return _file(name).offices


@cache
def steps(name: str = "huangchuan-2021") -> Mapping[str, ProcedureStep]:
    """The steps in their order, by id. Raises ValueError if the file contradicts itself."""
    known: dict[str, ProcedureStep] = {}
    for step in _file(name).steps:
        bases = [step.limit.counted_from] if step.limit else []
        ahead = {*step.after, *bases} - {*known, *_CLASS_DAYS}
        if ahead:
            raise ValueError(f"{name}: {step.id} rests on {', '.join(ahead)}, which comes later")
        known[step.id] = step
    return known


@cache
def of_each_batch() -> frozenset[str]:
    """The steps that are done anew for each batch of claims: the claim and all that rests on it."""
    found = {CLAIM}
    for step in steps().values():
        if not found.isdisjoint(step.after):
            found.add(step.id)
    return frozenset(found)


def steps_by(pack_id: str, pack_version: str) -> Mapping[str, ProcedureStep]:
    """The steps with the days of the class's own pack, where a check of it says them."""
    pack = packs.found(pack_id, pack_version)
    if pack is None:
        return steps()
    return {name: _by_checks(it, pack.checks) for name, it in steps().items()}


def _by_checks(step: ProcedureStep, checks: Mapping[str, CheckPolicy]) -> ProcedureStep:
    if step.limit is None or step.limit.check not in checks:
        return step
    days = round(checks[step.limit.check]["days_ahead"])
    return replace(step, limit=replace(step.limit, days=days))
