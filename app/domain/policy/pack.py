"""One resolved policy pack: what detectors, checks, reports and the console ask of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from app.canonical import canonical
from app.domain.policy.clauses import Clause, Instrument
from app.domain.policy.pack_schema import (
    CheckTable,
    PackTable,
    ParameterTable,
    RuleTable,
    SectionTable,
)
from app.languages import Text
from app.rules import title as product_title
from detectors.batch_facts import CheckPolicy
from detectors.check_sheet import Rulebook
from detectors.dates import months_later
from detectors.eligibility import Consequences, Cure
from detectors.occupations import Occupations
from detectors.policy import EVERYWHERE, LATER, Policy, Reach, RulePolicy, Status

SECTIONS_AS_RULES = ("class_hour", "session")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number or word of a pack as it is shown: with its source."""

    table: str
    name: str
    value: bool | int | float | str | tuple[int, ...]
    unit: str
    clause: Clause | None
    quote: str | None
    note: Text

    @property
    def quoted(self) -> bool:
        return self.clause is not None

    @property
    def label(self) -> Text:
        """Where the number comes from, as it must be printed beside it."""
        if self.clause is None:
            return Text("产品默认值", "product default")
        if not self.clause.in_tree:
            return Text("引自规定（原文未收录）", "quoted, source text not in tree")
        return Text("规定原文", "quoted")


