"""The names a pack may use. Anything else in it is refused by name: a limit that nothing reads
would be taken for one that is held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app import rules
from app.domain.policy.pack_schema import (
    OPTIONAL,
    REQUIRED,
    PackTable,
    ParameterTable,
    ScalarTable,
    nearest,
)
from detectors import registry
from detectors.batch_checks import CLASS_CHECKS, LEARNER_CHECKS
from detectors.batch_facts import CheckScope
from detectors.policy import Value


def unknown(table: PackTable) -> Iterator[str]:
    """A line for each rule, check and parameter that nothing reads, or that is told in other units
    than it is read in."""
    yield from _rules(table)
    for name, check in table.checks.items():
        functions = CLASS_CHECKS if check.scope is CheckScope.CLASS else LEARNER_CHECKS
        if name not in functions:
            elsewhere = name in CLASS_CHECKS or name in LEARNER_CHECKS
            like = "" if elsewhere else nearest(name, functions)
            yield f"checks.{name}: no such check of a {check.scope}{like}"
        else:
            yield from _parameters(f"checks.{name}", check.parameters, _read_of(name))
    for name, section in table.sections.items():
        yield from _parameters(name, section.parameters, _read_of(name))


def _rules(table: PackTable) -> Iterator[str]:
    """A rule that runs has a detector: what nobody looks for must not read as clear."""
    known, detectors = rules.known(), {it.rule for it in registry.ALL}
    for name, rule in table.rules.items():
        where = f"rules.{name}"
        if name not in known or (rule.runs and name not in detectors):
            yield f"{where}: no such detector{nearest(name, detectors)}"
            continue
        units = known[name].parameters
        yield from _parameters(where, rule.parameters, units)
        for key, it in rule.parameters.items():
            if key in units and not _fits(units[key], it):
                yield f"{where}.parameters.{key}: must be told in {units[key]}"


def _parameters(
    where: str, there: Mapping[str, ParameterTable], known: Mapping[str, object]
) -> Iterator[str]:
    for name in there:
        if name not in known:
            yield f"{where}.parameters.{name}: nothing reads it{nearest(name, known)}"


def _read_of(table: str) -> Mapping[str, object]:
    """What the product reads of a check or a section."""
    return {**REQUIRED.get(table, {}), **OPTIONAL.get(table, {})}


def _fits(unit: str, it: ScalarTable) -> bool:
    kinds: dict[str, tuple[type[Value], ...]] = {"word": (str,), "yes/no": (bool,)}
    return it.unit == unit and type(it.value) in kinds.get(unit, (int, float))
