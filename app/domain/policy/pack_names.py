"""The names and numbers a pack may use. Anything else in it is refused by name: a limit that
nothing reads would be taken for one that is held, and one that nobody can keep (98 for 98 %) would
be held."""

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

MOST = 1_000_000
# Beyond these a number is a mistake in its unit, or no day of the calendar.
MOST_OF = {
    **{"share": 1, "ratio": 100, "×": 100},
    **{"ms": 3_600_000, "s": 86_400, "min": 1_440, "minutes": 1_440, "h": 1_000},
    **{"days": 3_660, "months": 1_200, "years": 200},
}
SHARES = (
    *("coverage", "required_share", "min_practical_share"),
    *("min_theory_share", "min_satisfaction"),
)
ABOVE_ZERO = ("max_rate", "heartbeat_s", "lease_timeout_s")
# The first is no longer than the second.
NO_LONGER = (
    ("popup_gap", "schedule_min_s", "schedule_max_s"),
    ("popup_gap", "schedule_max_s", "max_gap_s"),  # else the service itself leaves the gap
    ("session", "heartbeat_s", "lease_timeout_s"),
)


def beyond(table: PackTable) -> Iterator[str]:
    """A line for each number that nobody can keep."""
    for name, it in table.tables.items():
        where = f"{_path(table, name)}.parameters"
        for key, said in it.parameters.items():
            value = said.value
            if isinstance(value, bool | str | list):
                continue
            most = 1 if key in SHARES else MOST_OF.get(said.unit, MOST)
            least = "more than 0" if key in ABOVE_ZERO else "0"
            if not 0 <= value <= most or (value == 0 and key in ABOVE_ZERO):
                yield f"{where}.{key}.value: must lie between {least} and {most:,} ({said.unit})"
    for name, shorter, longer in NO_LONGER:
        told = table.tables[name].parameters
        first, last = (told[key].value if key in told else None for key in (shorter, longer))
        if isinstance(first, int | float) and isinstance(last, int | float) and first > last:
            yield f"{_path(table, name)}.parameters.{shorter}.value: is more than {longer}"


def _path(table: PackTable, name: str) -> str:
    """A table as it is written in the file."""
    group = next((f"{it}." for it in ("rules", "checks") if name in getattr(table, it)), "")
    return f"{group}{name}"


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