@dataclass(frozen=True)
class Pack:
    """A resolved pack. `content` is what the digest covers and what an audit package carries."""

    table: PackTable
    content: Mapping[str, Any]
    clauses: Mapping[str, Clause]
    occupations: Occupations

    @property
    def id(self) -> str:
        return self.table.id

    @property
    def version(self) -> str:
        return self.table.version

    @property
    def name(self) -> str:
        """`<id>@<version>`, which `load` takes too."""
        return f"{self.id}@{self.version}"

    @property
    def title(self) -> Text:
        return Text(self.table.title.zh, self.table.title.en)

    @cached_property
    def canonical(self) -> bytes:
        """Canonical JSON of the content: sorted keys, no spaces, UTF-8."""
        return canonical(self.content)

    @cached_property
    def digest(self) -> str:
        """sha256 of `canonical`, 64 hex digits."""
        return hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def instrument(self) -> Instrument:
        return next(
            clause.instrument
            for clause in self.clauses.values()
            if clause.instrument.id == self.table.instrument
        )

    @property
    def archive_years(self) -> float:
        """For how many years files of a training are kept at least; 0 where the pack names none."""
        return self._term("archive_years") or 0.0

    @property
    def photo_years_at_most(self) -> float | None:
        """For how many years photos are kept at most; None where the pack names no longest term."""
        return self._term("photo_years_at_most")

    def photo_term(self, today: date, setting_days: int) -> date | None:
        """Photos of a class go when its last day lies before this one; None: they stay for good.

        setting_days: how long the installation keeps them, 0 for good. The pack's shortest and
        longest terms go before it."""
        terms = [today - timedelta(days=setting_days)] if setting_days else []
        most = self.photo_years_at_most
        if most is not None:
            terms = [max([_years_before(today, most), *terms])]
        return min([*terms, _years_before(today, self.archive_years)]) if terms else None

    def _term(self, name: str) -> float | None:
        kept = self.table.retention
        return float(kept.parameters[name].scalar) if kept and name in kept.parameters else None

    @property
    def attested_may_be_valid(self) -> bool:
        """Whether evidence that a platform's log attests may reach `valid`."""
        return bool(self.table.provenance.parameters["attested_may_be_valid"].value)

    @property
    def attested_needs_act(self) -> str:
        """The kind of recorded act without which attested evidence makes nobody eligible and no
        class acceptable; empty in packs that ask for none."""
        return self._needed_act("attested_needs_act")

    @property
    def platform_controls_need_act(self) -> str:
        """The same for what this service timed in classes whose platform runs its own pop-ups, face
        checks and photo times."""
        return self._needed_act("platform_controls_need_act")

    @property
    def extension_needs_act(self) -> str:
        """The kind of act without which study after the class's former end does not count."""
        return self._needed_act("extension_needs_act")

    @property
    def leave_needs_act(self) -> str:
        """The kind of act without which leave that a platform calls approved excuses nobody."""
        return self._needed_act("leave_needs_act")

    @property
    def misconduct_needs_act(self) -> str:
        """The kind of act without which a class-hour that was made up after misconduct does not
        count."""
        told = self.table.cure.parameters.get("misconduct_needs_act")
        return str(told.value) if told else ""

    @property
    def decisions_need_two(self) -> bool:
        """Whether what the authority decides on a check takes a second, different person."""
        told = self.table.reach.parameters.get("decisions_need_two")
        return bool(told and told.value)

    def _needed_act(self, name: str) -> str:
        provenance = self.table.provenance.parameters.get(name)
        return str(provenance.value) if provenance else ""

    @cached_property
    def policy(self) -> Policy:
        """What the detectors see: the rules, and the sections `class_hour` and `session`."""
        rules = {name: _rule_policy(name, rule) for name, rule in self.table.rules.items()}
        for name in SECTIONS_AS_RULES:
            section = self.table.sections[name]
            rules[name] = RulePolicy(
                rule=name,
                clause=section.clause or "",
                status=Status.ACTIVE,
                reach=Reach.CLASS_HOUR,
                curable=True,
                parameters={
                    **LATER.get(name, {}),
                    **{key: it.scalar for key, it in section.parameters.items()},
                },
            )
        for name in EVERYWHERE:
            clause = rules["class_hour"].clause
            implied = RulePolicy(name, clause, Status.ACTIVE, Reach.CLASS_HOUR, True, {}, True)
            rules.setdefault(name, implied)
        return Policy(self.id, self.version, self.digest, rules)

    @cached_property
    def checks(self) -> Mapping[str, CheckPolicy]:
        """The checks before an assessment, by id, in the order of the file."""
        return {name: _check_policy(name, check) for name, check in self.table.checks.items()}

    @cached_property
    def consequences(self) -> Consequences:
        """Reach and cure beyond single rules."""
        return Consequences(
            grave=Reach(self._word("reach", "grave")),
            missing_control=Reach(self._word("reach", "missing_control")),
            reviewers=round(self._number("reach", "reviewers")),
            leave=Cure(self._word("cure", "approved_leave")),
            not_misconduct=Cure(self._word("cure", "not_misconduct")),
            misconduct=Cure(self._word("cure", "misconduct")),
            missing_control_cure=Cure(self._word("cure", "missing_control")),
            required_share=self._number("enrolment", "required_share"),
        )

    @cached_property
    def rulebook(self) -> Rulebook:
        """What `detectors.batch_checks` decides by."""
        return Rulebook(self.checks, self.occupations)

    def clause_of(self, name: str) -> Clause:
        """The clause of a rule, check or section; KeyError when it has none."""
        implied = self.policy.rules.get(name)
        if implied is not None and implied.implied:
            return self.clauses[implied.clause]
        key = self.table.tables[name].clause
        if key is None:
            raise KeyError(f"{self.name}: {name} has no clause")
        return self.clauses[key]

    def title_of(self, name: str) -> Text:
        """The title of a rule or check; KeyError for a section or an unknown name."""
        if name in EVERYWHERE and name not in self.table.tables:
            return product_title(name)
        table = self.table.tables[name]
        if isinstance(table, SectionTable):
            raise KeyError(f"{self.name}: {name} has no title")
        return Text(table.title.zh, table.title.en)

    def parameter(self, name: str, parameter: str) -> Parameter:
        """One parameter of a rule, check or section, with its label; KeyError when unknown."""
        return self._shown(name, parameter, self.table.tables[name].parameters[parameter])

    def parameters_of(self, name: str) -> tuple[Parameter, ...]:
        """All parameters of a rule, check or section, in the order of the file."""
        table = self.table.tables[name].parameters
        return tuple(self._shown(name, key, value) for key, value in table.items())

    def _word(self, section: str, name: str) -> str:
        return str(self.table.sections[section].parameters[name].value)

    def _number(self, section: str, name: str) -> float:
        return float(self.table.sections[section].parameters[name].scalar)

    def _shown(self, table: str, name: str, it: ParameterTable) -> Parameter:
        return Parameter(
            table=table,
            name=name,
            value=tuple(it.value) if isinstance(it.value, list) else it.value,
            unit=it.unit,
            clause=self.clauses[it.clause] if it.clause else None,
            quote=it.quote,
            note=Text(it.note_zh, it.note_en),
        )


def _years_before(day: date, years: float) -> date:
    return months_later(day, -round(years * 12))


def _rule_policy(name: str, rule: RuleTable) -> RulePolicy:
    parameters = {
        **LATER.get(name, {}),
        **{key: it.scalar for key, it in rule.parameters.items()},
    }
    return RulePolicy(name, rule.clause, rule.status, rule.reach, rule.curable, parameters)


def _check_policy(name: str, check: CheckTable) -> CheckPolicy:
    return CheckPolicy(
        check=name,
        clause=check.clause,
        scope=check.scope,
        reach=None if check.reach == "none" else check.reach,
        curable=check.curable,
        unknown=check.unknown,
        parameters={
            key: tuple(it.value) if isinstance(it.value, list) else it.value
            for key, it in check.parameters.items()
        },
    )
