"""The contract of all detectors: one rule, one file, one name; a pure function of its facts."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import detectors
from app import rules
from app.domain.judging.sentences import sentences
from app.domain.policy import packs
from app.simulation.scenarios import SCENARIOS, perform
from app.store.judging.verdicts import CONTROL_MISSING
from detectors.facts import Facts, facts
from detectors.finding import Evidence, FindingScope, Outcome
from detectors.registry import ALL, Detector
from detectors.trace import SessionFlag, Trace
from tests import bodies
from tests.detectors.columns import GRADED, columns_of
from tests.detectors.joining import picked, together
from tests.detectors.stories import HONEST, Sitting, trace

FOLDER = Path(detectors.__file__).parent
PURE = {
    "__future__",
    "bisect",
    "calendar",
    "collections",
    "dataclasses",
    "datetime",
    "detectors",
    "enum",
    "functools",
    "itertools",
    "math",
    "numpy",
    "re",
    "typing",
    "unicodedata",
}
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "__import__"}
EVERY = replace(  # every rule, by the graded pack where it has it
    GRADED,
    rules={
        **{
            name: it
            for pack in packs.versions()
            for name, it in packs.load(pack).policy.rules.items()
        },
        **GRADED.rules,
    },
)
REASONS = [(name, reason) for name, rule in rules.known().items() for reason in rule.reasons]
each = pytest.mark.parametrize("detector", ALL, ids=lambda detector: detector.rule)


@pytest.fixture(scope="module")
def everything() -> Trace:
    """All scenarios in one chunk."""
    ids = [scenario_id for scenario_id in SCENARIOS if scenario_id != "H30"]
    return together([columns_of(perform(scenario_id, seed=5)).trace() for scenario_id in ids])


@pytest.fixture(scope="module")
def known(everything: Trace) -> Facts:
    return facts(everything, EVERY)


def source(detector: Detector) -> str:
    return (FOLDER / f"{detector.rule}.py").read_text("utf-8")


def reasons_in(detector: Detector) -> set[str]:
    """Every word of the source that this detector could give as a reason: those with a sentence
    of their own, those passed as `reason=`, and the first argument of its finding makers."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source(detector))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            if name in ("_finding", "_absent", "_missing"):
                words += node.args
            found |= _constants(words)
        elif isinstance(node, ast.FunctionDef) and node.name in ("_reason", "_judge"):
            returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
            found |= _constants([value for value in returned if isinstance(value, PLAIN)])
    return found


def _constants(nodes: list[ast.expr]) -> set[str]:
    return {
        leaf.value
        for node in nodes
        for leaf in ast.walk(node)
        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
        if re.fullmatch(r"[a-z]+(_[a-z]+)*", leaf.value)
    }


PLAIN = ast.Tuple, ast.Constant, ast.IfExp
UNITS = {"s", "count", "distance", "h"}


@each
def test_the_rule_the_file_and_the_pack_entry_have_one_name(detector):
    assert (FOLDER / f"{detector.rule}.py").is_file()
    assert detector.detect.__module__ == f"detectors.{detector.rule}"
    entries = [
        pack.policy[detector.rule]
        for pack in map(packs.load, packs.versions())
        if detector.rule in pack.policy.rules
    ]
    assert entries
    assert all(it.rule == detector.rule and it.clause for it in entries)


@each
def test_every_detector_has_a_test_file_of_its_own(detector):
    assert (Path(__file__).parent / f"test_{detector.rule}.py").is_file()


def test_no_rule_stands_twice_and_every_version_is_known():
    assert len({detector.rule for detector in ALL}) == len(ALL)
    assert all(detector.version for detector in ALL)


@each
def test_every_reason_has_a_sentence_and_every_sentence_a_reason(detector):
    told = {name for name, it in rules.known()[detector.rule].reasons.items() if not it.former}
    assert told
    for reason in told - {CONTROL_MISSING}:  # that one is the platform's own record
        assert f'"{reason}"' in source(detector), f"nobody says {reason}"
    assert reasons_in(detector) - UNITS <= told


@pytest.mark.parametrize("key", REASONS, ids="/".join)
def test_a_sentence_shows_its_numbers_in_both_languages(key):
    words = sentences(
        bodies.finding(
            rule=key[0],
            reason=key[1],
            start_ms=1_791_766_800_000,
            end_ms=1_791_766_923_000,
            measured=12.5,
            limit=77.25,
        )
    )
    assert re.search(r"[\u4e00-\u9fff]", words.zh)
    assert not re.search(r"[\u4e00-\u9fff{}]", words.en)
    told = rules.reason(*key)
    assert told
    for number in ("{measured}", "{limit}"):
        assert (number in told.zh) >= (number in told.en)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_core_imports_nothing_that_reads_or_writes(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= PURE
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in PURE
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS
        elif isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "today", "utcnow")
        assert not isinstance(node, ast.Global)


@each
def test_the_same_facts_give_the_same_findings(detector, everything, known):
    once = detector.detect(known, EVERY)
    assert detector.detect(known, EVERY) == once
    assert detector.detect(facts(everything, EVERY), EVERY) == once


@each
def test_nobody_gives_no_findings(detector):
    nobody = trace()
    assert detector.detect(facts(nobody, EVERY), EVERY) == []


@each
def test_a_sitting_that_was_opened_and_nothing_more_accuses_nobody(detector):
    for flags in (HONEST, HONEST | SessionFlag.OPEN, SessionFlag.PLATFORM_CONTROLS):
        opened = trace(Sitting(flags=flags, ends=120))
        assert detector.detect(facts(opened, EVERY), EVERY) == []


@each
def test_a_detector_changes_nothing_that_it_is_given(detector, everything):
    frozen = {name: getattr(everything, name).copy() for name in Trace.__slots__}
    for name in Trace.__slots__:
        getattr(everything, name).flags.writeable = False
    known = facts(everything, EVERY)
    for columns in (known.played, known.runs, known.parts):
        for name in type(columns).__slots__:
            value = getattr(columns, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
    detector.detect(known, EVERY)
    for name, before in frozen.items():
        assert getattr(everything, name).tobytes() == before.tobytes()


@each
def test_findings_are_complete(detector, everything, known):
    for finding in detector.detect(known, EVERY):
        assert finding.rule == detector.rule
        assert rules.reason(finding.rule, finding.reason)
        if finding.scope is not FindingScope.CLASS and finding.evidence is not Evidence.STATISTIC:
            known_rule = rules.known()[finding.rule]
            assert known_rule.learner and known_rule.learner_text(finding.reason), (
                "the learner reads it"
            )
        if finding.scope is FindingScope.CLASS:
            assert detector.crowd and finding.session == -1 and finding.subject
            assert len(finding.members) > 1
            assert len(np.unique(everything.sessions["klass"][list(finding.members)])) == 1
        for row in finding.members or (finding.session,):
            assert 0 <= row < len(everything)
        assert 0 < finding.start_ms <= finding.end_ms
        assert np.isfinite(finding.measured) and np.isfinite(finding.limit)
        if finding.outcome is Outcome.VIOLATION:
            assert finding.evidence is Evidence.SERVER
        if finding.evidence is not Evidence.SERVER:
            assert finding.outcome in (Outcome.CLEAR, Outcome.REVIEW)  # a remark, or for people
            assert not finding.voids
        for rows, values, at in (
            (finding.controls, everything.controls, everything.controls_at),
            (finding.photos, everything.photos, everything.photos_at),
        ):
            assert all(0 <= row < len(values) for row in rows)
            low, high = at[finding.session], at[finding.session + 1]
            assert finding.hour >= 0 or all(low <= row < high for row in rows)


@each
def test_a_learner_alone_is_judged_as_in_the_crowd(detector, everything, known):
    if detector.crowd:
        pytest.skip("compares people with each other")
    persons = everything.sessions["person"]
    crowd = detector.detect(known, EVERY)
    for person in np.unique(persons)[::7]:
        rows = np.flatnonzero(persons == person)
        alone = detector.detect(facts(picked(everything, rows), EVERY), EVERY)
        expected = [finding for finding in crowd if finding.session in rows]
        assert sorted(map(_gist, alone)) == sorted(map(_gist, expected))


def _gist(finding) -> tuple[object, ...]:
    return finding.reason, finding.outcome.value, finding.start_ms, finding.end_ms, finding.measured
